import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type AheadPolicy,
  isEventTime,
  judgeTimes,
  type RecordTimes,
  withTimes,
} from "../../src/kernel/record-time.ts";

const LATEST_MS = 8_640_000_000_000_000;

const eventTime = fc.integer({ min: -LATEST_MS, max: LATEST_MS });
const appended = fc.integer({ min: 0, max: LATEST_MS });
const policies = fc.record({
  byMs: fc.oneof(fc.nat({ max: 100 }), fc.maxSafeNat()),
  policy: fc.constantFrom("clamp" as const, "reject" as const, "late" as const),
});

function of(timestampMs: number, rest: Partial<RecordTimes> = {}): RecordTimes {
  return { timestampMs, watermarkMs: null, appendedMs: 1_000, ...rest };
}

describe("an event time", () => {
  it.each([0, -0, -1, LATEST_MS, -LATEST_MS])("may be %d", (timeMs) => {
    expect(isEventTime(timeMs)).toBe(true);
  });

  it.each([Number.NaN, 1.5, Infinity, -Infinity, LATEST_MS + 1, -LATEST_MS - 1, 1e18, "5", 5n, null, undefined])(
    "cannot be %s",
    (timeMs) => {
      expect(isEventTime(timeMs)).toBe(false);
    },
  );
});

describe("a record's times", () => {
  it("are its own where the topic trusts them, however far ahead they are", () => {
    fc.assert(
      fc.property(eventTime, appended, (timestampMs, appendedMs) => {
        const record = of(timestampMs, { appendedMs });
        expect(withTimes(record, judgeTimes(record, null))).toBe(record);
      }),
    );
  });

  it("are its own where a task has written it", () => {
    fc.assert(
      fc.property(
        eventTime,
        fc.oneof(fc.integer(), fc.constantFrom(Infinity, -Infinity)),
        policies,
        (at, stamp, how) => {
          const record = of(at, { watermarkMs: stamp });
          expect(withTimes(record, judgeTimes(record, how))).toBe(record);
        },
      ),
    );
  });

  it("are questioned from the first ms on that is more than the topic allows", () => {
    fc.assert(
      fc.property(
        fc.integer({ max: 1_000_000 }),
        fc.nat({ max: 1_000_000 }),
        policies,
        (diff, appendedMs, { policy }) => {
          const how: AheadPolicy = { byMs: 500_000, policy };
          const verdict = judgeTimes(of(appendedMs + diff, { appendedMs }), how);
          expect(verdict).toMatchObject(diff > 500_000 ? { kind: policy, aheadMs: diff } : { kind: "trust" });
        },
      ),
    );
  });

  it("never move event time beyond what the topic allows, whatever the policy", () => {
    fc.assert(
      fc.property(eventTime, appended, policies, (timestampMs, appendedMs, how) => {
        const record = of(timestampMs, { appendedMs });
        const verdict = judgeTimes(record, how);
        const { timestampMs: counts, watermarkMs } = withTimes(record, verdict);
        const moves = watermarkMs === null && verdict.kind !== "reject";
        expect(isEventTime(counts)).toBe(true);
        expect(moves ? counts : appendedMs).toBeLessThanOrEqual(appendedMs + how.byMs);
      }),
    );
  });

  it("are, by policy: moved to where the topic allows them, refused, or behind every window", () => {
    const by = (policy: AheadPolicy["policy"]): AheadPolicy => ({ byMs: 50, policy });
    const record = of(2_000);
    expect(withTimes(record, judgeTimes(record, by("clamp")))).toEqual({ ...record, timestampMs: 1_050 });
    expect(withTimes(record, judgeTimes(record, by("late")))).toEqual({ ...record, watermarkMs: Infinity });
    expect(withTimes(record, judgeTimes(record, by("reject")))).toBe(record);
    expect(judgeTimes(record, by("reject"))).toEqual({
      kind: "reject",
      aheadMs: 1_000,
      path: "timestamp",
      message: "is 1000 ms ahead of the time at which the record was appended; the topic allows 50 ms",
    });
  });

  it.each([
    [of(Number.NaN), "timestamp", /not NaN$/],
    [of(1.5), "timestamp", /not 1\.5$/],
    [of(-1e18), "timestamp", /not -1000000000000000000$/],
    [of(Infinity, { watermarkMs: 5 }), "timestamp", /not Infinity$/],
    [of(5, { watermarkMs: Number.NaN }), "watermark", /not NaN$/],
  ])(
    "are refused where they are none, with or without a policy, and replaced by that of the append: %o",
    (record, path, text) => {
      for (const how of [null, { byMs: 0, policy: "clamp" } as const]) {
        const verdict = judgeTimes(record, how);
        expect(verdict).toMatchObject({ kind: "invalid", path, message: expect.stringMatching(text) });
        expect(withTimes(record, verdict)).toEqual({ timestampMs: 1_000, watermarkMs: null, appendedMs: 1_000 });
      }
    },
  );
});
