import { createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openData } from "../../examples/01-flights/src/data.ts";
import {
  type RedisServer,
  startRedis,
  uniqueNamespace,
} from "../../packages/redis-adapter/test/support/redis-server.ts";
import { buildExample, expectedSmall, outputOf, RUN_TIMEOUT_MS, run, start, until } from "./support/flights.ts";
import { expectedLines, type PlainFlight } from "./support/reduction.ts";
import { type GroupPosition, streamsOf } from "./support/streams.ts";

let redis: RedisServer;

beforeAll(async () => {
  await buildExample();
  redis = await startRedis();
}, RUN_TIMEOUT_MS);

afterAll(() => redis.stop());

/** Arguments of a run on the server, in a namespace of its own. */
function onRedis(): { readonly namespace: string; readonly args: readonly string[] } {
  const namespace = uniqueNamespace();
  return { namespace, args: ["--redis", redis.url, "--namespace", namespace] };
}

describe("the flights example", { timeout: 3 * RUN_TIMEOUT_MS }, () => {
  it("computes in memory what plain loops over the file compute", async () => {
    expect(await outputOf("--json")).toBe(expectedSmall());
  });

  it("computes on Redis what plain loops over the file compute, and again when it is run again", async () => {
    const { args } = onRedis();
    expect(await outputOf("--json", ...args)).toBe(expectedSmall());
    expect(await outputOf("--json", ...args)).toBe(expectedSmall());
  });

  it("reads the large file in the order of departure, all of it, and in the right units", async () => {
    const all = await openData("3m", Number.POSITIVE_INFINITY);
    let seen = 0;
    let impossible = 0;
    let isOrdered = true;
    let lastMs = Number.NEGATIVE_INFINITY;
    for await (const { at, delay } of all.flights()) {
      seen += 1;
      impossible += delay < -60 || delay > 1_440 ? 1 : 0;
      isOrdered &&= at >= lastMs;
      lastMs = at;
    }
    expect({ count: all.count, seen, impossible, isOrdered }).toEqual({
      count: 3_000_000,
      seen: 3_000_000,
      impossible: 150,
      isOrdered: true,
    });
    expect(new Date(lastMs).toISOString()).toBe("2001-07-01T00:00:00.000Z");
    const first = await openData("3m", 1);
    for await (const flight of first.flights()) {
      const at = Date.UTC(2001, 0, 1, 0, 1);
      expect(flight).toEqual({ origin: "LAS", destination: "PHL", at, delay: 33, distance: 2_176 });
    }
  });

  it("uses the first rows of the large file, over the border of a row group", async () => {
    const rows = 280_000;
    const flights: PlainFlight[] = [];
    for await (const flight of (await openData("3m", rows)).flights()) {
      flights.push(flight);
    }
    expect(flights).toHaveLength(rows);
    expect(await outputOf("--json", "--data", "3m", "--rows", String(rows))).toBe(expectedLines(flights));
  });

  it("shows tables to people, and progress on stderr", async () => {
    const { code, stdout, stderr } = await run("--rate", "10000");
    expect(code).toBe(0);
    expect(stdout).toContain("The worst airports of 2001-03-31");
    expect(stdout).toContain("20,000 flights from 220 airports on 90 days (6,901 results)");
    expect(stderr).toMatch(/^processed [\d,]+ of 20,000 flights.*, lag [\d,]+/m);
  });
});

describe("the flights example, split over processes,", { timeout: 4 * RUN_TIMEOUT_MS }, () => {
  it("computes the same, and leaves no lag on any stream that a group reads", async () => {
    const { namespace, args } = onRedis();
    await outputOf("--produce", ...args);
    await outputOf("--work", "--until-idle", ...args);
    expect(await outputOf("--report", "--json", ...args)).toBe(expectedSmall());
    using streams = streamsOf(redis.url, namespace);
    const groups = await streams.groups();
    expect(groups.map(({ stream, group }) => `${group} ${stream.slice(namespace.length)}`)).toEqual(
      ["days", "flights.worst-airports.days.window.repartition", "flights"].flatMap((topic) =>
        [0, 1, 2, 3].map((partition) => {
          const group = topic === "flights" ? "flights.airport-days" : "flights.worst-airports";
          return `${group} :{${topic}/${partition}}:log`;
        }),
      ),
    );
    for (const { stream, length, entriesRead, lag } of groups) {
      expect({ stream, entriesRead, lag }).toEqual({ stream, entriesRead: length, lag: 0 });
    }
  });

  it("shows the true lag to any Redis client while it is at work", async () => {
    const { namespace, args } = onRedis();
    using streams = streamsOf(redis.url, namespace);
    const ofFlights = async (): Promise<readonly GroupPosition[]> =>
      (await streams.groups()).filter(({ group }) => group === "flights.airport-days");
    {
      await using producer = start("--produce", "--rate", "1000", ...args);
      await using worker = start("--work", ...args);
      await until("every task has begun, and every partition was read", async () => {
        const positions = await ofFlights();
        return (
          (await streams.groups()).length === 12 &&
          positions.length === 4 &&
          positions.every(({ entriesRead }) => (entriesRead ?? 0) > 0)
        );
      });
      worker.kill("SIGKILL");
      await worker.ended;
      await until("every partition has more", async () => (await ofFlights()).every(({ lag }) => (lag ?? 0) > 10));
      producer.kill("SIGKILL");
      await producer.ended;
    }
    const groups = await streams.groups();
    expect(groups).toHaveLength(12);
    for (const { stream, length, entriesRead, lag, lastDeliveredId } of groups) {
      const unread = await streams.countAfter(stream, lastDeliveredId);
      expect({ stream, lag, entriesRead }).toEqual({ stream, lag: unread, entriesRead: length - unread });
    }
    await outputOf("--produce", ...args);
    await outputOf("--work", "--until-idle", ...args);
    expect((await streams.groups()).map(({ lag }) => lag)).toEqual(groups.map(() => 0));
    expect(await outputOf("--report", "--json", ...args)).toBe(expectedSmall());
  });

  it("works until SIGTERM, and loses nothing by it", async () => {
    const { namespace, args } = onRedis();
    using streams = streamsOf(redis.url, namespace);
    {
      await using producer = start("--produce", "--rate", "2000", ...args);
      await using worker = start("--work", ...args);
      await until("something was committed", async () =>
        (await streams.groups()).some(({ entriesRead }) => (entriesRead ?? 0) > 0),
      );
      producer.kill("SIGTERM");
      worker.kill("SIGTERM");
      expect((await producer.ended).code).toBe(143);
      expect((await worker.ended).code).toBe(0);
    }
    await outputOf("--produce", ...args);
    {
      await using worker = start("--work", ...args);
      await until("nothing is left", async () => {
        const groups = await streams.groups();
        return groups.every(({ lag }) => lag === 0) && (await streams.values("rankings")).length === 90;
      });
      expect(worker.isRunning()).toBe(true);
      worker.kill("SIGINT");
      expect((await worker.ended).code).toBe(0);
    }
    expect(await outputOf("--report", "--json", ...args)).toBe(expectedSmall());
  });
});

