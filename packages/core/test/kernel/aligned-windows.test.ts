import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Alignment, alignedStarts, isClosed } from "../../src/kernel/aligned-windows.ts";

const MAX_TIME_MS = 8_640_000_000_000_000;
const CENTURY_MS = 100 * 366 * 86_400_000;
const timestamp = fc.oneof(
  fc.integer({ min: -MAX_TIME_MS, max: MAX_TIME_MS }),
  fc.integer({ min: -10_000, max: 10_000 }),
  fc.constantFrom(-MAX_TIME_MS, MAX_TIME_MS, 0, -0),
);
const length = fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: CENTURY_MS }));
/** At most 50 windows hold a time. */
const alignment = fc
  .record({ everyMs: length, overlap: fc.double({ min: 0.2, max: 50, noNaN: true }), offsetMs: timestamp })
  .map(({ everyMs, overlap, offsetMs }) => ({ everyMs, offsetMs, sizeMs: Math.ceil(everyMs * overlap) }));

const tumbling = (sizeMs: number, offsetMs = 0): Alignment => ({ sizeMs, everyMs: sizeMs, offsetMs });

describe("aligned windows", () => {
  it("hold the time, start at multiples from the offset, and ascend", () => {
    fc.assert(
      fc.property(timestamp, alignment, (time, windows) => {
        const starts = alignedStarts(time, windows);
        for (const start of starts) {
          // In whole numbers of any size: beyond 2^53 floating point would hide a mistake.
          const age = BigInt(time) - BigInt(start);
          expect(age >= 0n && age < BigInt(windows.sizeMs)).toBe(true);
          expect((BigInt(start) - BigInt(windows.offsetMs)) % BigInt(windows.everyMs)).toBe(0n);
          expect(Object.is(start, -0)).toBe(false);
        }
        expect(starts).toEqual([...new Set(starts)].toSorted((a, b) => a - b));
      }),
      { numRuns: 1_000 },
    );
  });

  it("are none but all that there are", () => {
    const small = fc.integer({ min: 1, max: 30 });
    const offset = fc.integer({ min: -50, max: 50 });
    fc.assert(
      fc.property(fc.integer({ min: -60, max: 60 }), small, small, offset, (time, sizeMs, everyMs, offsetMs) => {
        const all = Array.from({ length: 401 }, (_, index) => offsetMs + (index - 200) * everyMs);
        const holding = all.filter((start) => start <= time && time < start + sizeMs);
        expect(alignedStarts(time, { sizeMs, everyMs, offsetMs })).toEqual(holding);
      }),
      { numRuns: 1_000 },
    );
  });

  it("are size / every many, wherever the time is", () => {
    fc.assert(
      fc.property(timestamp, length, fc.integer({ min: 1, max: 20 }), timestamp, (time, everyMs, times, offsetMs) => {
        expect(alignedStarts(time, { sizeMs: everyMs * times, everyMs, offsetMs })).toHaveLength(times);
      }),
    );
  });

  it.each([
    [0, tumbling(10), [0]],
    [9, tumbling(10), [0]],
    [10, tumbling(10), [10]],
    [-1, tumbling(10), [-10]],
    [-10, tumbling(10), [-10]],
    [-11, tumbling(10), [-20]],
    [12, tumbling(10, 3), [3]],
    [2, tumbling(10, 3), [-7]],
    [2, tumbling(10, -57), [-7]],
    [12, { sizeMs: 10, everyMs: 4, offsetMs: 0 }, [4, 8, 12]],
    [3, { sizeMs: 10, everyMs: 5, offsetMs: 0 }, [-5, 0]],
    [7, { sizeMs: 2, everyMs: 10, offsetMs: 0 }, []],
    [MAX_TIME_MS, tumbling(1), [MAX_TIME_MS]],
    [Date.UTC(2001, 0, 31, 23, 59, 59, 999), tumbling(86_400_000), [Date.UTC(2001, 0, 31)]],
  ])("put %d into those of %o that start at %o", (time, windows, starts) => {
    expect(alignedStarts(time, windows)).toEqual(starts);
  });
});

describe("a window", () => {
  it("takes records until event time reaches its end and the wait behind it", () => {
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
      fc.property(timestamp, fc.nat(), timestamp, fc.nat(), (end, waitMs, watermark, more) => {
        fc.pre(isClosed(end, waitMs, watermark));
        expect(isClosed(end, waitMs, watermark + more)).toBe(true);
      }),
    );
  });
});
