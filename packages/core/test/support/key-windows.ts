import * as fc from "fast-check";
import { isClosed } from "../../src/kernel/aligned-windows.ts";
import type { Added, KeyWindow, WindowOps } from "../../src/kernel/key-windows.ts";

/** A record of one key as an operator gets it. */
export interface Arrival {
  readonly timestampMs: number;
  /** The watermark at which it is judged. */
  readonly watermarkMs: number;
}

/** Which records a window holds, by their index, ascending: the state of {@link indexOps}. */
export type Indices = readonly number[];

/** Collects the indices of records. */
export function indexOps(index: number): WindowOps<Indices> {
  return {
    init: () => [],
    add: (state) => [...state, index].toSorted((a, b) => a - b),
    merge: (a, b) => [...a, ...b].toSorted((x, y) => x - y),
  };
}

/** Few enough times that records share them, and windows their bounds. */
const timestamps = fc.array(fc.integer({ min: -30, max: 60 }), { minLength: 1, maxLength: 14 });

/** Records in any order, none of which is late. */
export const punctual: fc.Arbitrary<readonly Arrival[]> = timestamps.map((times) =>
  times.map((timestampMs) => ({ timestampMs, watermarkMs: Number.NEGATIVE_INFINITY })),
);

/** Records in any order, while the watermark follows the newest of them now and then. */
export const someLate: fc.Arbitrary<readonly Arrival[]> = fc
  .array(fc.record({ timestampMs: fc.integer({ min: -30, max: 60 }), lagMs: fc.integer({ min: 0, max: 40 }) }), {
    minLength: 1,
    maxLength: 14,
  })
  .map((steps) => {
    let newestMs = Number.NEGATIVE_INFINITY;
    let watermarkMs = Number.NEGATIVE_INFINITY;
    return steps.map(({ timestampMs, lagMs }) => {
      newestMs = Math.max(newestMs, timestampMs);
      watermarkMs = Math.max(watermarkMs, newestMs - lagMs);
      return { timestampMs, watermarkMs };
    });
  });

/** Bounds as text, to compare sets of windows. */
export const boundsOf = ({ start, end }: { readonly start: number; readonly end: number }): string =>
  `[${start}, ${end})`;

/** Results in an order of their own, to compare them. */
export function byBounds(results: Iterable<readonly [bounds: string, held: Indices]>): readonly unknown[] {
  return [...results].toSorted(([a], [b]) => (a < b ? -1 : 1));
}

/** What became of records. */
export interface Played {
  /** Final results by their bounds. */
  readonly results: ReadonlyMap<string, Indices>;
  /** For each record, how many windows it missed. */
  readonly missed: readonly number[];
}

/** What an operator does with one key. */
export interface Play {
  readonly waitMs: number;
  readonly add: (
    windows: readonly KeyWindow<Indices>[],
    timestampMs: number,
    rule: { readonly index: number; readonly isClosed: (endMs: number) => boolean },
  ) => Added<Indices>;
  /** Whether closed windows become final in front of this record, or only later. */
  readonly isPrompt: (index: number) => boolean;
  /** Whether a final window is forgotten. */
  readonly isForgotten: (endMs: number, isClosed: (endMs: number) => boolean) => boolean;
}

/** Plays records to an operator of one key, and closes all windows behind the last one. Throws when two results have the same bounds. */
export function play(arrivals: readonly Arrival[], { waitMs, add, isPrompt, isForgotten }: Play): Played {
  const results = new Map<string, Indices>();
  const missed: number[] = [];
  let windows: readonly KeyWindow<Indices>[] = [];
  const closeAt = (watermarkMs: number): void => {
    const isOver = (endMs: number): boolean => isClosed(endMs, waitMs, watermarkMs);
    for (const window of windows.filter(({ end, isFinal }) => !isFinal && isOver(end))) {
      const bounds = boundsOf(window);
      if (results.has(bounds)) {
        throw new Error(`${bounds} is final for the second time`);
      }
      results.set(bounds, window.state);
    }
    windows = windows
      .map((window) => (isOver(window.end) ? { ...window, isFinal: true } : window))
      .filter(({ end, isFinal }) => !isFinal || !isForgotten(end, isOver));
  };
  for (const [index, { timestampMs, watermarkMs }] of arrivals.entries()) {
    if (isPrompt(index)) {
      closeAt(watermarkMs);
    }
    const added = add(windows, timestampMs, { index, isClosed: (endMs) => isClosed(endMs, waitMs, watermarkMs) });
    windows = added.windows;
    missed.push(added.missed);
  }
  closeAt(Number.POSITIVE_INFINITY);
  return { results, missed };
}
