import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DueIndex } from "../src/memory/due-index.ts";

/** So many keys that they take several chunks, and many are due at once. */
const KEYS = 4_000;
const TIMES = 300;

const anyChange = fc.record({
  from: fc.nat(KEYS),
  count: fc.integer({ min: 1, max: 1_500 }),
  /** Between neighbours. */
  stride: fc.constantFrom(1, 2, 7, 401),
  dueMs: fc.option(fc.nat(TIMES), { freq: 3 }),
});

const anyRange = fc.record({
  fromMs: fc.integer({ min: -1, max: TIMES + 1 }),
  untilMs: fc.integer({ min: -1, max: TIMES + 1 }),
  limit: fc.integer({ min: 1, max: 2_000 }),
});

type Change = typeof anyChange extends fc.Arbitrary<infer C> ? C : never;

/** One after the other, the keys that a change sets, with their due times. */
function* settingsOf({ from, count, stride, dueMs }: Change): Iterable<readonly [key: string, dueMs: number | null]> {
  for (let n = 0; n < count; n += 1) {
    yield [`${(from + n * stride) % KEYS}`, dueMs === null ? null : (dueMs + n * stride) % TIMES];
  }
}

/** The keys that have a due time in the end, in order. */
function modelOf(changes: readonly Change[]): readonly { readonly key: string; readonly dueMs: number }[] {
  const last = new Map(changes.flatMap((change) => [...settingsOf(change)]));
  return [...last]
    .flatMap(([key, dueMs]) => (dueMs === null ? [] : [{ key, dueMs }]))
    .toSorted((a, b) => a.dueMs - b.dueMs || (a.key < b.key ? -1 : 1));
}

describe("the due times of a store in memory", () => {
  it("are in order whatever was put and taken away", () => {
    const anyRanges = fc.array(anyRange, { minLength: 3 });
    fc.assert(
      fc.property(fc.array(anyChange, { maxLength: 12 }), anyRanges, (changes, ranges) => {
        const index = new DueIndex();
        for (const [key, dueMs] of changes.flatMap((change) => [...settingsOf(change)])) {
          index.set(key, dueMs);
        }
        const sorted = modelOf(changes);
        for (const range of ranges) {
          const behind = sorted.filter(({ dueMs }) => dueMs >= range.fromMs);
          const dues = behind.filter(({ dueMs }) => dueMs <= range.untilMs).slice(0, range.limit);
          expect(index.page(range)).toEqual({ dues, nextMs: behind[dues.length]?.dueMs ?? null });
        }
      }),
      { numRuns: 60 },
    );
  });
});
