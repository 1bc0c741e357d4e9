/**
 * What the times of a record count for. Decided by the record, by the policy of its topic and by the time at which the store
 * appended it: by the log alone, so that every reader decides alike, at every attempt (T4, T5).
 */

/** Largest event time (ms) either side of the epoch, as of `Date`. */
const MAX_TIME_MS = 8_640_000_000_000_000;

/** Whether it is an event time: a whole number of ms since the Unix epoch that a `Date` can hold. */
export function isEventTime(timeMs: unknown): timeMs is number {
  return typeof timeMs === "number" && Number.isInteger(timeMs) && Math.abs(timeMs) <= MAX_TIME_MS;
}

/** What becomes of records that are ahead of time. */
export interface AheadPolicy {
  /** How far (ms, >= 0) the event time of a producer's record may be ahead of the time at which it was appended. */
  readonly byMs: number;
  readonly policy: "clamp" | "reject" | "late";
}

/** The times of a record, as they lie in the log. */
export interface RecordTimes {
  readonly timestampMs: number;
  /** `null` for a record of a producer. */
  readonly watermarkMs: number | null;
  /** When the record was appended, by the store's clock. */
  readonly appendedMs: number;
}

/** What is to be done with a record because of its times. `aheadMs`: how far its event time is ahead of its append. */
export type TimeVerdict =
  | { readonly kind: "trust" }
  /** It is no event time, or no watermark. */
  | { readonly kind: "invalid"; readonly path: "timestamp" | "watermark"; readonly message: string }
  | { readonly kind: "clamp"; readonly aheadMs: number; readonly timestampMs: number }
  | { readonly kind: "reject"; readonly aheadMs: number; readonly path: "timestamp"; readonly message: string }
  | { readonly kind: "late"; readonly aheadMs: number };

const TRUST: TimeVerdict = Object.freeze({ kind: "trust" });

/** Judges the times of a record. Records of tasks, which have a watermark, are never ahead of time; nor is any without a policy. */
export function judgeTimes(record: RecordTimes, ahead: AheadPolicy | null): TimeVerdict {
  const { timestampMs, watermarkMs, appendedMs } = record;
  if (!isEventTime(timestampMs)) {
    const message = `must be a whole number of ms since 1970 that a Date can hold, not ${record.timestampMs}`;
    return { kind: "invalid", path: "timestamp", message };
  }
  if (Number.isNaN(watermarkMs)) {
    return { kind: "invalid", path: "watermark", message: "must be a number of ms or infinite, not NaN" };
  }
  if (ahead === null || watermarkMs !== null || timestampMs <= appendedMs + ahead.byMs) {
    return TRUST;
  }
  const { byMs } = ahead;
  const aheadMs = timestampMs - appendedMs;
  switch (ahead.policy) {
    case "clamp":
      return { kind: "clamp", aheadMs, timestampMs: appendedMs + byMs };
    case "reject": {
      const message = `is ${aheadMs} ms ahead of the time at which the record was appended; the topic allows ${byMs} ms`;
      return { kind: "reject", aheadMs, path: "timestamp", message };
    }
    case "late":
      return { kind: "late", aheadMs };
  }
}

/** The record with the times that count by the verdict; the record itself where they are its own. */
export function withTimes<R extends RecordTimes>(record: R, verdict: TimeVerdict): R {
  switch (verdict.kind) {
    case "trust":
    case "reject":
      return record;
    case "invalid":
      return { ...record, timestampMs: record.appendedMs, watermarkMs: null };
    case "clamp":
      return { ...record, timestampMs: verdict.timestampMs };
    case "late":
      return { ...record, watermarkMs: Number.POSITIVE_INFINITY };
  }
}
