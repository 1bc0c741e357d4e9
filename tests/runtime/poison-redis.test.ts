/**
 * Poison records under each policy on a real Redis, with workers that are killed with `kill -9` at random moments. The seed
 * is printed; `MILLRACE_SEED=<n>` repeats the choices.
 */
import { setTimeout as pause } from "node:timers/promises";
import { type AskResult, type DeadLetter, partitionOf } from "@millrace/core";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RedisServer, startRedis, whyNoOwnRedis } from "../../packages/redis-adapter/test/support/redis-server.ts";
import { generator, seed } from "../examples/support/random.ts";
import {
  buildWorkers,
  Cluster,
  type ClusterConfig,
  expectAllInOrder,
  numbered,
  numbersIn,
  until,
  type Worker,
} from "./support/poison-cluster.ts";
import { type Numbered, PARTITIONS, type PlanConfig, type Policy } from "./support/poison-plan.ts";

type Kind = PlanConfig["kind"];

const TIMEOUT_MS = 120_000;
const COUNT = 3_000;
/** Over so long items come in. */
const FEED_MS = 4_000;
/** Behind so many kills in one test the workers are left alone. */
const MOST_KILLS = 14;
const KEYS = 11;
/** Of three keys. */
const BAD = [1_200, 1_600, 2_204] as const;
const random = generator(seed);

let redis: RedisServer;

beforeAll(async () => {
  process.stderr.write(`poison and kill -9: MILLRACE_SEED=${seed}\n`);
  await buildWorkers();
  redis = await startRedis();
}, TIMEOUT_MS);

afterAll(() => redis?.stop());

const partitionWith = (n: number): number => partitionOf(`key-${n % KEYS}`, PARTITIONS);
const sorted = (numbers: readonly number[]): readonly number[] => numbers.toSorted((a, b) => a - b);
const numbersOf = (letters: readonly DeadLetter[]): readonly number[] =>
  letters.map(({ input }) => (JSON.parse(input) as Numbered).n);
const all = numbered(COUNT).map(({ n }) => n);
const isBad = (n: number): boolean => BAD.some((bad) => bad === n);
/** What stays behind a bad item of its key. */
const isParked = (n: number): boolean => BAD.some((bad) => bad % KEYS === n % KEYS && bad <= n);

/** Takes a worker away in a way of its own: its last commit has no effect, or has one and no reply, or comes too late. */
async function murder(victim: Worker): Promise<void> {
  const way = random();
  if (way < 0.3) {
    victim.proxy.swallowReplies();
    await pause(60 * random());
  } else if (way < 0.5) {
    victim.proxy.hold();
    await pause(60 * random());
  }
  await victim.kill();
  if (way >= 0.3 && way < 0.4) {
    // What it has sent arrives when somebody else is at work.
    await pause(1_500);
    victim.proxy.release();
  }
}

/**
 * Two workers at work, of which one is killed and replaced again and again, until `isOver`; at least `kills` times. Returns
 * how many kills came before that.
 */
async function killing(cluster: Cluster, kills: number, isOver: () => boolean | Promise<boolean>): Promise<number> {
  const workers = [await cluster.start(), await cluster.start()];
  let midway = 0;
  let killed = 0;
  await until("the work is done in spite of all kills", async () => {
    const isDone = await isOver();
    if (killed >= kills && isDone) {
      return true;
    }
    await pause(150 + 500 * random());
    const victim = workers.shift();
    if (victim !== undefined && killed < MOST_KILLS) {
      midway += (await isOver()) ? 0 : 1;
      await murder(victim);
      workers.push(await cluster.start());
      killed += 1;
    } else if (victim !== undefined) {
      workers.push(victim);
    }
    return false;
  });
  return midway;
}

/** Has the items processed while they come and workers are killed. */
async function processed(cluster: Cluster, kills: number, count: number): Promise<void> {
  const feeding = cluster.feed(numbered(COUNT, KEYS), FEED_MS);
  const isOver = async (): Promise<boolean> => (await cluster.committed()) >= count;
  const [midway] = await Promise.all([killing(cluster, kills, isOver), feeding]);
  expect(midway).toBeGreaterThan(1);
}

async function make(config: ClusterConfig): Promise<Cluster> {
  return await Cluster.make(redis, { bad: BAD, ...config });
}

