/** What the topics behind the flights hold, and how it differs from what they should hold. */
import type { App, Topic } from "@millrace/core";
import { type Results, type Rows, rowOf } from "./flights-batch.ts";
import { hours, quarters, rushes, sizes } from "./flights-plan.ts";

/** Reads all results. */
export async function readResults(app: App): Promise<Results> {
  return {
    hours: await rowsIn(app, hours),
    rushes: await rowsIn(app, rushes),
    quarters: await rowsIn(app, quarters),
    sizes: await rowsIn(app, sizes),
  };
}

async function rowsIn<A extends object>(app: App, from: Topic<A>): Promise<Rows> {
  const rows: string[] = [];
  await app
    .observe(from, { from: "start", untilEnd: true })
    .forEach(({ key, timestamp, value }) => void rows.push(rowOf(key, timestamp, value)));
  return rows.toSorted();
}

/** Rows that are missing (`-`) and rows that are too many (`+`), the first few of each topic; nothing where all are equal. */
export function differences(found: Results, expected: Results): readonly string[] {
  return (["hours", "rushes", "quarters", "sizes"] as const).flatMap((name) => [
    ...beyond(expected[name], found[name]).map((row) => `- ${name} ${row}`),
    ...beyond(found[name], expected[name]).map((row) => `+ ${name} ${row}`),
  ]);
}

const MOST_SHOWN = 5;

/** Rows that the first has and the second has not, or not so often. */
function beyond(rows: Rows, others: Rows): Rows {
  const left = new Map<string, number>();
  for (const row of others) {
    left.set(row, (left.get(row) ?? 0) + 1);
  }
  const found = rows.filter((row) => {
    const count = left.get(row) ?? 0;
    left.set(row, count - 1);
    return count <= 0;
  });
  return found.length > MOST_SHOWN ? [...found.slice(0, MOST_SHOWN), `and ${found.length - MOST_SHOWN} more`] : found;
}

/** How many records all tasks process. Both pipelines read all of their input, write it to repartition topics, and read these. */
export function workOf(flightCount: number, { hours: inHours, rushes: inRushes }: Results): number {
  return 2 * (flightCount + inHours.length + inRushes.length);
}
