/** Runs the benchmarks as `npm run bench` does, small: that they work and check themselves, not how fast anything is. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { whyNoOwnRedis } from "../../packages/redis-adapter/test/support/redis-server.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const TIMEOUT_MS = 120_000;

/** Rejects when the program fails. */
async function node(...args: readonly string[]): Promise<string> {
  return (await promisify(execFile)(process.execPath, args, { cwd: ROOT })).stdout;
}

describe("the benchmarks", () => {
  beforeAll(() => node("node_modules/typescript/bin/tsc", "-b", "bench"), TIMEOUT_MS);

  it("print a ratio for produce, consume and transform", { timeout: TIMEOUT_MS }, async ({ skip }) => {
    skip(whyNoOwnRedis !== undefined, whyNoOwnRedis);
    const table = await node("bench/dist/main.js", "--records", "2000", "--rounds", "1");
    expect(table.match(/^ {2}ratio +\d+\.\d\d×$/gm)).toHaveLength(3);
  });

  it("print figures of both sides as JSON", { timeout: TIMEOUT_MS }, async ({ skip }) => {
    skip(whyNoOwnRedis !== undefined, whyNoOwnRedis);
    const { benchmarks } = JSON.parse(await node("bench/dist/main.js", "--json", "--records", "500", "--rounds", "2"));
    expect(Object.keys(benchmarks)).toEqual(["produce", "consume", "transform"]);
    const side = {
      recordsPerSecond: { median: expect.any(Number), min: expect.any(Number), max: expect.any(Number) },
      nodeCpuUs: expect.any(Number),
      redisCpuUs: expect.any(Number),
    };
    for (const summary of Object.values(benchmarks)) {
      expect(summary).toEqual({ millrace: side, ioredis: side, ratio: expect.any(Number) });
    }
  });

  it("refuse options that make no sense", async () => {
    await expect(node("bench/dist/main.js", "--rounds", "0")).rejects.toThrow("--rounds must be a whole number from 1");
  });
});
