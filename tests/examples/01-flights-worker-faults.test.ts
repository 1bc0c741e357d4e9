/**
 * Workers of one group that are killed, frozen, replaced while they are frozen, and stopped, at random and at the same
 * time. The seed is printed; `MILLRACE_SEED=<n>` repeats the choices.
 */
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type RedisServer,
  startRedis,
  uniqueNamespace,
} from "../../packages/redis-adapter/test/support/redis-server.ts";
import { buildExample, expectedSmall, outputOf, RUN_TIMEOUT_MS, type Run, start, until } from "./support/flights.ts";
import { generator, seed, shuffled } from "./support/random.ts";
import { expectEveryRowOnce } from "./support/rows.ts";

const SESSION_MS = 1_000;
/** So slow that the job lives through all faults, on a busy machine, too. */
const PACE = ["--rate", "300"];

const random = generator(seed);

/** What befalls a worker, and for how many sessions it is frozen, or nobody is in its place. */
interface Fault {
  readonly kind: "freeze" | "replace" | "kill" | "stop";
  readonly sessions: number;
}

const FAULTS: readonly Fault[] = [
  ...faults("freeze", [0.5, 0.9, 1.4, 1.9, 2.4, 3]),
  ...faults("replace", [1.2, 2.2]),
  ...faults("kill", [0, 0.3, 0.6, 0.9, 1.2]),
  ...faults("stop", [0, 0.4, 0.8]),
];
/** Freezes after which a session is over, and that is said of both groups. */
const SESSIONS_LOST = 2 * FAULTS.filter(({ kind, sessions }) => kind === "freeze" && sessions > 1).length;

/** A name for each place; where there is none, each worker has a random one. */
const PLACES = ["one", "two", null] as const;

let redis: RedisServer;
/** All that were started. */
const workers: Run[] = [];

beforeAll(async () => {
  process.stderr.write(`faults of workers at random: MILLRACE_SEED=${seed}\n`);
  await buildExample();
  redis = await startRedis();
}, RUN_TIMEOUT_MS);

afterAll(async () => {
  for (const worker of workers) {
    await worker[Symbol.asyncDispose]();
  }
  await redis.stop();
});

describe("the workers of the flights example", { timeout: 4 * RUN_TIMEOUT_MS }, () => {
  it(`survive ${FAULTS.length} kills, freezes, replacements and stops, no row missing or doubled`, async () => {
    const namespace = uniqueNamespace();
    const args = ["--redis", redis.url, "--namespace", namespace];
    await using slow = start("--produce", ...PACE, ...args);
    const order = shuffled(FAULTS, random);
    const places = PLACES.map((id, index): Place => {
      const named = id === null ? [] : ["--id", id];
      return {
        random: generator(seed + index),
        faults: order.filter((_, at) => at % PLACES.length === index),
        isNamed: id !== null,
        startWorker: () => {
          const worker = start("--work", "--until-idle", "--session", `${SESSION_MS} ms`, ...named, ...args);
          workers.push(worker);
          return worker;
        },
      };
    });
    const survivors = (await Promise.all(places.map(visit))).flat();
    expect(slow.isRunning()).toBe(true);
    slow.kill("SIGKILL");
    await slow.ended;
    await outputOf("--produce", ...args);
    for (const worker of survivors) {
      expect({ ...(await worker.ended), stderr: worker.stderr() }).toMatchObject({ code: 0 });
    }
    const lines = workers.flatMap((worker) => worker.stderr().split("\n"));
    const moves = lines.filter((line) => /: [+−]\d+ task/.test(line)).length;
    const lost = lines.filter((line) => line.includes(": session lost; ")).length;
    process.stderr.write(`${workers.length} workers, ${moves} moves of tasks, ${lost} sessions lost\n`);
    expect(lost).toBeGreaterThanOrEqual(SESSIONS_LOST / 2);
    expect(await outputOf("--report", "--json", ...args)).toBe(expectedSmall());
    await expectEveryRowOnce(redis.url, namespace);
  });
});

function faults(kind: Fault["kind"], lengths: readonly number[]): readonly Fault[] {
  return lengths.map((sessions) => ({ kind, sessions }));
}

/** A worker, those that take its place, and what happens to them. */
interface Place {
  readonly random: () => number;
  readonly faults: readonly Fault[];
  readonly isNamed: boolean;
  readonly startWorker: () => Run;
}

/** Starts a worker, has the faults happen, and returns those that must finish the job. */
async function visit(place: Place): Promise<readonly Run[]> {
  const others: Run[] = [];
  await pause(1_000 * place.random());
  let worker = place.startWorker();
  for (const fault of place.faults) {
    await pause(SESSION_MS * (0.3 + 1.2 * place.random()));
    expect({ isRunning: worker.isRunning(), stderr: worker.stderr() }).toMatchObject({ isRunning: true });
    const next = await befall(worker, fault, place);
    if (fault.kind === "replace" && !place.isNamed) {
      others.push(worker);
    }
    worker = next;
  }
  return [...others, worker];
}

/** Returns the worker that is there when the fault is over. */
async function befall(worker: Run, { kind, sessions }: Fault, place: Place): Promise<Run> {
  switch (kind) {
    case "freeze":
      await hasJoined(worker);
      worker.kill("SIGSTOP");
      await pause(sessions * SESSION_MS);
      worker.kill("SIGCONT");
      return worker;
    case "replace":
      return replace(worker, sessions, place);
    case "kill":
      worker.kill("SIGKILL");
      await pause(sessions * SESSION_MS);
      return place.startWorker();
    case "stop":
      await hasJoined(worker);
      await endsOnSignal(worker);
      await pause(sessions * SESSION_MS);
      return place.startWorker();
  }
}

/** Another worker takes the place of a frozen one, which ends when it wakes, unless their names differ. */
async function replace(frozen: Run, sessions: number, { isNamed, startWorker }: Place): Promise<Run> {
  await hasJoined(frozen);
  frozen.kill("SIGSTOP");
  const next = startWorker();
  await hasJoined(next);
  await pause(sessions * SESSION_MS);
  frozen.kill("SIGCONT");
  if (isNamed) {
    expect((await frozen.ended).code).toBe(1);
    expect(frozen.stderr()).toMatch(/^error: .*another worker has joined as member/m);
  }
  return next;
}

async function hasJoined(worker: Run): Promise<void> {
  await until("the worker has joined both groups", () => /^worst-airports: joined/m.test(worker.stderr()));
}

async function endsOnSignal(worker: Run): Promise<void> {
  const startMs = performance.now();
  worker.kill("SIGTERM");
  expect({ ...(await worker.ended), stderr: worker.stderr() }).toMatchObject({ code: 0 });
  expect(performance.now() - startMs).toBeLessThan(5_000);
}
