import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type NumberRange, NumberRanges } from "../../src/kernel/number-ranges.ts";

const textOf = (number: number): string => `t${number}`;
const numbers = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 });

/** The ranges of a plain set. */
function rangesOf(done: ReadonlySet<number>): NumberRange[] {
  const ranges: NumberRange[] = [];
  for (const number of [...done].toSorted((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last?.to === number - 1) {
      ranges[ranges.length - 1] = { from: last.from, to: number, text: textOf(number) };
    } else {
      ranges.push({ from: number, to: number, text: textOf(number) });
    }
  }
  return ranges;
}

function expectSame(ranges: NumberRanges, done: ReadonlySet<number>): void {
  expect(ranges.size).toBe(done.size);
  expect(ranges.first).toEqual(rangesOf(done).find(({ from }) => from === 1) ?? null);
  for (let number = 0; number <= 42; number += 1) {
    expect(ranges.has(number)).toBe(done.has(number));
  }
}

describe("ranges of numbers", () => {
  it("are a set: of what was added, whatever the order and how often", () => {
    fc.assert(
      fc.property(numbers, (added) => {
        const ranges = new NumberRanges([]);
        const done = new Set<number>();
        for (const number of added) {
          expect(ranges.add(number, textOf(number)) === null).toBe(done.has(number));
          done.add(number);
          expectSame(ranges, done);
        }
      }),
    );
  });

  it("say what changes, so that whoever writes that down has the ranges, and can make them anew in any order", () => {
    fc.assert(
      fc.property(numbers, fc.nat(), (added, seed) => {
        const ranges = new NumberRanges([]);
        const stored = new Map<number, NumberRange>();
        for (const number of added) {
          const change = ranges.add(number, textOf(number));
          for (const from of change?.removed ?? []) {
            expect(stored.delete(from)).toBe(true);
          }
          if (change !== null) {
            stored.set(change.range.from, change.range);
          }
        }
        const done = new Set(added);
        expect([...stored.values()].toSorted((a, b) => a.from - b.from)).toEqual(rangesOf(done));
        const shuffled = [...stored.values()].toSorted((a, b) => ((a.from * seed) % 7) - ((b.from * seed) % 7));
        expectSame(new NumberRanges(shuffled), done);
      }),
    );
  });

  it("stay few when numbers are done in order, also behind one that is not", () => {
    const ranges = new NumberRanges([]);
    const stored = new Set<number>();
    for (let number = 2; number <= 10_000; number += 1) {
      const change = ranges.add(number, textOf(number));
      stored.add(change?.range.from ?? 0);
    }
    expect([...stored]).toEqual([2]);
    expect(ranges.first).toBeNull();
    expect(ranges.add(1, "t1")).toEqual({ removed: [2], range: { from: 1, to: 10_000, text: "t10000" } });
  });
});
