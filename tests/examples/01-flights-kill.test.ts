/** `kill -9` at random moments. The seed is printed; `MILLRACE_SEED=<n>` repeats the choices. */
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type RedisServer,
  startRedis,
  uniqueNamespace,
} from "../../packages/redis-adapter/test/support/redis-server.ts";
import {
  buildExample,
  expectedSmall,
  outputOf,
  RUN_TIMEOUT_MS,
  type Run,
  run,
  start,
  until,
} from "./support/flights.ts";
import { generator, seed, shuffled } from "./support/random.ts";
import { expectEveryRowOnce } from "./support/rows.ts";
import { streamsOf } from "./support/streams.ts";

const KILLS = 20;
/** How often one job is killed before it may come to its end. */
const KILLS_PER_JOB = 4;
/** At least so many kills must hit a job that has results to lose and work to do. */
const LEAST_MIDWAY = 10;
/** Spreads the work over a few seconds, so that kills hit all of it. */
const PACE = ["--rate", "10000"];
/** For processes whose tasks others go on with. */
const SESSION = ["--session", "1 s"];

const FLIGHTS = 20_000;
/** What all tasks of both pipelines read. */
const READ_BY_ALL = FLIGHTS + 2 * 6_901;

const random = generator(seed);

let redis: RedisServer;

beforeAll(async () => {
  process.stderr.write(`kill -9 at random: MILLRACE_SEED=${seed}\n`);
  await buildExample();
  redis = await startRedis();
}, RUN_TIMEOUT_MS);

afterAll(() => redis.stop());

describe("the flights example on Redis", { timeout: 10 * RUN_TIMEOUT_MS }, () => {
  it(`gives the same result after each of ${KILLS} kills, no row missing or doubled`, async () => {
    const hits: Hit[] = [];
    while (hits.length < KILLS) {
      const namespace = uniqueNamespace();
      const args = ["--json", "--redis", redis.url, "--namespace", namespace];
      hits.push(...(await killedOften([...PACE, ...args], namespace)));
      const { stdout, stderr } = await run(...args);
      expect(stdout).toBe(expectedSmall());
      // Its name is known: it takes its place back, and does not wait until the session of the run before is over.
      expect(stderr).not.toContain("waiting for ");
      await expectEveryRowOnce(redis.url, namespace);
    }
    const midway = hits.filter((hit) => hit === "midway").length;
    process.stderr.write(`${midway} of ${hits.length} kills hit a job midway\n`);
    expect(midway).toBeGreaterThanOrEqual(LEAST_MIDWAY);
  });

  it("gives the same result when its processes are killed one by one", async () => {
    const namespace = uniqueNamespace();
    const args = ["--redis", redis.url, "--namespace", namespace];
    using streams = streamsOf(redis.url, namespace);
    const hasSent = (share: number) => async () => (await streams.length("flights")) >= share * FLIGHTS;
    let kills = 0;
    for (const half of [0, 1]) {
      await using producer = start("--produce", "--rate", "5000", ...args);
      await using first = start("--work", ...SESSION, ...args);
      await using second = start("--work", ...SESSION, ...args);
      // The producer is the clock, and so the last one.
      for (const [index, process] of [...shuffled([first, second], random), producer].entries()) {
        await until("the next one is to be killed", hasSent((half + (index + random()) / 3) / 2));
        process.kill("SIGKILL");
        kills += (await process.ended).signal === "SIGKILL" ? 1 : 0;
      }
    }
    // At the end of the second half, the producer may be faster.
    expect(kills).toBeGreaterThanOrEqual(5);
    await outputOf("--produce", ...args);
    await outputOf("--work", "--until-idle", ...args);
    expect(await outputOf("--report", "--json", ...args)).toBe(expectedSmall());
    await expectEveryRowOnce(redis.url, namespace);
  });
});

/** What a kill hit. */
type Hit = "midway" | "before or behind";

/** Starts and kills a job a few times. Runs that had ended by then do not count. */
async function killedOften(args: readonly string[], namespace: string): Promise<readonly Hit[]> {
  const hits: Hit[] = [];
  for (let part = 0; part < KILLS_PER_JOB; part += 1) {
    await using job = start(...args);
    await someMomentOf(job, namespace, part);
    job.kill("SIGKILL");
    if ((await job.ended).signal === "SIGKILL") {
      hits.push((await isMidway(namespace)) ? "midway" : "before or behind");
    }
  }
  return hits;
}

/** Waits for a random moment of this part of the work; or, now and then, of the time in which a job starts. */
async function someMomentOf(job: Run, namespace: string, part: number): Promise<void> {
  if (random() < 0.25) {
    await pause(1_500 * random());
    return;
  }
  using streams = streamsOf(redis.url, namespace);
  const target = (READ_BY_ALL * (part + random())) / KILLS_PER_JOB;
  await until("the job has come so far", async () => {
    const groups = await streams.groups();
    return !job.isRunning() || groups.reduce((sum, { entriesRead }) => sum + (entriesRead ?? 0), 0) >= target;
  });
  await pause(50 * random());
}

/** Whether flights were processed, but not all rankings written. */
async function isMidway(namespace: string): Promise<boolean> {
  using streams = streamsOf(redis.url, namespace);
  const groups = await streams.groups();
  const hasBegun = groups.some(({ entriesRead }) => (entriesRead ?? 0) > 0);
  return hasBegun && (await streams.values("rankings")).length < 90;
}
