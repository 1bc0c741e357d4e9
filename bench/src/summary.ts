import { median } from "./distribution.ts";
import type { Figures } from "./measure.ts";
import type { Rounds } from "./rounds.ts";

/** Medians over the rounds of one side. */
export interface SideSummary {
  readonly recordsPerSecond: { readonly median: number; readonly min: number; readonly max: number };
  /** CPU time for each record. */
  readonly nodeCpuUs: number;
  readonly redisCpuUs: number;
}

/** Both sides of one benchmark. */
export interface Summary {
  readonly millrace: SideSummary;
  readonly ioredis: SideSummary;
  /** Millrace's median of records per second by the rival's: above 1 Millrace is faster. */
  readonly ratio: number;
}

export function summarise({ millrace, ioredis }: Rounds, records: number): Summary {
  const sides = { millrace: sideOf(millrace, records), ioredis: sideOf(ioredis, records) };
  return { ...sides, ratio: sides.millrace.recordsPerSecond.median / sides.ioredis.recordsPerSecond.median };
}

function sideOf(rounds: readonly Figures[], records: number): SideSummary {
  const rates = rounds.map(({ elapsedMs }) => (records / elapsedMs) * 1_000);
  return {
    recordsPerSecond: { median: median(rates), min: Math.min(...rates), max: Math.max(...rates) },
    nodeCpuUs: median(rounds.map(({ nodeCpuUs }) => nodeCpuUs)) / records,
    redisCpuUs: median(rounds.map(({ redisCpuUs }) => redisCpuUs)) / records,
  };
}
