/** What every built-in aggregate keeps to, so that windows may grow together, be stored, and get their records in any order. */
import { type Aggregate, count, distinct, fold, max, mean, min, percentile, percentiles, sum } from "@millrace/core";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NO_RECORD } from "../../src/topology/record.ts";

const itself = (n: number): number => n;

/** A value of {@link distinct} for each number: of all its types. */
function mixed(n: number): string | number | boolean {
  const kinds = [n, `${n}`, n > 0, n / 8];
  return kinds[Math.abs(n) % kinds.length] ?? n;
}

/** Numbers are whole here: sums of fractions depend on their order, and say so. */
const BUILT_IN: readonly (readonly [string, Aggregate<number, unknown>])[] = [
  ["count", count()],
  ["sum", sum(itself)],
  ["min", min(itself)],
  ["max", max(itself)],
  ["mean", mean(itself)],
  ["distinct", distinct(mixed)],
  ["percentile", percentile(itself, 90)],
  ["percentiles", percentiles(itself, [1, 50, 99.9], { accuracy: 0.1 })],
  [
    "fold with merge",
    fold<number, number>(
      0,
      (a, b) => a + b,
      (a, b) => a + b,
    ),
  ],
];

const value = fc.oneof(
  fc.integer({ min: -1_000_000, max: 1_000_000 }),
  fc.integer({ min: -5, max: 5 }),
  fc.constant(-0),
);
const values = fc.array(value, { maxLength: 30 });
const some = fc.array(value, { minLength: 1, maxLength: 30 });

type Any = Aggregate<number, unknown>;

/** As it comes back from the store. Fails unless it is the same. */
function stored(state: unknown): unknown {
  const back: unknown = JSON.parse(JSON.stringify(state));
  expect(back).toStrictEqual(state);
  return back;
}

function frozen(state: unknown): unknown {
  if (typeof state === "object" && state !== null) {
    Object.values(state).forEach(frozen);
  }
  return Object.freeze(state);
}

const stateOf = (aggregate: Any, numbers: readonly number[], from: unknown = aggregate.init()): unknown =>
  numbers.reduce<unknown>((state, n) => frozen(stored(aggregate.add(state, n, NO_RECORD))), frozen(stored(from)));

const merged = (aggregate: Any, a: unknown, b: unknown): unknown => frozen(stored(aggregate.merge?.(a, b)));

describe.each(BUILT_IN)("%s", (_, aggregate) => {
  it("merges to what adding gives", () => {
    fc.assert(
      fc.property(values, some, (xs, ys) => {
        const both = merged(aggregate, stateOf(aggregate, xs), stateOf(aggregate, ys));
        expect(both).toStrictEqual(stateOf(aggregate, [...xs, ...ys]));
        expect(aggregate.out(both)).toStrictEqual(aggregate.out(stateOf(aggregate, [...xs, ...ys])));
      }),
    );
  });

  it("merges in any grouping, and with nothing to the same", () => {
    fc.assert(
      fc.property(values, values, some, (xs, ys, zs) => {
        const [x, y, z] = [stateOf(aggregate, xs), stateOf(aggregate, ys), stateOf(aggregate, zs)];
        const left = merged(aggregate, merged(aggregate, x, y), z);
        expect(merged(aggregate, x, merged(aggregate, y, z))).toStrictEqual(left);
        expect(merged(aggregate, stored(aggregate.init()), z)).toStrictEqual(z);
        expect(merged(aggregate, z, stored(aggregate.init()))).toStrictEqual(z);
      }),
    );
  });

  it("goes on from a state as from its values", () => {
    fc.assert(
      fc.property(some, values, (xs, ys) => {
        expect(stateOf(aggregate, ys, stateOf(aggregate, xs))).toStrictEqual(stateOf(aggregate, [...xs, ...ys]));
      }),
    );
  });

  it("does not depend on the order of values", () => {
    const shuffled = some.chain((xs) => fc.tuple(fc.constant(xs), fc.shuffledSubarray(xs, { minLength: xs.length })));
    fc.assert(
      fc.property(shuffled, ([xs, ys]) => {
        expect(stateOf(aggregate, ys)).toStrictEqual(stateOf(aggregate, xs));
      }),
    );
  });
});

describe("fold without merge", () => {
  it("has none", () => {
    expect("merge" in fold(0, (n: number) => n)).toBe(false);
  });
});
