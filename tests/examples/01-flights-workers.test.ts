import { isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type RedisServer,
  startRedis,
  uniqueNamespace,
} from "../../packages/redis-adapter/test/support/redis-server.ts";
import { buildExample, expectedSmall, outputOf, RUN_TIMEOUT_MS, type Run, start, until } from "./support/flights.ts";

let redis: RedisServer;

beforeAll(async () => {
  await buildExample();
  redis = await startRedis();
}, RUN_TIMEOUT_MS);

afterAll(() => redis.stop());

describe("the flights example with several workers", { timeout: 4 * RUN_TIMEOUT_MS }, () => {
  it("shares the tasks among workers that start one after the other; all end when everything is processed", async () => {
    const args = onRedis();
    const work = (id: string): Run => start("--work", "--until-idle", "--id", id, "--session", "10 s", ...args);
    const shared = (flights: readonly number[], days: readonly number[]) => async (): Promise<boolean> => {
      const loads = loadsIn(await outputOf("--status", "--json", ...args));
      return isDeepStrictEqual(loads, { "flights.airport-days": flights, "flights.worst-airports": days });
    };
    // Slow, so that there is work to do for as long as the test takes; then killed, and run again at full speed.
    await using slow = start("--produce", "--rate", "500", ...args);
    await using first = work("first");
    await until("the first worker has all tasks", shared([4], [8]));
    await using second = work("second");
    await until("two workers share the tasks", shared([2, 2], [4, 4]));
    await using third = work("third");
    await until("three workers share the tasks", shared([2, 1, 1], [3, 3, 2]));
    await using fourth = work("fourth");
    await using fifth = work("fifth");
    await until("one worker of five has no airports", shared([1, 1, 1, 1, 0], [2, 2, 2, 1, 1]));
    const status = await outputOf("--status", ...args);
    slow.kill("SIGKILL");
    await slow.ended;
    await outputOf("--produce", ...args);
    const workers = [first, second, third, fourth, fifth];
    for (const worker of workers) {
      expect((await worker.ended).code).toBe(0);
      expect(worker.stderr()).toMatch(/^worst-airports: \+\d tasks?, .*in \d+ ms/m);
      expect(worker.stderr()).toMatch(/^worst-airports: finished$/m);
    }
    const processed = workers.map((worker) => /^processed ([\d,]+) flights in/m.exec(worker.stderr())?.[1] ?? "");
    expect(processed.reduce((sum, text) => sum + Number(text.replaceAll(",", "")), 0)).toBe(20_000);
    expect(first.stderr()).toMatch(/^airport-days: −2 tasks, 2 kept, in \d+ ms$/m);
    expect(second.stderr()).toMatch(/^airport-days: \+2 tasks, in \d+ ms, longest pause \d+ ms$/m);
    expect(workers.some((worker) => worker.stderr().includes("airport-days: more workers than tasks: waiting"))).toBe(
      true,
    );
    expect(status).toMatch(/^airport-days: 5 at work, 4 tasks$/m);
    expect(status).toMatch(/^│ fifth +│ \S+ +│ +\d+ │ +[01] │ +\d+\.\d s │$/m);
    expect(status).toMatch(/^│ flights\/0 +│ \w+ +│ +\d+-\d+\/\d+ │ +[\d,]+ │ +[\d,]+ │ +[\d,]+ │$/m);
    expect(await outputOf("--report", "--json", ...args)).toBe(expectedSmall());
    const after = await outputOf("--status", ...args);
    expect(after).toMatch(/^airport-days: nobody at work, 4 tasks$/m);
  });

  it("hands the tasks over on SIGTERM, without waiting for a session to end", async () => {
    const args = onRedis();
    const work = (): Run => start("--work", "--until-idle", "--session", "1 hour", ...args);
    await using slow = start("--produce", "--rate", "1000", ...args);
    await using first = work();
    await until("the first worker processes", () => /^processed [1-9]/m.test(first.stderr()));
    await using second = work();
    await until("the second worker has its share", () => /^airport-days: \+2 tasks/m.test(second.stderr()));
    const startMs = performance.now();
    first.kill("SIGTERM");
    expect((await first.ended).code).toBe(0);
    expect(performance.now() - startMs).toBeLessThan(5_000);
    await until("the second worker has the rest", () => /^airport-days: \+2 tasks, 2 kept/m.test(second.stderr()));
    slow.kill("SIGKILL");
    await slow.ended;
    await outputOf("--produce", ...args);
    expect((await second.ended).code).toBe(0);
    expect(await outputOf("--report", "--json", ...args)).toBe(expectedSmall());
  });

  it("ends the older of two runs that do everything, and says why", async () => {
    const args = onRedis();
    await using older = start("--json", "--rate", "2000", ...args);
    await until("the older run processes", () => /^processed [1-9]/m.test(older.stderr()));
    await using newer = start("--json", ...args);
    expect((await older.ended).code).toBe(1);
    expect(older.stderr()).toMatch(/^error: .*another worker has joined as member npm-start\..*$/m);
    expect(older.stdout()).toBe("");
    expect((await newer.ended).code).toBe(0);
    expect(newer.stdout()).toBe(expectedSmall());
  });
});

/** Arguments of a run on the server, in a namespace of its own. */
function onRedis(): readonly string[] {
  return ["--redis", redis.url, "--namespace", uniqueNamespace()];
}

/** How many tasks the workers of each group have, in falling order. */
function loadsIn(lines: string): Readonly<Record<string, readonly number[]>> {
  const loads: Record<string, number[]> = {};
  // Nothing is printed before the first worker has joined.
  for (const line of lines.split("\n").filter((text) => text !== "")) {
    const { type, group, tasks } = JSON.parse(line) as StatusLine;
    if (type === "member") {
      loads[group] = [...(loads[group] ?? []), tasks.length].toSorted((a, b) => b - a);
    }
  }
  return loads;
}

/** As far as it is looked at here. */
interface StatusLine {
  readonly type: "member" | "task";
  readonly group: string;
  /** Of members. */
  readonly tasks: readonly string[];
}
