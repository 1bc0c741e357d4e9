import type { Side } from "./contender.ts";
import type { ContestName } from "./contests.ts";
import type { Figures } from "./measure.ts";
import { type RedisBinary, startRedisServer } from "./redis-server.ts";
import { startSide } from "./side-process.ts";

/** Runs of each side before the first one that counts. */
const WARM_UPS = 2;
const ORDERS = [
  ["millrace", "ioredis"],
  ["ioredis", "millrace"],
] as const;

export interface RoundsOptions {
  readonly binary: RedisBinary;
  readonly records: number;
  readonly rounds: number;
}

/** The figures of each side, a round each. */
export type Rounds = Readonly<Record<Side, readonly Figures[]>>;

/**
 * Runs both sides of a contest in turn, round after round, on a server of its own. Which side is first changes with
 * each round, so that what the machine does besides hits both alike.
 */
export async function runRounds(contest: ContestName, { binary, records, rounds }: RoundsOptions): Promise<Rounds> {
  await using server = await startRedisServer(binary);
  const { url } = server;
  using millrace = await startSide({ contest, side: "millrace", url, records });
  using ioredis = await startSide({ contest, side: "ioredis", url, records });
  const workers = { millrace, ioredis };
  const figures: Record<Side, Figures[]> = { millrace: [], ioredis: [] };
  for (let round = -WARM_UPS; round < rounds; round += 1) {
    for (const side of ORDERS[Math.abs(round) % 2] ?? []) {
      const measured = await workers[side].run(`run-${round + WARM_UPS}`);
      if (round >= 0) {
        figures[side].push(measured);
      }
    }
  }
  return figures;
}
