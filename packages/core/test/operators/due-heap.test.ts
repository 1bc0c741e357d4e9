import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareUtf8 } from "../../src/kernel/utf8-order.ts";
import { DueHeap, type DueKey } from "../../src/operators/due-heap.ts";

const key = fc.constantFrom("a", "b", "B", "é", "😀", "\uFFFD", "");
const dueMs = fc.integer({ min: -3, max: 6 });

type Step =
  | { readonly kind: "move"; readonly key: string; readonly dueMs: number | null }
  | { readonly kind: "again"; readonly key: string }
  | { readonly kind: "take"; readonly untilMs: number; readonly most: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("move" as const), key, dueMs: fc.option(dueMs, { nil: null, freq: 5 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("again" as const), key }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("take" as const),
      untilMs: fc.oneof(dueMs, fc.constantFrom(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)),
      most: fc.nat({ max: 4 }),
    }),
  },
);

/** The due keys of a model, in their order. */
function dueOf(model: ReadonlyMap<string, number>, untilMs: number): readonly DueKey[] {
  return [...model]
    .filter(([, ms]) => ms <= untilMs)
    .map(([name, ms]) => ({ key: name, dueMs: ms }))
    .toSorted((a, b) => a.dueMs - b.dueMs || compareUtf8(a.key, b.key));
}

/** Plays a step on both; returns what was taken, and what should have been. */
function play(one: Step, heap: DueHeap, model: Map<string, number>): readonly (readonly DueKey[])[] {
  if (one.kind === "take") {
    const taken = heap.take(one.untilMs, one.most, (name) => model.get(name) ?? null);
    const expected = dueOf(model, one.untilMs).slice(0, one.most);
    for (const { key: name } of taken) {
      model.delete(name);
    }
    return [taken, expected];
  }
  // "again": pushed without a change. It is there twice, and comes once.
  const ms = one.kind === "again" ? model.get(one.key) : one.dueMs;
  if (typeof ms === "number") {
    model.set(one.key, ms);
    heap.push({ key: one.key, dueMs: ms });
  } else {
    model.delete(one.key);
  }
  return [];
}

describe("a heap of due times", () => {
  it("gives each key once, at the time that is true by now, in the order of time and of the key's bytes", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const heap = new DueHeap();
        const model = new Map<string, number>();
        for (const one of steps) {
          const [taken, expected] = play(one, heap, model);
          expect(taken).toEqual(expected);
          expect(heap.leastMs).toBeLessThanOrEqual(Math.min(...model.values()));
          expect(heap.size).toBeGreaterThanOrEqual(model.size);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it("is empty when all was taken, stale or not", () => {
    const heap = new DueHeap();
    for (const ms of [1, 2, 3, 2, 1]) {
      heap.push({ key: "a", dueMs: ms });
    }
    expect(heap.size).toBe(5);
    expect(heap.take(Number.POSITIVE_INFINITY, 10, () => 2)).toEqual([{ key: "a", dueMs: 2 }]);
    expect([heap.size, heap.leastMs]).toEqual([0, Number.POSITIVE_INFINITY]);
  });

  it("lets a key that is pushed between two takes of one time come at its place", () => {
    const heap = new DueHeap();
    for (const name of ["d", "b"]) {
      heap.push({ key: name, dueMs: 5 });
    }
    const isTrue = (): number => 5;
    expect(heap.take(5, 1, isTrue)).toEqual([{ key: "b", dueMs: 5 }]);
    heap.push({ key: "c", dueMs: 5 });
    heap.push({ key: "a", dueMs: 4 });
    expect(heap.take(5, 9, (name) => (name === "a" ? 4 : 5))).toEqual([
      { key: "a", dueMs: 4 },
      { key: "c", dueMs: 5 },
      { key: "d", dueMs: 5 },
    ]);
  });

  it("takes 100,000 keys of one time in portions without sorting them each time", () => {
    const heap = new DueHeap();
    const names = Array.from({ length: 100_000 }, (_, n) => String(n).padStart(6, "0"));
    for (const name of names.toReversed()) {
      heap.push({ key: name, dueMs: 1 });
    }
    const taken: string[] = [];
    const from = performance.now();
    for (let portion = heap.take(1, 500, () => 1); portion.length > 0; portion = heap.take(1, 500, () => 1)) {
      taken.push(...portion.map(({ key: name }) => name));
    }
    expect(taken).toEqual(names);
    // 200 sorts of what is left would take some 5 s.
    expect(performance.now() - from).toBeLessThan(2_000);
  });
});
