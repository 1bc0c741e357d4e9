import { describe, expect, it } from "vitest";
import { dueOf, scoreOf } from "../src/due-score.ts";

describe("a due time as a score", () => {
  it.each([0, -1, 1_700_000_000_123, 8.64e15, -8.64e15, Number.MAX_SAFE_INTEGER, 0.5, 1e21, Infinity, -Infinity])(
    "comes back as it was: %d",
    (dueMs) => {
      expect(dueOf(scoreOf(dueMs))).toBe(dueMs);
    },
  );

  it.each([
    ["8640000000000000", 8.64e15],
    ["8.64e+15", 8.64e15],
    ["1e+15", 1e15],
    ["-1.7e+12", -1.7e12],
    ["inf", Infinity],
    ["-inf", -Infinity],
  ])("is read as servers write it: %s", (score, dueMs) => {
    expect(dueOf(score)).toBe(dueMs);
  });

  it("is refused where it is no number", () => {
    expect(() => scoreOf(Number.NaN)).toThrow(RangeError);
  });
});
