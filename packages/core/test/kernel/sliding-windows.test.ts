import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isClosed } from "../../src/kernel/aligned-windows.ts";
import type { Added, KeyWindow } from "../../src/kernel/key-windows.ts";
import { addToSliding, slidingKeepUntil } from "../../src/kernel/sliding-windows.ts";
import {
  type Arrival,
  boundsOf,
  byBounds,
  type Indices,
  indexOps,
  type Play,
  type Played,
  play,
  punctual,
  someLate,
} from "../support/key-windows.ts";

const sizes = fc.integer({ min: 0, max: 15 });
const waits = fc.integer({ min: 0, max: 12 });

function slide(sizeMs: number, waitMs: number, more: Partial<Play> = {}): Play {
  return {
    waitMs,
    add: (windows, timestampMs, { index, isClosed: isOver }) =>
      addToSliding(windows, timestampMs, { sizeMs, isClosed: isOver }, indexOps(index)),
    isPrompt: () => true,
    isForgotten: (endMs, isOver) => isOver(slidingKeepUntil(endMs, sizeMs)),
    ...more,
  };
}

/** The definition: for each start, what lies in the window. Every set that comes once is a result. */
function setsOf(times: readonly number[], sizeMs: number): readonly string[] {
  const sets = new Set<string>();
  for (let start = -100; start <= 100; start++) {
    const held = times.flatMap((time, index) => (start <= time && time <= start + sizeMs ? [index] : []));
    if (held.length > 0) {
      sets.add(held.join());
    }
  }
  return [...sets].toSorted();
}

interface Bounds {
  readonly start: number;
  readonly end: number;
}

/** The definition with lateness, looking at all records again for each one. */
class Definition {
  readonly missed: number[] = [];
  private readonly arrivals: readonly Arrival[];
  private readonly sizeMs: number;
  private readonly waitMs: number;
  private readonly accepted: number[] = [];

  constructor(arrivals: readonly Arrival[], sizeMs: number, waitMs: number) {
    this.arrivals = arrivals;
    this.sizeMs = sizeMs;
    this.waitMs = waitMs;
    for (const index of arrivals.keys()) {
      const missed = this.windows().filter((window) => this.isIn(window, index) && !this.isOpen(window, index));
      const isOwnMissed = !this.isOpen(this.leftOf(index), index);
      const isOwnAmong = missed.some(({ start }) => start === this.leftOf(index).start);
      const isLateForAll = !this.isOpen(this.startingAt(this.timeOf(index)), index);
      this.missed.push(isLateForAll ? 1 : missed.length + (isOwnMissed && !isOwnAmong ? 1 : 0));
      if (this.callsFor(index).some((window) => this.isIn(window, index) && this.isOpen(window, index))) {
        this.accepted.push(index);
      }
    }
  }

  results(): ReadonlyMap<string, Indices> {
    return new Map(
      this.windows().map((window) => [
        boundsOf(window),
        this.accepted.filter((index) => this.isIn(window, index) && this.isOpen(window, index)),
      ]),
    );
  }

  /** The windows that are results of the accepted records: they were open when they were first called for. */
  private windows(): readonly Bounds[] {
    const byStart = new Map<number, Bounds>();
    for (const index of this.accepted) {
      const left = this.leftOf(index);
      if (this.isOpen(left, index)) {
        byStart.set(left.start, left);
      }
      const right = this.startingAt(this.timeOf(index) + 1);
      const first = this.accepted.find((other) => this.isIn(right, other));
      if (first !== undefined && this.isOpen(right, Math.max(index, first))) {
        byStart.set(right.start, right);
      }
    }
    return [...byStart.values()];
  }

  /** Its own window, and all that there may be of the records that were accepted before. */
  private callsFor(index: number): readonly Bounds[] {
    return [
      this.leftOf(index),
      ...this.accepted.flatMap((other) => [this.leftOf(other), this.startingAt(this.timeOf(other) + 1)]),
    ];
  }

  private isIn({ start, end }: Bounds, index: number): boolean {
    const time = this.timeOf(index);
    return start <= time && time < end;
  }

  private isOpen({ end }: Bounds, index: number): boolean {
    return !isClosed(end, this.waitMs, this.arrivals[index]?.watermarkMs ?? Number.NaN);
  }

  private leftOf(index: number): Bounds {
    return this.startingAt(this.timeOf(index) - this.sizeMs);
  }

  private startingAt(start: number): Bounds {
    return { start, end: start + this.sizeMs + 1 };
  }

  private timeOf(index: number): number {
    return this.arrivals[index]?.timestampMs ?? Number.NaN;
  }
}

function expectDefinition({ results, missed }: Played, definition: Definition): void {
  expect(byBounds(results)).toEqual(byBounds(definition.results()));
  expect(missed).toEqual(definition.missed);
}

