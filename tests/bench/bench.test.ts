/** Runs the benchmarks as `npm run bench` does, small: that they work and check themselves, not how fast anything is. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { whyNoOwnRedis } from "../../packages/redis-adapter/test/support/redis-server.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const TIMEOUT_MS = 120_000;
const CONTESTS = ["produce", "consume", "transform"];

/** Rejects when the program fails. */
async function node(...args: readonly string[]): Promise<string> {
  return (await promisify(execFile)(process.execPath, args, { cwd: ROOT })).stdout;
}

function bench(...args: readonly string[]): Promise<string> {
  return node("bench/dist/main.js", ...args);
}

describe("the benchmarks", () => {
  beforeAll(() => node("node_modules/typescript/bin/tsc", "-b", "bench"), TIMEOUT_MS);

  it("print a ratio for produce, consume and transform", { timeout: TIMEOUT_MS }, async ({ skip }) => {
    skip(whyNoOwnRedis !== undefined, whyNoOwnRedis);
    const table = await bench(...CONTESTS, "--records", "2000", "--rounds", "1");
    expect(table.match(/^ {2}ratio +\d+\.\d\d×$/gm)).toHaveLength(3);
  });

  it("print figures of both sides as JSON", { timeout: TIMEOUT_MS }, async ({ skip }) => {
    skip(whyNoOwnRedis !== undefined, whyNoOwnRedis);
    const printed = await bench(...CONTESTS, "--json", "--records", "500", "--rounds", "2");
    const { benchmarks } = JSON.parse(printed);
    expect(Object.keys(benchmarks)).toEqual(CONTESTS);
    const side = {
      recordsPerSecond: { median: expect.any(Number), min: expect.any(Number), max: expect.any(Number) },
      nodeCpuUs: expect.any(Number),
      redisCpuUs: expect.any(Number),
    };
    for (const summary of Object.values(benchmarks)) {
      expect(summary).toEqual({ millrace: side, ioredis: side, ratio: expect.any(Number) });
    }
  });

  it("run five operators in every way, and find what a loop computes", { timeout: TIMEOUT_MS }, async ({ skip }) => {
    skip(whyNoOwnRedis !== undefined, whyNoOwnRedis);
    const { chain } = JSON.parse(await bench("chain", "--json", "--records", "1000", "--rounds", "2")).benchmarks;
    const times = [expect.any(Number), expect.any(Number)];
    expect(chain).toMatchObject({
      records: 1_008,
      cpuNs: {
        "task, none": times,
        "task, own": times,
        "task, rxjs": times,
        "task, one section": times,
        "plain, none": times,
        "plain, own": times,
        "plain, rxjs": times,
      },
      ownAloneNs: expect.any(Number),
      ratio: expect.any(Number),
    });
    expect(chain.goals).toEqual([
      { what: "they alone", goal: "<= 100 ns", isMet: expect.any(Boolean) },
      { what: "Millrace by RxJS", goal: "<= 1.3×", isMet: expect.any(Boolean) },
    ]);
  });

  it("call handlers in every way, each value once", { timeout: TIMEOUT_MS }, async ({ skip }) => {
    skip(whyNoOwnRedis !== undefined, whyNoOwnRedis);
    const { handlers } = JSON.parse(await bench("handlers", "--json", "--records", "50", "--rounds", "1")).benchmarks;
    expect(handlers.sleptMs).toBeGreaterThan(0.5);
    for (const sleepMs of [1, 0]) {
      const laps = handlers.laps.filter((lap: { readonly sleepMs: number }) => lap.sleepMs === sleepMs);
      expect(laps).toHaveLength(10);
      expect(laps).toContainEqual({
        variant: "millrace",
        concurrency: 64,
        count: 50,
        sleepMs,
        elapsedMs: [expect.any(Number)],
        cpuMs: [expect.any(Number)],
      });
    }
  });

  it("drain a backlog within the limits, each record once", { timeout: TIMEOUT_MS }, async ({ skip }) => {
    skip(whyNoOwnRedis !== undefined, whyNoOwnRedis);
    const { heap } = JSON.parse(await bench("heap", "--json", "--records", "3000", "--rounds", "1")).benchmarks;
    expect(heap.drains).toHaveLength(3);
    for (const { rounds } of heap.drains) {
      expect(rounds).toEqual([
        {
          liveBytes: expect.any(Number),
          heapBytes: expect.any(Number),
          rssBytes: expect.any(Number),
          liveBefore: expect.any(Number),
          rssBefore: expect.any(Number),
          elapsedMs: expect.any(Number),
          mostHeld: expect.any(Number),
        },
      ]);
    }
    expect(heap.drains[1].rounds[0].mostHeld).toBeLessThanOrEqual(1_024);
    expect(heap.goals).toContainEqual({
      what: "Millrace, limits: { maxRecords: 1024 }",
      goal: "<= 1024 held",
      isMet: true,
    });
  });

  it("count by key in every way, and tell what that asks of Redis", { timeout: TIMEOUT_MS }, async ({ skip }) => {
    skip(whyNoOwnRedis !== undefined, whyNoOwnRedis);
    const { state } = JSON.parse(await bench("state", "--json", "--records", "100", "--rounds", "1")).benchmarks;
    const ways = state.laps.map((lap: { readonly variant: string }) => lap.variant);
    expect(ways).toEqual(["stateless", "count", "count", "window", "pipelines", "script"]);
    for (const { keys, rounds } of state.laps) {
      expect(keys).toBe(100);
      expect(rounds).toEqual([
        {
          elapsedMs: expect.any(Number),
          nodeCpuUs: expect.any(Number),
          redisCpuUs: expect.any(Number),
          rssBytes: expect.any(Number),
          readTrips: expect.any(Number),
          commitTrips: expect.any(Number),
          stateTrips: expect.any(Number),
          otherTrips: expect.any(Number),
        },
      ]);
    }
    // A read of each of the 8 partitions and one that finds its end; of each that is not empty, two pipelines, or a script.
    const [pipelines, script] = state.laps
      .slice(-2)
      .map((lap: { readonly rounds: readonly unknown[] }) => lap.rounds[0]);
    expect(pipelines).toMatchObject({ readTrips: 16, commitTrips: 0, stateTrips: 24, otherTrips: 0 });
    expect(script).toMatchObject({ readTrips: 16, commitTrips: 0, stateTrips: 17, otherTrips: 0 });
  });

  it("take tasks with state over, and find that state", { timeout: TIMEOUT_MS }, async ({ skip }) => {
    skip(whyNoOwnRedis !== undefined, whyNoOwnRedis);
    const printed = await bench("take-over", "--json", "--records", "100", "--rounds", "1");
    const takeOver = JSON.parse(printed).benchmarks["take-over"];
    const figures = {
      assignedMs: expect.any(Number),
      firstMs: expect.any(Number),
      committedMs: expect.any(Number),
      rssBytes: expect.any(Number),
    };
    expect(takeOver.laps).toEqual([
      { variant: "count", keys: 100, rounds: [figures] },
      { variant: "window", keys: 100, rounds: [figures] },
    ]);
    expect(takeOver.goals).toContainEqual({
      what: "window, all open, 100 keys",
      goal: "<= 100 ms",
      isMet: expect.any(Boolean),
    });
  });

  it("compute targets of a large group, without a move in vain", { timeout: TIMEOUT_MS }, async ({ skip }) => {
    skip(whyNoOwnRedis !== undefined, whyNoOwnRedis);
    const printed = await bench("assignor", "--json", "--partitions", "100", "--workers", "7", "--rounds", "1");
    const { results } = JSON.parse(printed).benchmarks.assignor;
    expect(results).toHaveLength(9);
    expect(results[1]).toMatchObject({ subTopologies: 1, scenario: "one joins", moves: 14 });
  });

  it("change a group under load, and find each record once", { timeout: TIMEOUT_MS }, async ({ skip }) => {
    skip(whyNoOwnRedis !== undefined, whyNoOwnRedis);
    const small = ["--partitions", "6", "--workers", "2", "--rate", "200", "--rounds", "1"];
    const { distributions, moves, goals } = JSON.parse(await bench("group", "--json", ...small)).benchmarks.group;
    // Of 6 tasks on 2 workers a third one gets 2; where one of three goes, its 2 go. A busy machine may cost further moves.
    expect(moves).toMatchObject({ join: { least: 4 }, leave: { least: 2 }, kill: { least: 2 } });
    expect(distributions["join.pause"].count).toBeGreaterThanOrEqual(4);
    expect(distributions["kill.takeOver"]).toMatchObject({ count: 2, p50: expect.any(Number) });
    expect(goals).toContainEqual({ what: "moves, 1 × kill", goal: "2, the fewest", isMet: expect.any(Boolean) });
  });

  it("measure what an idle group costs", { timeout: TIMEOUT_MS }, async ({ skip }) => {
    skip(whyNoOwnRedis !== undefined, whyNoOwnRedis);
    const table = await bench("idle", "--partitions", "2", "--workers", "1", "--seconds", "2");
    expect(table).toMatch(/^2 partitions: CPU of the server +\d+\.\d\d$/m);
    expect(table).toMatch(/^ {4}evalsha \d+\.\d/m);
  });

  it("let workers join all at once", { timeout: TIMEOUT_MS }, async ({ skip }) => {
    skip(whyNoOwnRedis !== undefined, whyNoOwnRedis);
    const small = ["--partitions", "5", "--workers", "2", "--rounds", "1"];
    const { results } = JSON.parse(await bench("settle", "--json", ...small)).benchmarks.settle;
    expect(results).toEqual([
      {
        settledMs: expect.any(Number),
        firstTargetMs: expect.any(Number),
        targets: expect.any(Number),
        moves: expect.any(Number),
      },
    ]);
  });

  it("refuse options that make no sense", { timeout: TIMEOUT_MS }, async () => {
    await expect(bench("--rounds", "0")).rejects.toThrow("--rounds must be a whole number from 1");
    await expect(bench("produce", "prodcue")).rejects.toThrow('there is no benchmark "prodcue"');
  });
});
