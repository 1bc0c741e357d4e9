import { BEFORE_FIRST, compareOffsets, entryIdOf, type Offset, offsetOf } from "@millrace/core";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

const U64_MAX = 2n ** 64n - 1n;

interface Position {
  readonly ms: bigint;
  readonly seq: bigint;
  readonly index: number;
}

/** Small numbers make equal parts likely, powers of ten other lengths, large ones the loss of a double's precision. */
const u64 = fc.oneof(
  fc.bigInt({ min: 0n, max: 12n }),
  fc.bigInt({ min: 0n, max: U64_MAX }),
  fc.bigInt({ min: 2n ** 53n - 2n, max: 2n ** 53n + 2n }),
  fc.nat({ max: 19 }).map((digits) => 10n ** BigInt(digits)),
);
const position = fc.record({ ms: u64, seq: u64, index: fc.oneof(fc.nat({ max: 12 }), fc.nat({ max: 100_000 })) });

function offset({ ms, seq, index }: Position): Offset {
  return offsetOf(`${ms}-${seq}`, index);
}

/** The order of the log, on numbers that lose nothing. */
function compareNumbers(a: Position, b: Position): number {
  const differences = [a.ms - b.ms, a.seq - b.seq, BigInt(a.index - b.index)];
  const first = differences.find((difference) => difference !== 0n) ?? 0n;
  return first < 0n ? -1 : first > 0n ? 1 : 0;
}

describe("offsets", () => {
  it("are ordered as the 64-bit numbers that they are made of", () => {
    fc.assert(
      fc.property(position, position, (a, b) => {
        expect(Math.sign(compareOffsets(offset(a), offset(b)))).toBe(compareNumbers(a, b));
      }),
      { numRuns: 1_000 },
    );
  });

  it("are ordered by sequence within a millisecond, and by index within an entry", () => {
    fc.assert(
      fc.property(position, u64, fc.nat({ max: 1_000 }), (a, seq, index) => {
        for (const b of [
          { ...a, seq },
          { ...a, index },
        ]) {
          expect(Math.sign(compareOffsets(offset(a), offset(b)))).toBe(compareNumbers(a, b));
        }
      }),
    );
  });

  it("sort into one order, however they were mixed", () => {
    fc.assert(
      fc.property(fc.array(position), (positions) => {
        const sorted = positions.map(offset).toSorted(compareOffsets);
        const forwards = positions.toSorted(compareNumbers).map(offset);
        expect(sorted).toEqual(forwards);
        expect(positions.map(offset).toReversed().toSorted(compareOffsets)).toEqual(forwards);
      }),
    );
  });

  it("give back the entry id that they were made of", () => {
    fc.assert(
      fc.property(position, ({ ms, seq, index }) => {
        expect(entryIdOf(offsetOf(`${ms}-${seq}`, index))).toBe(`${ms}-${seq}`);
      }),
    );
  });

  it("are written as entry id, slash and index", () => {
    expect(offsetOf("1700000000000-3", 12)).toBe("1700000000000-3/12");
  });

  it("never lie before the beginning", () => {
    fc.assert(
      fc.property(position, (a) => {
        expect(compareOffsets(BEFORE_FIRST, offset(a))).toBeLessThanOrEqual(0);
      }),
    );
    // The smallest id that a stream can hold.
    expect(compareOffsets(BEFORE_FIRST, offsetOf("0-1", 0))).toBeLessThan(0);
  });
});
