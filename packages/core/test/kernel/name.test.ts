import { isName } from "@millrace/core";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { quote } from "../../src/kernel/name.ts";
import { BAD_NAMES } from "../support/bad-names.ts";

const FIRST = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".split("");
const ALLOWED = [...FIRST, ".", "_", "-"];
const goodName = fc
  .tuple(fc.constantFrom(...FIRST), fc.array(fc.constantFrom(...ALLOWED), { maxLength: 199 }))
  .map(([first, rest]) => first + rest.join(""));

describe("the name rule", () => {
  it("accepts letters, digits, dots, underscores and dashes behind a letter or a digit", () => {
    fc.assert(
      fc.property(goodName, (name) => {
        expect(isName(name)).toBe(true);
      }),
    );
  });

  it.each(BAD_NAMES)("refuses %s", (_what, name) => {
    expect(isName(name)).toBe(false);
  });

  it("refuses any name that holds another character", () => {
    const other = fc.string({ unit: "binary", minLength: 1, maxLength: 1 }).filter((char) => !ALLOWED.includes(char));
    fc.assert(
      fc.property(goodName, other, fc.nat(), (name, char, at) => {
        const short = name.slice(0, 150);
        const position = at % (short.length + 1);
        expect(isName(short.slice(0, position) + char + short.slice(position))).toBe(false);
      }),
    );
  });

  it("counts characters up to 200", () => {
    expect([199, 200, 201].map((length) => isName("a".repeat(length)))).toEqual([true, true, false]);
  });
});

describe("a quoted name", () => {
  it.each<[unknown, string]>([
    ["a\r\nb", '"a\\r\\nb"'],
    ["", '""'],
    ["\ud800", '"\\ud800"'],
    [4, "4"],
    ["4", '"4"'],
    [undefined, "undefined"],
    [null, "null"],
    [{ secret: 1 }, "a value of type object"],
    [() => "secret", "a value of type function"],
    [Symbol("s"), "Symbol(s)"],
  ])("shows case %# without its control characters or content", (value, text) => {
    expect(quote(value)).toBe(text);
  });

  it("is short, whatever was given", () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true, withBigInt: true }), (value) => {
        expect(quote(value).length).toBeLessThan(400);
      }),
    );
    expect(quote("x".repeat(10_240))).toBe(`"${"x".repeat(57)}…"`);
  });
});
