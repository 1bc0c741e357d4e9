import { type Aggregate, percentile, percentiles } from "@millrace/core";
import * as fc from "fast-check";
import { describe, expect, expectTypeOf, it } from "vitest";
import { NO_RECORD } from "../../src/topology/record.ts";

const itself = (n: number): number => n;

function resultOf<O>(aggregate: Aggregate<number, O>, values: readonly number[]): O {
  return aggregate.out(
    values.reduce<unknown>((state, value) => aggregate.add(state, value, NO_RECORD), aggregate.init()),
  );
}

/** Nearest rank, in whole numbers: `p` is `parts` millionths of the whole. */
function exactly(values: readonly number[], parts: number): number {
  const rank = (BigInt(parts) * BigInt(values.length) + 999_999n) / 1_000_000n;
  return values.toSorted((a, b) => a - b)[Number(rank) - 1] ?? Number.NaN;
}

const invalid = (message: string): Error =>
  expect.objectContaining({ _tag: "InvalidOption", message: expect.stringContaining(message) as string }) as Error;

describe("percentile", () => {
  it("is within its accuracy of the number with the nearest rank", () => {
    const number = fc.oneof(
      fc.integer({ min: -100, max: 100 }),
      fc.double({ min: -1e9, max: 1e9, noNaN: true }),
      fc.double({ min: 1e-9, max: 1, noNaN: true }),
    );
    fc.assert(
      fc.property(
        fc.array(number, { minLength: 1, maxLength: 80 }),
        fc.oneof(
          fc.integer({ min: 1, max: 1_000_000 }),
          fc.integer({ min: 1, max: 1_000 }).map((n) => n * 1_000),
        ),
        fc.constantFrom(0.001, 0.01, 0.2),
        (values, parts, accuracy) => {
          const exact = exactly(values, parts);
          const found = resultOf(percentile(itself, parts / 10_000, { accuracy }), values);
          expect(Math.abs(found - exact)).toBeLessThanOrEqual(Math.abs(exact) * accuracy * (1 + 1e-9) + 2 ** -1022);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it("is within 1 % where nothing else is said", () => {
    const values = Array.from({ length: 10_000 }, (_, i) => (i + 1) ** 2);
    for (const p of [0.01, 1, 25, 50, 75, 90, 99, 99.9, 99.99]) {
      const exact = exactly(values, p * 10_000);
      expect(Math.abs(resultOf(percentile(itself, p), values) / exact - 1)).toBeLessThanOrEqual(0.01);
    }
  });

  it("is exact for one value, and at 100", () => {
    expect(resultOf(percentile(itself, 37), [123.456])).toBe(123.456);
    expect(resultOf(percentile(itself, 100), [3, 1_234.5, -7])).toBe(1_234.5);
    expect(resultOf(percentile(itself, 0.1), [3, 1_234.5, -7])).toBe(-7);
    expect(resultOf(percentile(itself, 50), [-0])).toBe(0);
  });

  // 64.4 * 250 / 100 is more than 161 in floating point; the rank is 161 all the same.
  it.each([
    [7, 100, 7],
    [64.4, 250, 161],
    [8.8, 375, 33],
    [1.12, 625, 7],
    [99.9, 1_000, 999],
    [99.99, 10_000, 9_999],
    [33.3, 1_000, 333],
    [50, 5, 3],
    [50, 4, 2],
  ])("%d of %d numbers is the one with rank %d", (p, many, rank) => {
    const values = Array.from({ length: many }, (_, i) => Math.sign(i + 1 - rank) + 2);
    expect(resultOf(percentile(itself, p), values)).toBeCloseTo(2, 1);
  });

  it.each([0, -1, 100.1, Number.NaN, Number.POSITIVE_INFINITY])("refuses p = %s", (p) => {
    expect(() => percentile(itself, p)).toThrow(invalid(`percentile: a percentile must be > 0 and <= 100, not ${p}`));
    expect(() => percentiles(itself, [50, p])).toThrow(invalid(`percentiles: a percentile must be`));
  });

  it.each([0, 0.000_9, 0.51, 1, Number.NaN])("refuses an accuracy of %s", (accuracy) => {
    expect(() => percentile(itself, 50, { accuracy })).toThrow(
      invalid(`percentile: accuracy must be from 0.001 to 0.5, not ${accuracy}`),
    );
  });

  it("refuses options that it does not have, and what is no function", () => {
    expect(() => percentile(itself, 50, { error: 0.1 } as object)).toThrow(invalid('there is no option "error"'));
    expect(() => percentile("ms" as never, 50)).toThrow(invalid("percentile must be a function, not a string"));
  });

  it.each([
    [Number.NaN, "NaN"],
    [Number.POSITIVE_INFINITY, "Infinity"],
    [Number.NEGATIVE_INFINITY, "-Infinity"],
    [undefined, "nothing"],
    ["7", "a string"],
  ])("takes finite numbers only, not %s", (bad, kind) => {
    for (const [name, aggregate] of [
      ["percentile", percentile(itself, 50)],
      ["percentiles", percentiles(itself, [50])],
    ] as const) {
      expect(() => aggregate.add(aggregate.init(), bad as number, NO_RECORD)).toThrow(
        expect.objectContaining({
          _tag: "InvalidOperator",
          message: `${name}() takes finite numbers, not ${kind}`,
        }) as Error,
      );
    }
  });

  it("says in its name how what is stored was made: states of another accuracy cannot be read", () => {
    expect(percentile(itself, 50).name).toBe("percentiles within 0.01");
    expect(percentiles(itself, [50, 99]).name).toBe("percentiles within 0.01");
    expect(percentile(itself, 50, { accuracy: 0.05 }).name).toBe("percentiles within 0.05");
  });
});

describe("percentiles", () => {
  it("are named by their numbers, in the type too, and are what each one is by itself", () => {
    const values = Array.from({ length: 999 }, (_, i) => i * 3);
    const result = resultOf(percentiles(itself, [50, 95, 99.9]), values);
    expectTypeOf(result).toEqualTypeOf<{ readonly p50: number; readonly p95: number; readonly p99_9: number }>();
    expect(result).toEqual({
      p50: resultOf(percentile(itself, 50), values),
      p95: resultOf(percentile(itself, 95), values),
      p99_9: resultOf(percentile(itself, 99.9), values),
    });
  });

  it("may be a list that is known only when the program runs", () => {
    const asked: readonly number[] = [10, 20];
    const result = resultOf(percentiles(itself, asked), [1]);
    expectTypeOf(result).toEqualTypeOf<{ readonly [name: string]: number }>();
    expect(result).toEqual({ p10: 1, p20: 1 });
  });

  it("refuse an empty list", () => {
    expect(() => percentiles(itself, [])).toThrow(invalid("percentiles: name at least one percentile"));
  });
});
