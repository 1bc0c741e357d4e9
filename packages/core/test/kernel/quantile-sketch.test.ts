import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  mergeSketches,
  type QuantileSketch,
  resolutionFor,
  sketchOf,
  valueAt,
} from "../../src/kernel/quantile-sketch.ts";

const accuracies = fc.constantFrom(0.001, 0.01, 0.05, 0.3, 0.5);
const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.double({ noNaN: true, min: -1_000, max: 1_000 }),
  fc.integer({ min: -20, max: 20 }),
  // At the ends of buckets, and of what is counted as zero.
  fc.integer({ min: -1_074, max: 1_023 }).map((exponent) => 2 ** exponent),
  fc.constantFrom(0, -0, Number.MIN_VALUE, Number.MAX_VALUE, -Number.MAX_VALUE, 2 ** -1022, -(2 ** -1023)),
);
const numbers = fc.array(number, { minLength: 1, maxLength: 60 });

const stored = (sketch: QuantileSketch): QuantileSketch => JSON.parse(JSON.stringify(sketch)) as QuantileSketch;

/** One number after another, in the order given. */
function sketchOfAll(values: readonly number[], resolution: number): QuantileSketch {
  return values
    .map((value) => sketchOf(value, resolution))
    .reduce((all, one) => mergeSketches(stored(all), one, resolution));
}

/** The same numbers in a random order, cut into parts. */
const shuffledParts = (values: readonly number[]): fc.Arbitrary<readonly (readonly number[])[]> =>
  fc
    .tuple(fc.shuffledSubarray([...values], { minLength: values.length }), fc.array(fc.nat({ max: values.length })))
    .map(([shuffled, cuts]) => {
      const bounds = [0, ...cuts.toSorted((a, b) => a - b), shuffled.length];
      return bounds.slice(1).map((end, i) => shuffled.slice(bounds[i], end));
    });

describe("a quantile sketch", () => {
  it("gives each number back within its accuracy, and with its sign", () => {
    fc.assert(
      fc.property(numbers, accuracies, (values, accuracy) => {
        const resolution = resolutionFor(accuracy);
        const sketch = sketchOfAll(values, resolution);
        const sorted = values.toSorted((a, b) => a - b);
        for (const [index, exact] of sorted.entries()) {
          const found = valueAt(sketch, index + 1, resolution);
          // A little more for the rounding of the test's own arithmetic. What is close to 0 comes out as such.
          const error = Math.abs(exact) < 2 ** -1022 ? Math.abs(found) / 2 ** -1022 - 1 : Math.abs(found / exact - 1);
          expect(error).toBeLessThanOrEqual(accuracy * (1 + 1e-9));
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("is the same whatever the order of its numbers, and however it was merged and stored", () => {
    const cut = numbers.chain((values) => fc.tuple(fc.constant(values), shuffledParts(values)));
    fc.assert(
      fc.property(cut, accuracies, ([values, parts], accuracy) => {
        const resolution = resolutionFor(accuracy);
        const sketches = parts.filter((part) => part.length > 0).map((part) => sketchOfAll(part, resolution));
        const merged = sketches.reduceRight((later, earlier) => mergeSketches(earlier, stored(later), resolution));
        expect(merged).toStrictEqual(sketchOfAll(values, resolution));
      }),
      { numRuns: 1_000 },
    );
  });

  it("survives JSON as it is", () => {
    fc.assert(
      fc.property(numbers, (values) => {
        const sketch = sketchOfAll(values, 50);
        expect(stored(sketch)).toStrictEqual(sketch);
      }),
      { numRuns: 500 },
    );
  });

  it("has each power of two at the beginning of a bucket", () => {
    for (let exponent = -1022; exponent <= 1023; exponent++) {
      expect(sketchOf(2 ** exponent, 50).positive).toEqual([exponent * 50, 1]);
    }
  });

  describe("with more different numbers than it has buckets", () => {
    // One bucket for each power of two, so 40 buckets: magnitudes from 2^0 to 2^99.
    const wide = fc.array(
      fc
        .tuple(fc.integer({ min: 0, max: 99 }), fc.boolean())
        .map(([exponent, isNegative]) => 2 ** exponent * (isNegative ? -1 : 1)),
      { minLength: 120, maxLength: 250 },
    );

    it("keeps 40 for each sign, those of the largest magnitudes, and counts everything", () => {
      fc.assert(
        fc.property(wide, (values) => {
          const { positive, negative, count } = sketchOfAll(values, 1);
          for (const [buckets, magnitudes] of [
            [positive, values.filter((value) => value > 0)],
            [negative, values.filter((value) => value < 0).map((value) => -value)],
          ] as const) {
            const exponents = [...new Set(magnitudes.map(Math.log2))].toSorted((a, b) => a - b).slice(-40);
            expect(buckets.filter((_, i) => i % 2 === 0)).toEqual(exponents);
            const counts = buckets.filter((_, i) => i % 2 === 1);
            expect(counts.reduce((a, b) => a + b, 0)).toBe(magnitudes.length);
          }
          expect(count).toBe(values.length);
        }),
        { numRuns: 200 },
      );
    });

    it("is the same whatever the order, and however it was merged", () => {
      const cut = wide.chain((values) => fc.tuple(fc.constant(values), shuffledParts(values)));
      fc.assert(
        fc.property(cut, ([values, parts]) => {
          const sketches = parts.filter((part) => part.length > 0).map((part) => sketchOfAll(part, 1));
          const merged = sketches.reduce((a, b) => mergeSketches(a, b, 1));
          expect(merged).toStrictEqual(sketchOfAll(values, 1));
        }),
        { numRuns: 200 },
      );
    });

    it("still gives the large numbers within its accuracy", () => {
      const resolution = resolutionFor(0.01);
      // One in the middle of each of 3,000 buckets. Room is for 2,000, which is 40 powers of two.
      const values = Array.from({ length: 3_000 }, (_, i) => 2 ** Math.floor(i / 50) * (1 + ((i % 50) + 0.5) / 50));
      const sketch = sketchOfAll(values, resolution);
      expect(sketch.positive.length).toBe(4_000);
      for (const [index, exact] of [...values.entries()].filter(([, value]) => value > 2 ** 20)) {
        expect(Math.abs(valueAt(sketch, index + 1, resolution) / exact - 1)).toBeLessThan(0.01);
      }
      expect(valueAt(sketch, 2, resolution)).toBeGreaterThan(2 ** 20);
    });
  });
});
