import type { Interval } from "../history.ts";

/** The same times as disjoint intervals in order. */
export function union(intervals: readonly Interval[]): readonly Interval[] {
  const merged: Interval[] = [];
  for (const { fromMs, toMs } of intervals.toSorted((a, b) => a.fromMs - b.fromMs)) {
    const last = merged.at(-1);
    if (last !== undefined && fromMs <= last.toMs) {
      merged[merged.length - 1] = { fromMs: last.fromMs, toMs: Math.max(last.toMs, toMs) };
    } else if (toMs > fromMs) {
      merged.push({ fromMs, toMs });
    }
  }
  return merged;
}

/** What is in `from` and in none of `taken`. */
export function without(from: readonly Interval[], taken: readonly Interval[]): readonly Interval[] {
  let left = union(from);
  for (const { fromMs, toMs } of union(taken)) {
    left = left.flatMap((interval) =>
      [
        { fromMs: interval.fromMs, toMs: Math.min(interval.toMs, fromMs) },
        { fromMs: Math.max(interval.fromMs, toMs), toMs: interval.toMs },
      ].filter((piece) => piece.toMs > piece.fromMs),
    );
  }
  return left;
}

/** How much time the intervals take together. */
export function lengthMs(intervals: readonly Interval[]): number {
  return union(intervals).reduce((total, { fromMs, toMs }) => total + toMs - fromMs, 0);
}
