/** What must be true of windows, whatever befalls their workers. */
import { compareUtf8 } from "@millrace/core";
import { expect } from "vitest";
import { type BatchResult, byBounds, END_OF_TIME } from "./batch-windows.ts";
import { grouped } from "./grouped.ts";
import type { Row, RowRecord, WindowOutcome } from "./window-world.ts";
import { failuresIn } from "./worker-turns.ts";

/** A result without what tells its place. */
function plain({
  key,
  start,
  end,
  of,
}: Pick<Row, "key" | "start" | "end"> & { readonly of: readonly string[] | null }) {
  return { key, start, end, of };
}

function expected({ windows }: BatchResult) {
  return windows.map(plain);
}

/** Results by their windows, each in the order in which they came. */
function byWindow(rows: readonly RowRecord[]): readonly (readonly Row[])[] {
  return grouped(
    rows.map(({ value }) => value),
    ({ key, start, end }) => `${key} ${start} ${end}`,
  );
}

/** The same windows with the same records as in the plain computation, each once. */
function finalResultsAreThoseOfTheBatch({ scenario, first, firstExpected }: WindowOutcome): void {
  if (scenario.emit === "final") {
    expect(first.map(({ value }) => plain(value)).toSorted(byBounds)).toEqual(expected(firstExpected));
  }
}

/** Of each window, the result that was told last and not taken back. */
function lastResultsAreThoseOfTheBatch({ first, firstExpected }: WindowOutcome): void {
  const last = byWindow(first).flatMap((rows) => rows.at(-1) ?? []);
  const standing = last.filter(({ of }) => of !== null);
  expect(standing.map(plain).toSorted(byBounds)).toEqual(expected(firstExpected));
}

/** No state of a window is told twice, nor behind a later one; what is taken back stays so, and was told before. */
function revisionsGrow({ scenario, first }: WindowOutcome): void {
  for (const rows of byWindow(first)) {
    const revisions = rows.map(({ revision }) => revision);
    expect(revisions).toEqual([...new Set(revisions)].toSorted((a, b) => a - b));
    expect(rows[0]?.of).not.toBeNull();
    expect(rows.slice(0, -1).map(({ of }) => of)).not.toContain(null);
    if (scenario.emit === "final") {
      expect(revisions).toEqual([1]);
    }
  }
}

/** Windows that lie where the clock puts them change with each of their records. */
function eachChangeIsARevision({ scenario, first }: WindowOutcome): void {
  const { cut } = scenario.first;
  if (scenario.emit === "final" || cut.kind === "session" || cut.kind === "sliding") {
    return;
  }
  for (const rows of byWindow(first)) {
    expect(rows.map(({ revision }) => revision)).toEqual(rows.map(({ of }) => of?.length));
    if (scenario.emit === "updates") {
      expect(rows.map(({ revision }) => revision)).toEqual(rows.map((_, index) => index + 1));
    }
  }
}

/** An idempotency key stands for one result. */
function idsAreOfOneResult({ first, second }: WindowOutcome): void {
  for (const rows of [first, second]) {
    const ids = rows.map(({ value }) => value.id);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
  }
}

/** The last instant of a window, and where it has none, the time of its last record. */
function resultsHaveTheTimeOfTheirWindow({ scenario, first, firstExpected }: WindowOutcome): void {
  const lasts = new Map(firstExpected.windows.map(({ key, lastMs }) => [key, lastMs]));
  for (const { timestamp, value } of scenario.emit === "final" ? first : []) {
    expect(timestamp).toBe(value.end === END_OF_TIME ? lasts.get(value.key) : value.end - 1);
  }
}

/** What a task closes comes by end, then by the bytes of the key. */
function resultsCloseInOrder({ scenario, first, taskOf }: WindowOutcome): void {
  if (scenario.emit !== "final") {
    return;
  }
  for (const rows of grouped(first, ({ value, partition }) => `${taskOf(value.key)} ${partition}`)) {
    const order = rows.map(({ value }) => value);
    expect(order).toEqual(order.toSorted((a, b) => a.end - b.end || compareUtf8(a.key, b.key) || a.start - b.start));
  }
}

/** Each late record is told with as many windows as it missed: once, unless what it was part of was done again. */
function lateRecordsAreTold({ scenario, told, firstExpected }: WindowOutcome): void {
  const missed = new Map([...told].map(([name, times]) => [name, [...new Set(times)]]));
  const all = [...firstExpected.missed].map(([name, windows]) => [name, [windows]] as const);
  expect(byName(missed)).toEqual(byName(new Map(all)));
  if (isCalm(scenario)) {
    expect([...told.values()].filter(({ length }) => length !== 1)).toEqual([]);
  }
}

function byName<V>(of: ReadonlyMap<string, V>): readonly (readonly [string, V])[] {
  return [...of].toSorted(([a], [b]) => Number(a) - Number(b));
}

/** Nothing makes a worker begin again. */
function isCalm({ fate }: WindowOutcome["scenario"]): boolean {
  return fate.rate === 0 && fate.turns.every(({ kind }) => kind === "start" || kind === "mend");
}

/** What no window took is in the topic of what is late, once. */
function lateValuesAreKept({ refused, firstExpected }: WindowOutcome): void {
  expect(refused.toSorted()).toEqual(firstExpected.refused.toSorted());
}

/** Windows over final results: none of those is late, and each counts once. */
function chainedResultsAreThoseOfTheBatch({ scenario, second, secondExpected }: WindowOutcome): void {
  if (scenario.emit === "final") {
    expect(second.map(({ value }) => plain(value)).toSorted(byBounds)).toEqual(expected(secondExpected));
  }
}

/** Nothing that befalls workers is a failure of an operator, and no record is lost. */
function nothingFails({ events }: WindowOutcome): void {
  expect(failuresIn(events)).toEqual([]);
}

export const INVARIANTS: readonly ((outcome: WindowOutcome) => void)[] = [
  nothingFails,
  finalResultsAreThoseOfTheBatch,
  lastResultsAreThoseOfTheBatch,
  revisionsGrow,
  eachChangeIsARevision,
  idsAreOfOneResult,
  resultsHaveTheTimeOfTheirWindow,
  resultsCloseInOrder,
  lateRecordsAreTold,
  lateValuesAreKept,
  chainedResultsAreThoseOfTheBatch,
];
