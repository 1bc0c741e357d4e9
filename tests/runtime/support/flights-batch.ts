/** What the flights' pipelines are to write, as plain loops over the rows, without Millrace but for the topics' types. */
import {
  counted,
  type Flight,
  groupOf,
  type Hours,
  type Quarter,
  type Rush,
  type Sizes,
  sizeOf,
} from "./flights-plan.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const QUARTER_MS = 6 * HOUR_MS;

/** Rows of a topic, as {@link rowOf} writes them, sorted. */
export type Rows = readonly string[];

/** All that the topics behind the flights hold in the end. */
export interface Results {
  readonly hours: Rows;
  readonly rushes: Rows;
  readonly quarters: Rows;
  readonly sizes: Rows;
}

/** A record with all that depends on the input. */
export function rowOf(key: string, timestampMs: number, value: object): string {
  return `${key} ${timestampMs} ${JSON.stringify(value, Object.keys(value).toSorted())}`;
}

/** Computes the results of all flights at once. */
export function batchOf(flights: readonly Flight[]): Results {
  const hours = hoursOf(flights);
  const rushes = rushesOf(flights);
  return {
    hours: sortedRows(hours, ({ airport }) => airport, hourEnd),
    rushes: sortedRows(
      rushes,
      ({ airport }) => airport,
      ({ end }) => end,
    ),
    quarters: sortedRows(quartersOf(hours), ({ group }) => group, quarterEnd),
    sizes: sortedRows(sizesOf(rushes), ({ size }) => size, quarterEnd),
  };
}

/** Each flight counts in the two hours that begin with its own hour, and with the one before. */
function hoursOf(flights: readonly Flight[]): readonly Hours[] {
  const windows = grouped(
    flights.flatMap((flight) => {
      const own = startOf(flight.at, HOUR_MS);
      return [own - HOUR_MS, own].map((start) => ({ ...flight, start }));
    }),
    ({ destination, start }) => `${destination} ${start}`,
  );
  return windows.map(([first, ...others]) => {
    const delays = [first, ...others].map(({ delay }) => delay);
    return {
      airport: first.destination,
      start: first.start,
      flights: delays.length,
      delay: total(delays),
      worst: largest(delays),
      p90: nearestRank(delays.map(counted), 90),
    };
  });
}

/** Cuts the flights to an airport where more than 20 minutes lie between two. */
function rushesOf(flights: readonly Flight[]): readonly Rush[] {
  return grouped(flights, ({ destination }) => destination).flatMap((all) => {
    const ordered = all.toSorted((a, b) => a.at - b.at);
    const runs: Flight[][] = [];
    for (const [index, flight] of ordered.entries()) {
      const before = ordered[index - 1];
      if (before === undefined || flight.at - before.at > 20 * MINUTE_MS) {
        runs.push([]);
      }
      runs.at(-1)?.push(flight);
    }
    return runs.map((run) => {
      const times = run.map(({ at }) => at);
      return {
        airport: run[0]?.destination ?? "",
        start: -largest(times.map((at) => -at)),
        end: largest(times) + 1,
        flights: run.length,
        farthest: largest(run.map(({ distance }) => distance)),
      };
    });
  });
}

function quartersOf(hours: readonly Hours[]): readonly Quarter[] {
  const windows = grouped(hours, (row) => `${groupOf(row)} ${startOf(hourEnd(row) - 1, QUARTER_MS)}`);
  return windows.map((rows) => ({
    group: groupOf(rows[0]),
    start: startOf(hourEnd(rows[0]) - 1, QUARTER_MS),
    flights: total(rows.map((row) => row.flights)),
    delay: total(rows.map((row) => row.delay)),
    worst: largest(rows.map((row) => row.worst)),
    median: nearestRank(
      rows.map((row) => counted(row.worst)),
      50,
    ),
    airports: [...new Set(rows.map((row) => row.airport))].toSorted(),
  }));
}

function sizesOf(rushes: readonly Rush[]): readonly Sizes[] {
  const windows = grouped(rushes, (rush) => `${sizeOf(rush.flights)} ${startOf(rush.end - 1, QUARTER_MS)}`);
  return windows.map((rows) => ({
    size: sizeOf(rows[0].flights),
    start: startOf(rows[0].end - 1, QUARTER_MS),
    rushes: rows.length,
    flights: total(rows.map((rush) => rush.flights)),
    longest: largest(rows.map((rush) => rush.end - rush.start)),
  }));
}

function grouped<A>(values: readonly A[], idOf: (value: A) => string): readonly (readonly [A, ...A[]])[] {
  const groups = new Map<string, [A, ...A[]]>();
  for (const value of values) {
    const id = idOf(value);
    const group = groups.get(id);
    if (group === undefined) {
      groups.set(id, [value]);
    } else {
      group.push(value);
    }
  }
  return [...groups.values()];
}

function sortedRows<A extends object>(
  values: readonly A[],
  keyOf: (value: A) => string,
  endOf: (value: A) => number,
): Rows {
  // A result has the last instant of its window.
  return values.map((value) => rowOf(keyOf(value), endOf(value) - 1, value)).toSorted();
}

function hourEnd({ start }: Hours): number {
  return start + 2 * HOUR_MS;
}

function quarterEnd({ start }: { readonly start: number }): number {
  return start + QUARTER_MS;
}

function startOf(ms: number, sizeMs: number): number {
  return Math.floor(ms / sizeMs) * sizeMs;
}

function nearestRank(numbers: readonly number[], p: number): number {
  return numbers.toSorted((a, b) => a - b)[Math.ceil((p * numbers.length) / 100) - 1] ?? Number.NaN;
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}

function largest(numbers: readonly number[]): number {
  return numbers.reduce((most, number) => Math.max(most, number), Number.NEGATIVE_INFINITY);
}
