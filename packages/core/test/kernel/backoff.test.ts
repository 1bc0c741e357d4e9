import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backoffMs } from "../../src/kernel/backoff.ts";

const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe("backoff", () => {
  it("waits between half and all of 20 ms, doubled for each attempt, and at most a second", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), random, (attempt, chance) => {
        const full = Math.min(1_000, 20 * 2 ** (attempt - 1));
        const ms = backoffMs(attempt, chance);
        expect(Number.isInteger(ms)).toBe(true);
        expect(ms).toBeGreaterThanOrEqual(full / 2);
        expect(ms).toBeLessThanOrEqual(full);
      }),
    );
  });

  it("spreads workers that failed together over the upper half", () => {
    expect([0, 0.25, 0.5, 0.75].map((chance) => backoffMs(7, chance))).toEqual([500, 625, 750, 875]);
  });
});