describe("sliding windows", () => {
  it("are every set of records that fits into one, each once, whatever the order of arrival", () => {
    fc.assert(
      fc.property(punctual, sizes, (arrivals, sizeMs) => {
        const { results, missed } = play(arrivals, slide(sizeMs, 0));
        const sets = [...results.values()].map((indices) => indices.join());
        expect(sets.toSorted()).toEqual(
          setsOf(
            arrivals.map(({ timestampMs }) => timestampMs),
            sizeMs,
          ),
        );
        expect(missed.every((n) => n === 0)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it("are those that end at a record or begin behind one", () => {
    fc.assert(
      fc.property(punctual, sizes, (arrivals, sizeMs) => {
        expectDefinition(play(arrivals, slide(sizeMs, 0)), new Definition(arrivals, sizeMs, 0));
      }),
      { numRuns: 1_000 },
    );
  });

  it("hold what came before they were closed, each judged by itself", () => {
    fc.assert(
      fc.property(someLate, sizes, waits, (arrivals, sizeMs, waitMs) => {
        expectDefinition(play(arrivals, slide(sizeMs, waitMs)), new Definition(arrivals, sizeMs, waitMs));
      }),
      { numRuns: 5_000 },
    );
  });

  it("do so also when final ones are never forgotten", () => {
    fc.assert(
      fc.property(someLate, sizes, waits, (arrivals, sizeMs, waitMs) => {
        const played = play(arrivals, slide(sizeMs, waitMs, { isForgotten: () => false }));
        expectDefinition(played, new Definition(arrivals, sizeMs, waitMs));
      }),
      { numRuns: 2_000 },
    );
  });

  it("do so also when their results come later than they are closed", () => {
    fc.assert(
      fc.property(someLate, sizes, waits, fc.infiniteStream(fc.boolean()), (arrivals, sizeMs, waitMs, prompt) => {
        const played = play(arrivals, slide(sizeMs, waitMs, { isPrompt: () => prompt.next().value }));
        expectDefinition(played, new Definition(arrivals, sizeMs, waitMs));
      }),
      { numRuns: 3_000 },
    );
  });

  it("are kept as long as a new window may begin with them, and no longer", () => {
    const arrivals = [
      { timestampMs: 0, watermarkMs: Number.NEGATIVE_INFINITY },
      // [1, 11], right behind the first record, ends at 12 and is still open. The window of the first record ended at 1.
      { timestampMs: 3, watermarkMs: 11 },
    ];
    const definition = new Definition(arrivals, 10, 0).results();
    expect([...definition.keys()]).toEqual(["[-10, 1)", "[1, 12)"]);
    expect(play(arrivals, slide(10, 0)).results).toEqual(definition);
    const tooShort = slide(10, 0, { isForgotten: (endMs, isOver) => isOver(slidingKeepUntil(endMs, 10) - 1) });
    expect([...play(arrivals, tooShort).results.keys()]).toEqual(["[-10, 1)"]);
  });

  it("are left out of the list once they may be forgotten", () => {
    const { windows } = addToSliding([], 0, { sizeMs: 10, isClosed: () => false }, indexOps(0));
    const final = windows.map((window) => ({ ...window, isFinal: true }));
    const startsAt = (watermarkMs: number): readonly number[] =>
      addToSliding(
        final,
        50,
        { sizeMs: 10, isClosed: (end) => isClosed(end, 0, watermarkMs) },
        indexOps(1),
      ).windows.map(({ start }) => start);
    expect(startsAt(slidingKeepUntil(1, 10) - 1)).toEqual([-10, 40]);
    expect(startsAt(slidingKeepUntil(1, 10))).toEqual([40]);
  });

  it("count their changes, and are reported by start with what they hold then", () => {
    fc.assert(
      fc.property(someLate, sizes, waits, (arrivals, sizeMs, waitMs) => {
        const reported = new Map<string, KeyWindow<Indices>>();
        const take = ({ windows, changed, removed }: Added<Indices>): Added<Indices> => {
          expect(removed).toEqual([]);
          expect(changed.map(({ start }) => start)).toEqual(
            changed.map(({ start }) => start).toSorted((a, b) => a - b),
          );
          for (const window of changed) {
            expect(window.revision).toBe((reported.get(boundsOf(window))?.revision ?? 0) + 1);
            expect(windows).toContain(window);
            reported.set(boundsOf(window), window);
          }
          return { windows, changed, removed, missed: 0 };
        };
        const definition = slide(sizeMs, waitMs);
        const { results } = play(arrivals, { ...definition, add: (...args) => take(definition.add(...args)) });
        const newest = [...reported].map(([bounds, { state }]) => [bounds, state] as const);
        expect(byBounds(newest)).toEqual(byBounds(results));
      }),
      { numRuns: 1_000 },
    );
  });

  it("know the time of their newest record", () => {
    fc.assert(
      fc.property(someLate, sizes, waits, (arrivals, sizeMs, waitMs) => {
        const definition = slide(sizeMs, waitMs);
        play(arrivals, {
          ...definition,
          add: (...args) => {
            const added = definition.add(...args);
            for (const { lastMs, state } of added.windows) {
              expect(lastMs).toBe(Math.max(...state.map((index) => arrivals[index]?.timestampMs ?? Number.NaN)));
            }
            return added;
          },
        });
      }),
    );
  });

  it("leave what they are given as it is, and return it for a record that no window takes", () => {
    const open = { sizeMs: 10, isClosed: () => false };
    const { windows } = addToSliding(Object.freeze([]), 0, open, indexOps(0));
    const frozen = Object.freeze(
      windows.map((window) => Object.freeze({ ...window, state: Object.freeze(window.state) })),
    );
    expect(addToSliding(frozen, 5, open, indexOps(1)).windows).toHaveLength(3);
    const late = addToSliding(frozen, 5, { ...open, isClosed: (end) => isClosed(end, 0, 16) }, indexOps(1));
    expect(late).toEqual({ windows: frozen, changed: [], removed: [], missed: 1 });
    expect(late.windows).toBe(frozen);
    // [5, 15] would be open, but is none of the windows: those that there are, [-5, 5] and [-10, 0], are closed.
    const missed = addToSliding(frozen, 5, { ...open, isClosed: (end) => isClosed(end, 0, 15) }, indexOps(1));
    expect(missed).toEqual({ windows: frozen, changed: [], removed: [], missed: 1 });
  });
});
