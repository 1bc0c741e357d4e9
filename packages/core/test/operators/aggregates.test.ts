import { type Aggregate, count, fold, max, mean, min, sum } from "@millrace/core";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NO_RECORD } from "../../src/topology/record.ts";

const itself = (n: number): number => n;
const numbers = fc.array(fc.integer({ min: -1_000_000, max: 1_000_000 }), { minLength: 1, maxLength: 30 });

/** The result of an aggregate over values; between two of them the state is stored and read again. */
function resultOf<A, O>(aggregate: Aggregate<A, O>, values: readonly A[]): O {
  const end = values.reduce<unknown>(
    (state, value) => aggregate.add(JSON.parse(JSON.stringify(state)), value, NO_RECORD),
    aggregate.init(),
  );
  return aggregate.out(end);
}

describe("an aggregate", () => {
  it("gives what an array would, also when its state was stored in between", () => {
    fc.assert(
      fc.property(numbers, (values) => {
        const total = values.reduce((a, b) => a + b, 0);
        expect(resultOf(count(), values)).toBe(values.length);
        expect(resultOf(sum(itself), values)).toBe(total);
        expect(resultOf(min(itself), values)).toBe(Math.min(...values));
        expect(resultOf(max(itself), values)).toBe(Math.max(...values));
        expect(resultOf(mean(itself), values)).toBe(total / values.length);
        expect(
          resultOf(
            fold<number, number[]>([], (all, n) => [...all, n]),
            values,
          ),
        ).toEqual(values);
      }),
    );
  });

  it.each([
    ["sum", sum(itself)],
    ["min", min(itself)],
    ["max", max(itself)],
    ["mean", mean(itself)],
  ])("%s takes finite numbers only", (name, aggregate) => {
    const kinds = new Map<unknown, string>([
      [Number.NaN, "NaN"],
      [Number.POSITIVE_INFINITY, "Infinity"],
      [Number.NEGATIVE_INFINITY, "-Infinity"],
      [undefined, "nothing"],
      // Not what it is: it may be a payload.
      ["7", "a string"],
      [7n, "a bigint"],
    ]);
    for (const [bad, kind] of kinds) {
      expect(() => aggregate.add(aggregate.init(), bad as number, NO_RECORD)).toThrow(
        expect.objectContaining({
          _tag: "InvalidOperator",
          message: `${name}() takes finite numbers, not ${kind}`,
        }) as Error,
      );
    }
  });

  it.each([
    ["sum", sum(itself)],
    ["mean", mean(itself)],
  ])("%s fails rather than keep what no JSON can hold", (name, aggregate) => {
    const beyond = expect.objectContaining({
      _tag: "InvalidOperator",
      message: `${name}() has gone beyond the largest number: add up a larger unit`,
    }) as Error;
    const half = aggregate.add(aggregate.init(), Number.MAX_VALUE, NO_RECORD);
    expect(() => aggregate.add(half, Number.MAX_VALUE, NO_RECORD)).toThrow(beyond);
    expect(() => aggregate.merge?.(half, half)).toThrow(beyond);
  });

  it("has a fold's own merge, the earlier state first", () => {
    const text = fold<string, string>(
      "",
      (all, more) => all + more,
      (a, b) => a + b,
    );
    expect(text.merge?.("a", "b")).toBe("ab");
  });

  it("leaves the state alone that it is given", () => {
    const before = Object.freeze([10, 2]);
    expect(mean(itself).add(before, 5, NO_RECORD)).toEqual([15, 3]);
    expect(before).toEqual([10, 2]);
  });
});
