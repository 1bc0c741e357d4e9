import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareUtf8 } from "../../src/kernel/utf8-order.ts";

/** The characters on both sides of every border between ranges that UTF-8 or UTF-16 treat in their own way. */
const borders = fc.constantFrom(
  ...[0x00, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xfffd, 0xffff, 0x1_0000, 0x1_03ff, 0x1_0400, 0x10_ffff].map(
    (point) => String.fromCodePoint(point),
  ),
);

/** Short, so that texts often begin alike, and one is often the beginning of the other. */
const text = fc.oneof(
  fc.string({ unit: borders, maxLength: 4 }),
  fc.string({ unit: "binary", maxLength: 4 }),
  fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 3 }),
);

describe("the order of texts", () => {
  it("is that of their bytes in UTF-8", () => {
    fc.assert(
      fc.property(text, text, text, (start, a, b) => {
        const [left, right] = [start + a, start + b];
        const expected = Buffer.compare(Buffer.from(left), Buffer.from(right));
        expect(Math.sign(compareUtf8(left, right))).toBe(expected);
      }),
      { numRuns: 2_000 },
    );
  });

  it("is not that of their UTF-16 units", () => {
    const [privateUse, train] = ["\uE000", "🚂"];
    expect(compareUtf8(privateUse, train)).toBeLessThan(0);
    expect(privateUse < train).toBe(false);
  });

  it("is total where halves of surrogate pairs are among them", () => {
    const anyText = fc.string({ unit: fc.constantFrom("a", "\uFFFF", "🚂", "\uD83D", "\uDE82"), maxLength: 4 });
    fc.assert(
      fc.property(fc.array(anyText, { maxLength: 6 }), (texts) => {
        const sorted = texts.toSorted(compareUtf8);
        for (const [n, each] of sorted.entries()) {
          const signs = sorted.map((other) => Math.sign(compareUtf8(each, other)));
          const expected = sorted.map((other, m) => (other === each ? 0 : Math.sign(n - m)));
          expect(signs).toEqual(expected);
        }
      }),
    );
  });
});
