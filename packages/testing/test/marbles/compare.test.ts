import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareExactly, comparePerKey, compareValues, type SeenEvent } from "../../src/marbles/compare.ts";
import type { MarbleEvent } from "../../src/marbles/diagram.ts";

/** Events in columns, of few letters, so that there are repeats. */
const row = fc
  .array(fc.record({ column: fc.nat(12), symbol: fc.constantFrom("a", "b", "c", "d") }), { maxLength: 12 })
  .map((events) => events.toSorted((one, other) => one.column - other.column));

/** `"ab-c"`: one character a column. */
function drawn(text: string): readonly MarbleEvent[] {
  return text.split("").flatMap((symbol, column) => (symbol === "-" ? [] : [{ column, symbol }]));
}

/** Values whose key is their letter's alphabet: capital or not. */
function seen(text: string): readonly SeenEvent[] {
  return drawn(text).map((event) => ({ ...event, key: event.symbol < "a" ? "capital" : "small" }));
}

describe("exactly", () => {
  const one = { isMerged: false };

  it("is fulfilled by what is drawn, and by nothing else", () => {
    fc.assert(
      fc.property(row, row, (expected, actual) => {
        const isSame = JSON.stringify(expected) === JSON.stringify(actual);
        expect(compareExactly(expected, actual, one) === null).toBe(isSame);
        expect(compareExactly(expected, expected, one)).toBeNull();
      }),
    );
  });

  it("says what differs in the first column that does", () => {
    expect(compareExactly(drawn("-ab-c"), drawn("-abc"), one)).toEqual({
      column: 3,
      message: 'nothing was drawn, "c" came',
    });
    expect(compareExactly(drawn("-ab-c"), drawn("-ab-d"), one)).toEqual({
      column: 4,
      message: '"c" was drawn, "d" came',
    });
    const both = [...drawn("a"), ...drawn("b")];
    expect(compareExactly(both, [], one)?.message).toBe('"a", "b" were drawn, nothing came');
  });

  it("does not look at the order within a column of rows about several partitions, which have none", () => {
    const [ab, ba] = [
      [...drawn("a"), ...drawn("b")],
      [...drawn("b"), ...drawn("a")],
    ];
    expect(compareExactly(ab, ba, one)?.message).toBe('"a", "b" were drawn, "b", "a" came');
    expect(compareExactly(ab, ba, { isMerged: true })).toBeNull();
  });
});

describe("at least once", () => {
  it("takes repeats and other times, and finds whatever is lost", () => {
    fc.assert(
      fc.property(row, fc.array(fc.nat(20)), fc.func(fc.nat(30)), (expected, repeats, columnOf) => {
        const again = repeats.flatMap((index) => expected.slice(index, index + 1));
        const actual = [...expected, ...again]
          .map((event, index) => ({ ...event, column: columnOf(index) }))
          .toSorted((a, b) => a.column - b.column);
        expect(compareValues(expected, actual, "legal")).toBeNull();
        for (const { symbol } of expected) {
          const without = actual.filter((event) => event.symbol !== symbol);
          expect(compareValues(expected, without, "legal")?.message).toMatch(/never came|which is not drawn/);
        }
      }),
    );
  });

  it("finds what came and was not drawn, and what was drawn more often than it came", () => {
    expect(compareValues(drawn("ab"), drawn("abx"), "legal")).toEqual({
      column: 2,
      message: '"x" came, which is not drawn',
    });
    expect(compareValues(drawn("aab"), drawn("ab"), "legal")).toEqual({
      column: 0,
      message: '"a" is drawn more often than it came',
    });
    expect(compareValues(drawn("ab-c"), drawn("ab"), "legal")).toEqual({ column: 3, message: '"c" never came' });
    expect(compareValues(drawn("ab"), drawn("aba"), "illegal")).toEqual({
      column: 2,
      message: '"a" came more often than it is drawn',
    });
  });
});

describe("per key", () => {
  it("takes every interleaving of keys, and no other order within one", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray("abcdABCD".split(""), { minLength: 2 }), (order) => {
        const actual = seen(order.join(""));
        const inOrder = order.toSorted();
        const isOrdered = (kind: RegExp): boolean => {
          const own = order.filter((letter) => kind.test(letter));
          return own.join("") === own.toSorted().join("");
        };
        const difference = comparePerKey(drawn(inOrder.join("")), actual, "illegal");
        expect(difference === null).toBe(isOrdered(/[a-z]/) && isOrdered(/[A-Z]/));
      }),
    );
  });

  it("says which key came in which order", () => {
    expect(comparePerKey(drawn("aAbB"), seen("bAaB"), "illegal")).toEqual({
      column: 0,
      message: 'the values of the key "small" came as ba, and are drawn as ab',
    });
  });

  it("counts a value where it came first, where repeats are legal", () => {
    expect(comparePerKey(drawn("abc"), seen("abaabc"), "legal")).toBeNull();
    expect(comparePerKey(drawn("abc"), seen("abab-c"), "illegal")?.message).toBe(
      '"a" came more often than it is drawn',
    );
    expect(comparePerKey(drawn("abc"), seen("acab"), "legal")?.message).toContain("came as acb, and are drawn as abc");
  });

  it("judges no order of a letter that stands for values of several keys", () => {
    const actual = [
      { column: 0, symbol: "a", key: "1" },
      { column: 1, symbol: "a", key: "2" },
    ];
    expect(comparePerKey(drawn("aa"), actual, "illegal")?.message).toContain("stands for values of several keys");
  });
});
