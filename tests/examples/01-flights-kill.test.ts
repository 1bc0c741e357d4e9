/**
 * `kill -9` at random moments. The seed is printed; `MILLRACE_SEED=<n>` repeats the choices (not the moments exactly: a
 * process is never equally fast twice).
 */
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type RedisServer,
  startRedis,
  uniqueNamespace,
} from "../../packages/redis-adapter/test/support/redis-server.ts";
import { buildExample, expectedSmall, outputOf, RUN_TIMEOUT_MS, start } from "./support/flights.ts";
import { streamsOf } from "./support/streams.ts";

const KILLS = 20;
/** How often one job is killed before it may come to its end. */
const KILLS_PER_JOB = 4;
/** At least so many kills must hit a job that has results to lose and work to do. */
const LEAST_MIDWAY = 5;
/** Spreads the work over a few seconds, so that kills hit all of it. */
const PACE = ["--rate", "10000"];

const seed = Number(process.env["MILLRACE_SEED"] ?? Math.floor(Math.random() * 2 ** 32));
const random = generator(seed);

let redis: RedisServer;
/** How long a run takes that nobody disturbs. */
let undisturbedMs: number;

beforeAll(async () => {
  process.stderr.write(`kill -9 at random: MILLRACE_SEED=${seed}\n`);
  await buildExample();
  redis = await startRedis();
  const startMs = performance.now();
  await outputOf("--json", ...PACE, "--redis", redis.url, "--namespace", uniqueNamespace());
  undisturbedMs = performance.now() - startMs;
}, 2 * RUN_TIMEOUT_MS);

afterAll(() => redis.stop());

describe("the flights example on Redis", { timeout: 10 * RUN_TIMEOUT_MS }, () => {
  it(`gives the same result after each of ${KILLS} kills, no row missing or doubled`, async () => {
    const hits: Hit[] = [];
    while (hits.length < KILLS) {
      const namespace = uniqueNamespace();
      const args = ["--json", "--redis", redis.url, "--namespace", namespace];
      hits.push(...(await killedOften([...PACE, ...args], namespace)));
      expect(await outputOf(...args)).toBe(expectedSmall());
      await expectEveryRowOnce(namespace);
    }
    const midway = hits.filter((hit) => hit === "midway").length;
    process.stderr.write(`${midway} of ${hits.length} kills hit a job midway\n`);
    expect(midway).toBeGreaterThanOrEqual(LEAST_MIDWAY);
  });

  it("gives the same result when its processes are killed one by one", async () => {
    const namespace = uniqueNamespace();
    const args = ["--redis", redis.url, "--namespace", namespace];
    for (let kills = 0; kills < 4; ) {
      await using first = start("--work", ...args);
      kills += (await wasKilled(["--produce", ...PACE, ...args])) ? 1 : 0;
      // Takes over from the first worker, then dies.
      kills += (await wasKilled(["--work", ...args])) ? 1 : 0;
      first.kill("SIGKILL");
    }
    await outputOf("--produce", ...args);
    await outputOf("--work", "--until-idle", ...args);
    expect(await outputOf("--report", "--json", ...args)).toBe(expectedSmall());
    await expectEveryRowOnce(namespace);
  });
});

/** Starts the example and kills it after a random time; `false` when it had ended by then. */
async function wasKilled(args: readonly string[]): Promise<boolean> {
  await using job = start(...args);
  await pause(undisturbedMs * (0.15 + 0.85 * random()));
  const isRunning = job.isRunning();
  job.kill("SIGKILL");
  const { signal } = await job.ended;
  return isRunning && signal === "SIGKILL";
}

/** What a kill hit. */
type Hit = "midway" | "before or behind";

/** Starts and kills a job a few times. Runs that had ended by then do not count. */
async function killedOften(args: readonly string[], namespace: string): Promise<readonly Hit[]> {
  const hits: Hit[] = [];
  for (let i = 0; i < KILLS_PER_JOB; i += 1) {
    if (await wasKilled(args)) {
      hits.push((await isMidway(namespace)) ? "midway" : "before or behind");
    }
  }
  return hits;
}

/** Whether flights were processed, but not all rankings written. */
async function isMidway(namespace: string): Promise<boolean> {
  using streams = streamsOf(redis.url, namespace);
  const groups = await streams.groups();
  const hasBegun = groups.some(({ entriesRead }) => (entriesRead ?? 0) > 0);
  return hasBegun && (await streams.values("rankings")).length < 90;
}

/** Looks at the topics themselves, as another client would. */
async function expectEveryRowOnce(namespace: string): Promise<void> {
  using streams = streamsOf(redis.url, namespace);
  const rowsOf = async (topic: string): Promise<readonly string[]> =>
    (await streams.values(topic)).map((text) => {
      const { day, origin = "" } = JSON.parse(text) as { readonly day: string; readonly origin?: string };
      return `${day} ${origin}`;
    });
  const counted = async (topic: string): Promise<{ readonly rows: number; readonly distinct: number }> => {
    const rows = await rowsOf(topic);
    return { rows: rows.length, distinct: new Set(rows).size };
  };
  expect(await streams.values("flights")).toHaveLength(20_000);
  expect(await counted("days")).toEqual({ rows: 6_901, distinct: 6_901 });
  expect(await counted("flights.worst-airports.days.window.repartition")).toEqual({ rows: 6_901, distinct: 6_901 });
  expect(await counted("rankings")).toEqual({ rows: 90, distinct: 90 });
}

/** Numbers from 0 to 1 that depend on the seed alone (mulberry32). */
function generator(from: number): () => number {
  let state = from >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
