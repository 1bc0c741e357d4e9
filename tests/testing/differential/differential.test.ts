/**
 * The adapter in memory and the one on Redis answer the same calls alike, and hold the same in the end.
 *
 * The scripts of Redis are those of the package, but that they take the time from a key (`support/virtual-time.ts`): so both
 * have one clock, and what depends on time is compared to the millisecond. `real-time.test.ts` plays sequences with scripts
 * that are not touched.
 *
 * `MILLRACE_RUNS` is the number of sequences, `MILLRACE_SEED` repeats them (and `MILLRACE_PATH` one of them, of the first lane),
 * `MILLRACE_COVERAGE=1` prints how often each call came to each answer.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import {
  type RedisServer,
  startRedis,
  whyNoOwnRedis,
} from "../../../packages/redis-adapter/test/support/redis-server.ts";
import { all, check, SEED } from "./support/check.ts";
import { Coverage } from "./support/coverage.ts";
import { EXPECTED } from "./support/expected-answers.ts";
import { openLane } from "./support/lane.ts";

vi.mock(import("../../../packages/redis-adapter/src/scripts/script.ts"), async (original) => {
  const { withVirtualTime } = await import("./support/virtual-time.ts");
  return withVirtualTime(await original());
});

const RUNS = Number(process.env["MILLRACE_RUNS"] ?? 1_000);
/** While one waits for the server, another goes on. */
const LANES = 4;
/** For each sequence, ms: many times what it takes, since a failing one is made shorter by hundreds of others. */
const EACH_MS = 600;

describe("the adapters in memory and on Redis", () => {
  const coverage = new Coverage();
  let server: RedisServer | undefined;
  const url = (): string => server?.url ?? "";

  beforeAll(async () => {
    server = whyNoOwnRedis === undefined ? await startRedis({ own: true }) : undefined;
  });
  beforeEach(({ skip }) => skip(whyNoOwnRedis !== undefined, whyNoOwnRedis));
  afterAll(async () => {
    await server?.stop();
    if (process.env["MILLRACE_COVERAGE"] !== undefined) {
      process.stderr.write(`${coverage.toString()}\n`);
    }
  });

  it(
    `answer the same calls alike, and hold the same in the end, in ${RUNS} sequences`,
    async () => {
      const lanes = Array.from({ length: LANES }, async (_, database) => {
        await using lane = await openLane({ url: url(), database, coverage, isVirtual: true });
        await check(lane, Math.ceil(RUNS / LANES), SEED + database);
      });
      await all(lanes);
    },
    120_000 + EACH_MS * RUNS,
  );

  // Of 1,000 sequences, each comes tens of times; a generator that has lost one says nothing about it any more.
  it("have given every answer that there is", ({ skip }) => {
    skip(RUNS < 1_000, "so few sequences (MILLRACE_RUNS) need not have met each of them");
    expect(EXPECTED.filter((answer) => coverage.of(answer) === 0)).toEqual([]);
  });
});
