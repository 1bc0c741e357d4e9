import { parseDuration } from "@millrace/core";
import * as fc from "fast-check";
import * as E from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";

const MS_OF = { ms: 1, s: 1_000, min: 60_000, minutes: 60_000, h: 3_600_000, hours: 3_600_000, d: 86_400_000 };
const unit = fc.constantFrom(...Object.entries(MS_OF));

describe("parseDuration", () => {
  it.each([
    ["0 s", 0],
    ["250 ms", 250],
    ["250ms", 250],
    ["10 s", 10_000],
    ["1 second", 1_000],
    ["2 seconds", 2_000],
    ["5 min", 300_000],
    ["1 minute", 60_000],
    ["2h", 7_200_000],
    ["1 hour", 3_600_000],
    ["36 hours", 129_600_000],
    ["1 day", 86_400_000],
    ["7 days", 604_800_000],
    ["3d", 259_200_000],
    ["0.5 s", 500],
    ["1.5 minutes", 90_000],
    // In floating point none of these is a whole number of milliseconds.
    ["16.1 s", 16_100],
    ["1.005 s", 1_005],
    ["1.001 h", 3_603_600],
    ["0.7 days", 60_480_000],
    ["9007199254740991 ms", Number.MAX_SAFE_INTEGER],
  ])("reads %j as %d ms", (text, ms) => {
    expect(parseDuration(text)).toEqual(E.right(ms));
  });

  it("reads whole numbers of any unit, with or without a space", () => {
    fc.assert(
      fc.property(fc.nat({ max: 100_000 }), unit, fc.constantFrom("", " "), (n, [name, ms], space) => {
        expect(parseDuration(`${n}${space}${name}`)).toEqual(E.right(n * ms));
      }),
    );
  });

  it("reads every number of milliseconds written as seconds with three digits", () => {
    fc.assert(
      fc.property(fc.nat(), (ms) => {
        const seconds = `${Math.floor(ms / 1_000)}.${String(ms % 1_000).padStart(3, "0")}`;
        expect(parseDuration(`${seconds} s`)).toEqual(E.right(ms));
      }),
    );
  });

  it.each<unknown>([
    "",
    " ",
    "s",
    "10",
    "-1 s",
    "+1 s",
    "1 S",
    "1 week",
    "1 m",
    "1  s",
    " 1 s",
    "1 s ",
    "1 s\n",
    "1,5 s",
    "1. s",
    ".5 s",
    "1e3 s",
    "0x10 s",
    "NaN s",
    "Infinity s",
    "1 s 500 ms",
    "1 constructor",
    "1 __proto__",
    `${"9".repeat(100_000)} s`,
    10,
    10n,
    Number.NaN,
    null,
    undefined,
    true,
    {},
    Object.create(null),
    ["1 s"],
    Symbol("1 s"),
    () => "1 s",
  ])("refuses what is no duration (case %#)", (text) => {
    const parsed = parseDuration(text);
    expect(parsed).toMatchObject({ _tag: "Left", left: { _tag: "InvalidDuration" } });
    const message = E.isLeft(parsed) ? parsed.left.message : "";
    expect(message).toContain("is not a duration: write a number and a unit");
    expect(message.length).toBeLessThan(250);
  });

  it.each(["1.5 ms", "0.0001 s", "9007199254740992 ms", "99999999999999999999 d", "300000000 days"])(
    "refuses %j, which is not a whole number of milliseconds or too large a one",
    (text) => {
      expect(parseDuration(text)).toMatchObject({
        _tag: "Left",
        left: { message: expect.stringContaining("is not a whole number of milliseconds") as string },
      });
    },
  );

  it("names the text that it refused", () => {
    expect(parseDuration("10 parsecs")).toMatchObject({
      left: { message: expect.stringMatching(/^"10 parsecs" is not a duration/) as string },
    });
  });
});
