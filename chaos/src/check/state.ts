import type { History, InputRecord, TotalRecord, Violation } from "../history.ts";
import { grouped } from "./grouped.ts";

/** **state**: every window of every group has one result, and it counts every record of the input once. */
export function checkState(history: History): readonly Violation[] {
  const { input, totals, windowMs } = history;
  const expected = grouped(input, (record) => idOf(record.group, startOf(record, windowMs)));
  const results = grouped(totals, ({ group, start }) => idOf(group, start));
  const found: Violation[] = [];
  for (const [id, of] of results) {
    const records = expected.get(id) ?? [];
    const sum = records.reduce((total, { n }) => total + n, 0);
    const wrong = of.find((total) => total.count !== records.length || total.sum !== sum);
    if (of.length > 1) {
      found.push(violation(`window ${id} has ${of.length} results`, of));
    } else if (wrong !== undefined) {
      const message = `window ${id}: counted ${wrong.count} (sum ${wrong.sum}), but there are ${records.length} (sum ${sum})`;
      found.push(violation(message, of));
    }
  }
  const missing = [...expected.keys()].filter((id) => history.incomplete === null && !results.has(id));
  return [...found, ...missing.map((id) => violation(`window ${id} has no result`, []))];
}

function startOf({ timeMs }: InputRecord, windowMs: number): number {
  return Math.floor(timeMs / windowMs) * windowMs;
}

function idOf(group: string, start: number): string {
  return `${group} from ${new Date(start).toISOString()}`;
}

function violation(message: string, totals: readonly TotalRecord[]): Violation {
  const excerpt = totals.map(
    ({ partition, offset, group, start, count, sum }) =>
      `totals/${partition} ${offset}: ${idOf(group, start)} count=${count} sum=${sum}`,
  );
  return { invariant: "state", message, excerpt };
}