describe("the result of the flights example", { timeout: 4 * RUN_TIMEOUT_MS }, () => {
  it.each(["1", "16"])("is the same with %s partitions in between, read as it comes (G8)", async (partitions) => {
    expect(await outputOf("--json", "--rate", "5000", "--partitions", partitions)).toBe(expectedSmall());
  });

  it.each(["1", "16"])("is the same with %s partitions in between, read as a backlog (G8)", async (partitions) => {
    const args = [...onRedis().args, "--partitions", partitions];
    await outputOf("--produce", ...args);
    await outputOf("--work", "--until-idle", ...args);
    expect(await outputOf("--report", "--json", ...args)).toBe(expectedSmall());
  });
});

describe("the flights example refuses", { timeout: RUN_TIMEOUT_MS }, () => {
  const url = "redis://:secret@127.0.0.1:1";

  it.each([
    [["--data", "4m"], "--data"],
    [["--rows", "0"], "--rows"],
    [["--rows", "-5"], "--rows"],
    [["--rows", "1.5"], "--rows"],
    [["--rows", "many"], "--rows"],
    [["--rate", "0"], "--rate"],
    [["--partitions", "0"], "--partitions"],
    [["--partitions", "5000"], "--partitions"],
    [["--redis"], "--redis"],
    [["--redis", "http://:secret@127.0.0.1"], "--redis"],
    [["--redis", "127.0.0.1:6379"], "--redis"],
    [["--redis", url, "--namespace", "{all}"], "--namespace"],
    [["--namespace", "here"], "--namespace needs --redis"],
    [["--work"], "--work needs --redis"],
    [["--produce"], "--produce needs --redis"],
    [["--report"], "--report needs --redis"],
    [["--status"], "--status needs --redis"],
    [["--id", "me"], "--id needs --redis"],
    [["--session", "2 s"], "--session needs --redis"],
    [["--redis", url, "--id", "you and me"], "--id"],
    [["--redis", url, "--session", "soon"], "--session"],
    [["--redis", url, "--session", "5"], "is not a duration"],
    [["--redis", url, "--session", "999 ms"], "at least 1 s"],
    [["--redis", url, "--report", "--id", "me"], "--id is for workers"],
    [["--redis", url, "--produce", "--session", "2 s"], "--session is for workers"],
    [["--redis", url, "--status", "--work"], "--status"],
    [["--redis", url, "--work", "--produce"], "--work"],
    [["--redis", url, "--until-idle"], "--until-idle needs --work"],
    [["--nonsense"], "--nonsense"],
    [["surplus"], "argument"],
  ])("%j in one line, with exit code 2", async (args, named) => {
    const { code, stdout, stderr } = await run(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^error: [^\n]+\n$/);
    expect(stderr).toContain(named);
    expect(stderr).not.toContain("secret");
  });

  it("a server that is not there, within seconds", async () => {
    const startedMs = performance.now();
    const { code, stdout, stderr } = await run("--redis", url);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^error: [^\n]*127\.0\.0\.1:1[^\n]*\n/m);
    expect(stderr).not.toContain("secret");
    expect(performance.now() - startedMs).toBeLessThan(30_000);
  });

  it("a server that never answers, within seconds", async () => {
    const silent = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => silent.once("listening", resolve));
    const address = silent.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const { code, stderr } = await run("--redis", `redis://127.0.0.1:${port}`);
    silent.close();
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: [^\n]+\n/m);
  });

  it("to mix other flights into a namespace", async () => {
    const { namespace, args } = onRedis();
    await outputOf("--rows", "100", ...args);
    const { code, stdout, stderr } = await run("--rows", "200", ...args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain(
      `error: namespace "${namespace}" holds the flights of --data 20k --rows 100, not of --data 20k --rows 200`,
    );
  });

  it("another number of partitions than the topics have", async () => {
    const { args } = onRedis();
    await outputOf("--rows", "100", ...args);
    const { code, stderr } = await run("--rows", "100", "--partitions", "2", ...args);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: .*days.*4 partitions.*$/m);
  });
});
