/** What the example is to compute, as plain loops over the flights, without Millrace. */

/** A flight as the reduction needs it. */
export interface PlainFlight {
  readonly origin: string;
  /** Ms since the Unix epoch. */
  readonly at: number;
  readonly delay: number;
}

interface Sums {
  readonly origin: string;
  readonly day: string;
  flights: number;
  delays: number;
  worst: number;
  late: number;
}

/** The output that `--json` must print, byte for byte: delays are whole minutes, so sums do not depend on their order. */
export function expectedLines(flights: Iterable<PlainFlight>): string {
  const sums = new Map<string, Sums>();
  for (const { origin, at, delay } of flights) {
    if (delay < -60 || delay > 1_440) {
      continue;
    }
    const day = new Date(at).toISOString().slice(0, 10);
    const id = `${day} ${origin}`;
    const sum = sums.get(id) ?? { origin, day, flights: 0, delays: 0, worst: Number.NEGATIVE_INFINITY, late: 0 };
    sums.set(id, sum);
    sum.flights += 1;
    sum.delays += delay;
    sum.worst = Math.max(sum.worst, delay);
    sum.late += delay > 15 ? 1 : 0;
  }
  const rows = [...sums].toSorted(([a], [b]) => compare(a, b)).map(([, sum]) => sum);
  const days = rows.map(({ origin, day, flights: count, delays, worst, late }) => ({
    type: "day",
    origin,
    day,
    flights: count,
    meanDelay: delays / count,
    worstDelay: worst,
    lateShare: late / count,
  }));
  const rankings = [...new Set(rows.map(({ day }) => day))].map((day) => ({
    type: "ranking",
    day,
    origins: days
      .filter((row) => row.day === day && row.flights >= 5)
      .toSorted((a, b) => b.meanDelay - a.meanDelay || compare(a.origin, b.origin))
      .slice(0, 10)
      .map(({ origin, meanDelay }) => ({ origin, meanDelay })),
  }));
  return [...days, ...rankings].map((row) => `${JSON.stringify(row)}\n`).join("");
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
