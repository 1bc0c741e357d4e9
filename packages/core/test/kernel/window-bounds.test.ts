import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isClosed, tumblingStart } from "../../src/kernel/window-bounds.ts";

const MAX_TIME_MS = 8_640_000_000_000_000;
const timestamp = fc.oneof(
  fc.integer({ min: -MAX_TIME_MS, max: MAX_TIME_MS }),
  fc.integer({ min: -10_000, max: 10_000 }),
);
const size = fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 100 * 366 * 86_400_000 }));

describe("tumbling windows", () => {
  it("hold their records: start <= time < start + size", () => {
    fc.assert(
      fc.property(timestamp, size, (time, sizeMs) => {
        const start = tumblingStart(time, sizeMs);
        expect(start).toBeLessThanOrEqual(time);
        expect(time).toBeLessThan(start + sizeMs);
      }),
      { numRuns: 1_000 },
    );
  });

  it("start at multiples of their size since the epoch", () => {
    fc.assert(
      fc.property(timestamp, size, (time, sizeMs) => {
        expect(BigInt(tumblingStart(time, sizeMs)) % BigInt(sizeMs)).toBe(0n);
      }),
      { numRuns: 1_000 },
    );
  });

  it.each([
    [0, 10, 0],
    [9, 10, 0],
    [10, 10, 10],
    [-1, 10, -10],
    [-10, 10, -10],
    [-11, 10, -20],
    [MAX_TIME_MS, 1, MAX_TIME_MS],
    [Date.UTC(2001, 0, 31, 23, 59, 59, 999), 86_400_000, Date.UTC(2001, 0, 31)],
  ])("put %d into the window of %d ms that starts at %d", (time, sizeMs, start) => {
    expect(tumblingStart(time, sizeMs)).toBe(start);
  });
});

describe("a window", () => {
  it("takes records until event time reaches its end and the grace behind it", () => {
    expect(isClosed(1_000, 50, 1_049)).toBe(false);
    expect(isClosed(1_000, 50, 1_050)).toBe(true);
    expect(isClosed(1_000, 0, 999)).toBe(false);
    expect(isClosed(1_000, 0, 1_000)).toBe(true);
  });

  it("is open before any event time is known, and closed behind all of it", () => {
    expect(isClosed(-MAX_TIME_MS, 0, Number.NEGATIVE_INFINITY)).toBe(false);
    expect(isClosed(MAX_TIME_MS, Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY)).toBe(true);
  });

  it("stays closed once it is closed", () => {
    fc.assert(
      fc.property(timestamp, fc.nat(), timestamp, fc.nat(), (end, grace, watermark, more) => {
        fc.pre(isClosed(end, grace, watermark));
        expect(isClosed(end, grace, watermark + more)).toBe(true);
      }),
    );
  });
});
