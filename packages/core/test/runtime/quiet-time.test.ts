import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { QuietTime } from "../../src/runtime/quiet-time.ts";

const NOTHING = { isEmpty: true, atEnd: true };
const LAST = { isEmpty: false, atEnd: true };
const SOME = { isEmpty: false, atEnd: false };

/** Reads that wait at the end for a second each, from `fromMs` on; returns when the last one has answered. */
function waits(quiet: QuietTime, times: number, fromMs = 0): number {
  for (let n = 0; n < times; n += 1) {
    quiet.read(NOTHING, fromMs + n * 1_000, fromMs + (n + 1) * 1_000);
  }
  return fromMs + times * 1_000;
}

describe("quiet time", () => {
  it("is what reads have waited for at the end, less the last one", () => {
    const quiet = new QuietTime(0);
    quiet.read(LAST, 0, 10);
    const seen = [quiet.ms];
    for (let n = 0; n < 4; n += 1) {
      quiet.read(NOTHING, 10 + n * 1_000, 10 + (n + 1) * 1_000);
      seen.push(quiet.ms);
    }
    expect(seen).toEqual([0, 0, 1_000, 2_000, 3_000]);
  });

  it.each([
    ["more follows", SOME],
    ["it was the last one", LAST],
  ])("begins anew with each record: %s", (_, batch) => {
    const quiet = new QuietTime(50_000);
    const nowMs = waits(quiet, 5);
    expect(quiet.ms).toBe(54_000);
    quiet.read(batch, nowMs, nowMs);
    expect(quiet.ms).toBe(0);
    waits(quiet, 3, nowMs);
    expect(quiet.ms).toBe(2_000);
  });

  it("counts neither the time between reads, nor that of reads which failed", () => {
    const quiet = new QuietTime(0);
    let nowMs = waits(quiet, 4);
    nowMs = waits(quiet, 1, nowMs + 3_600_000);
    expect(quiet.ms).toBe(4_000);
    quiet.failed();
    expect(quiet.ms).toBe(0);
    nowMs = waits(quiet, 1, nowMs + 3_600_000);
    expect(quiet.ms).toBe(4_000);
    waits(quiet, 1, nowMs);
    expect(quiet.ms).toBe(5_000);
  });

  it("is not known while the reader is closed", () => {
    const quiet = new QuietTime(0);
    waits(quiet, 4);
    quiet.read({ isEmpty: true, atEnd: false }, 4_000, 4_000);
    expect(quiet.ms).toBe(0);
  });

  it("is never negative, whatever clocks do, and grows by no more than two seconds a read", () => {
    const clockMs = fc.oneof(fc.integer(), fc.double({ noDefaultInfinity: true, noNaN: true }));
    const read = fc.record({ isEmpty: fc.boolean(), atEnd: fc.boolean(), askedMs: clockMs, nowMs: clockMs });
    fc.assert(
      fc.property(clockMs, fc.array(read, { maxLength: 20 }), (carriedMs, reads) => {
        const quiet = new QuietTime(carriedMs);
        let bound = Math.max(0, carriedMs);
        for (const { askedMs, nowMs, ...batch } of reads) {
          quiet.read(batch, askedMs, nowMs);
          bound += 2_000;
          expect(quiet.ms).toBeGreaterThanOrEqual(0);
          expect(quiet.ms).toBeLessThanOrEqual(bound);
        }
      }),
    );
  });

  it("does not count the hour by which a clock jumps forward or a process is suspended, during a read or between two", () => {
    const quiet = new QuietTime(0);
    waits(quiet, 3);
    quiet.read(NOTHING, 3_000, 3_604_000);
    waits(quiet, 1, 7_204_000);
    expect(quiet.ms).toBe(5_000);
  });

  it("stands still for the read during which a clock jumps back", () => {
    const quiet = new QuietTime(0);
    waits(quiet, 3, 3_600_000);
    quiet.read(NOTHING, 3_603_000, 4_000);
    expect(quiet.ms).toBe(3_000);
    waits(quiet, 2, 4_000);
    expect(quiet.ms).toBe(4_000);
  });
});

describe("quiet time over a restart", () => {
  it("is not known before the log was seen", () => {
    expect(new QuietTime(30_000).ms).toBe(0);
  });

  it("goes on when the first read finds nothing", () => {
    const quiet = new QuietTime(30_000);
    quiet.read(NOTHING, 0, 1_000);
    expect(quiet.ms).toBe(30_000);
    waits(quiet, 2, 1_000);
    expect(quiet.ms).toBe(32_000);
  });

  it("goes on when the end was seen before the first read has answered, and no further until reads have waited", () => {
    const quiet = new QuietTime(30_000);
    quiet.sawEnd();
    expect(quiet.ms).toBe(30_000);
    waits(quiet, 1);
    expect(quiet.ms).toBe(30_000);
  });

  it.each([
    ["with more behind it", SOME],
    ["at the end", LAST],
  ])("begins anew when the first read finds a record, %s", (_, batch) => {
    const quiet = new QuietTime(30_000);
    quiet.read(batch, 0, 0);
    expect(quiet.ms).toBe(0);
    quiet.sawEnd();
    waits(quiet, 2);
    expect(quiet.ms).toBe(1_000);
  });

  it("is believed to reads alone once a read has failed, and goes on when one finds nothing", () => {
    const quiet = new QuietTime(30_000);
    quiet.failed();
    quiet.sawEnd();
    expect(quiet.ms).toBe(0);
    waits(quiet, 1);
    expect(quiet.ms).toBe(30_000);
  });

  it("is not negative where the store's clock was put back", () => {
    const quiet = new QuietTime(-3_600_000);
    waits(quiet, 2);
    expect(quiet.ms).toBe(1_000);
  });
});
