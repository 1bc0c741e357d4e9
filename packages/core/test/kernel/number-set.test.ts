import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NumberSet } from "../../src/kernel/number-set.ts";

const textOf = (number: number): string => `t${number}`;
const empty = (): NumberSet => new NumberSet(0, "", []);
const numbers = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 });

/** The largest number such that all from 1 to it are done. */
function throughOf(done: ReadonlySet<number>): number {
  let through = 0;
  while (done.has(through + 1)) {
    through += 1;
  }
  return through;
}

/** Compares a set with a plain one of the same content. */
function expectSame(set: NumberSet, done: ReadonlySet<number>): void {
  const through = throughOf(done);
  expect(set.size).toBe(done.size);
  expect(set.through).toBe(through);
  expect(set.text).toBe(through === 0 ? "" : textOf(through));
  for (let number = 1; number <= 42; number += 1) {
    expect(set.has(number)).toBe(done.has(number));
    expect(set.textOf(number)).toBe(done.has(number) && number > through ? textOf(number) : undefined);
  }
}

describe("a set of numbers that are done about in order", () => {
  it("is a set: of what was added, whatever the order and how often", () => {
    fc.assert(
      fc.property(numbers, (added) => {
        const set = empty();
        const done = new Set<number>();
        for (const number of added) {
          set.add(number, textOf(number));
          done.add(number);
          expectSame(set, done);
        }
      }),
    );
  });

  it("says which numbers need not be kept one by one any more: each kept one, once", () => {
    fc.assert(
      fc.property(numbers, (added) => {
        const set = empty();
        const kept = new Set<number>();
        const done = new Set<number>();
        for (const number of added) {
          const before = throughOf(done);
          if (!done.has(number)) {
            kept.add(number);
          }
          done.add(number);
          const absorbed = set.add(number, textOf(number));
          expect(absorbed).toEqual(Array.from({ length: throughOf(done) - before }, (_, index) => before + 1 + index));
          for (const each of absorbed) {
            expect(kept.delete(each)).toBe(true);
          }
          expect([...kept].every((each) => each > set.through)).toBe(true);
        }
      }),
    );
  });

  it("is the same when it is made anew from what must be kept, in whatever order that comes", () => {
    fc.assert(
      fc.property(numbers, fc.integer(), (added, seed) => {
        const set = empty();
        const done = new Set(added);
        for (const number of added) {
          set.add(number, textOf(number));
        }
        const beyond = [...done].filter((number) => number > set.through);
        const shuffled = beyond.toSorted((a, b) => ((a * seed) % 7) - ((b * seed) % 7));
        const again = new NumberSet(
          set.through,
          set.text,
          shuffled.map((number) => [number, textOf(number)] as const),
        );
        expectSame(again, done);
      }),
    );
  });

  it("keeps the text of the first addition of a number", () => {
    const set = empty();
    set.add(2, "first");
    expect(set.add(2, "second")).toEqual([]);
    expect(set.textOf(2)).toBe("first");
    expect(set.add(1, "one")).toEqual([1, 2]);
    expect([set.through, set.text]).toEqual([2, "first"]);
  });

  it("takes what was left behind by an interruption between two changes: a number kept that is done through, too", () => {
    const set = new NumberSet(3, "t3", [
      [2, "t2"],
      [4, "t4"],
    ]);
    expect([set.through, set.text, set.size]).toEqual([4, "t4", 4]);
  });
});