describe("poison, while workers are killed", { timeout: TIMEOUT_MS }, () => {
  const isStalled = (n: number): boolean => BAD.some((bad) => partitionWith(bad) === partitionWith(n) && bad <= n);
  const inFront = all.filter((n) => !isStalled(n));

  it.each<Policy>(["fail", "quarantine"])(
    "stops its own partition under every worker; repaired, all is processed once and in order (%s)",
    async (policy) => {
      await using cluster = await make({ policy });
      await processed(cluster, 3, inFront.length);
      await pause(500);
      expect(numbersIn(await cluster.written())).toEqual(inFront);
      expect(cluster.pick(policy === "fail" ? "Restarting" : "Quarantined").length).toBeGreaterThan(1);
      await cluster.repair();
      // Several poison records in one partition are met one after the other.
      await until("all is processed", async () => {
        if (policy === "quarantine") {
          await cluster.app.resume(cluster.plan());
        }
        return (await cluster.committed()) >= COUNT;
      });
      expectAllInOrder(await cluster.written(), COUNT);
    },
  );

  it("is skipped, and counted at least once for each (skip)", async () => {
    await using cluster = await make({ policy: "skip" });
    await processed(cluster, 3, COUNT);
    expect(numbersIn(await cluster.written())).toEqual(all.filter((n) => !isBad(n)));
    const skipped = new Set(cluster.pick("Skipped").map(({ error }) => error));
    expect(skipped).toEqual(new Set(BAD.map((n) => `no ${n}`)));
  });

  it.each<readonly ["deadLetter" | "park" | "function", Kind, (n: number) => boolean]>([
    ["deadLetter", "mapOrdered", isBad],
    ["park", "mapOrdered", isParked],
    ["park", "map", isParked],
    ["function", "mapOrdered", (n) => (n % KEYS === 1 ? isParked(n) : isBad(n))],
  ])("is a letter exactly once, and redriven exactly once (%s, %s)", async (policy, kind, isLetter) => {
    await using cluster = await make({ kind, policy, takesMs: 2 });
    await processed(cluster, 5, COUNT);
    const expected = all.filter(isLetter);
    const letters = await cluster.letters().list({ limit: 10_000 });
    expect(sorted(numbersOf(letters))).toEqual(expected);
    expect(new Set(letters.map(({ id }) => id)).size).toBe(letters.length);
    expect(numbersIn(await cluster.written())).toEqual(all.filter((n) => !isLetter(n)));

    await cluster.repair();
    const { answers, midway } = await redrivenWhileKilling(cluster, 4);
    // A few letters may be redriven before the first kill.
    expect(midway).toBeGreaterThan(expected.length > 100 ? 0 : -1);
    expect(answers.reduce((sum, { done }) => sum + done, 0)).toBe(expected.length);
    expect(await cluster.letters().list()).toEqual([]);
    const written = await cluster.written();
    expect(numbersIn(written)).toEqual(all);
    const keys = { deadLetter: [], park: BAD.map((n) => `key-${n % KEYS}`), function: ["key-1"] }[policy];
    for (const key of keys) {
      const ofKey = written.filter((record) => record.key === key).map(({ value }) => value.n);
      expect(ofKey).toEqual(sorted(ofKey));
    }
  });
});

/** Two callers ask at once, while workers are killed. `midway`: how many kills came before both were answered. */
async function redrivenWhileKilling(
  cluster: Cluster,
  kills: number,
): Promise<{ readonly answers: readonly AskResult[]; readonly midway: number }> {
  let isOver = false;
  const dead = cluster.letters();
  const ask = () => dead.redrive({ all: true, within: "100 s" });
  const asked = Promise.all([ask(), ask()]).finally(() => {
    isOver = true;
  });
  asked.catch(() => {});
  const midway = await killing(cluster, kills, () => isOver);
  return { answers: await asked, midway };
}

describe("a redrive on Redis", { timeout: TIMEOUT_MS }, () => {
  it("asked for without a worker says so, and is done by the first that comes, through CLIENT PAUSE and CLIENT KILL", async ({
    skip,
  }) => {
    skip(whyNoOwnRedis !== undefined, whyNoOwnRedis);
    await using cluster = await make({ policy: "park", takesMs: 3 });
    await cluster.send(numbered(COUNT, KEYS));
    const first = await cluster.start();
    await cluster.untilCommitted(COUNT);
    await first.stop();
    await cluster.repair();
    const dead = cluster.letters();
    await expect(dead.redrive({ all: true, within: "500 ms" })).rejects.toMatchObject({ _tag: "NoWorker" });
    const joined = cluster.pick("Joined").length;
    await cluster.start();
    await until("the worker has joined", () => cluster.pick("Joined").length > joined);
    const admin = new Redis(redis.url);
    for (let round = 0; round < 8; round += 1) {
      await admin.call("CLIENT", "PAUSE", "120", "WRITE");
      await pause(150 * random());
      await admin.call("CLIENT", "KILL", "TYPE", "normal");
      await pause(200 * random());
    }
    admin.disconnect();
    await until("all letters are redriven", async () => (await dead.list()).length === 0);
    expect(cluster.pick("Ended")).toEqual([]);
    expectAllInOrder(await cluster.written(), COUNT);
  });

  it("goes on under the next worker when the one that does it is stopped in the middle", async () => {
    await using cluster = await make({ policy: "park" });
    await cluster.send(numbered(COUNT, KEYS));
    const first = await cluster.start();
    await cluster.untilCommitted(COUNT);
    await cluster.repair();
    const answer = cluster.letters().redrive({ all: true });
    await pause(60);
    const second = await cluster.start();
    await first.stop();
    await pause(100);
    await cluster.start();
    await second.stop();
    const letters = numbered(COUNT).filter(({ n }) => isParked(n)).length;
    expect(await answer).toEqual({ done: letters, remaining: 0, waiting: 0 });
    expectAllInOrder(await cluster.written(), COUNT);
  });
});
