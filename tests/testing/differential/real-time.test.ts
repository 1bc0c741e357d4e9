/**
 * As `differential.test.ts`, with the scripts of Redis as they are: the server's clock decides, and what depends on it is
 * compared as far as two clocks can agree. No session ends while a sequence is played; the conformance suite lets them end.
 */

import { redisAdapter } from "@millrace/redis-adapter";
import { memoryAdapter } from "@millrace/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  type RedisServer,
  startRedis,
  uniqueNamespace,
  whyNoOwnRedis,
} from "../../../packages/redis-adapter/test/support/redis-server.ts";
import { ACCEPTED } from "./support/accepted.ts";
import { check, SEED } from "./support/check.ts";
import { Coverage } from "./support/coverage.ts";
import { openLane } from "./support/lane.ts";
import { SPOILED } from "./support/spoiled.ts";

const RUNS = 100;
/** Sequences in which a broken adapter must have shown itself. */
const FIND_WITHIN = 1_000;
/** How many lines the report of a broken adapter has at most: what is found is made short. */
const MOST_LINES = 24;

describe("the adapters in memory and on Redis, in real time", () => {
  let server: RedisServer | undefined;
  const url = (): string => server?.url ?? "";

  beforeAll(async () => {
    server = whyNoOwnRedis === undefined ? await startRedis({ own: true }) : undefined;
  });
  beforeEach(({ skip }) => skip(whyNoOwnRedis !== undefined, whyNoOwnRedis));
  afterAll(() => server?.stop());

  it("answer the same calls alike, and hold the same in the end", async () => {
    const coverage = new Coverage();
    await using lane = await openLane({ url: url(), database: 0, coverage, isVirtual: false });
    await check(lane, RUNS, SEED);
    expect(coverage.of("tasks.commit → applied")).toBeGreaterThan(0);
  }, 120_000);

  it.each(SPOILED)(
    "are found to differ where $name",
    async ({ spoil }) => {
      const options = { url: url(), coverage: new Coverage(), isVirtual: false };
      await using lane = await openLane({ ...options, database: 1, spoil });
      const found = await check(lane, FIND_WITHIN, SEED).catch((error: Error) => error.message);
      expect(found).toMatch(/memory: .*\n *Redis: /);
      expect(found?.split("\n").length).toBeLessThanOrEqual(MOST_LINES);
    },
    120_000,
  );

  it.each(ACCEPTED)("differ, as is known: $title", async ({ show, shows, reason }) => {
    const namespace = uniqueNamespace();
    const opened = await Promise.all([memoryAdapter().open()(), redisAdapter({ url: url(), namespace }).open()()]);
    const [memory, redis] = opened.map((session) => {
      if (session._tag === "Left") {
        throw new Error(session.left.message);
      }
      return session.right;
    });
    if (memory === undefined || redis === undefined) {
      throw new Error("two sessions were opened");
    }
    const found = { memory: await show(memory, namespace), redis: await show(redis, namespace) };
    await Promise.all([memory.close(), redis.close()]);
    expect(found, `no such difference any more; take it out of the table (${reason})`).toEqual(shows);
  });
});
