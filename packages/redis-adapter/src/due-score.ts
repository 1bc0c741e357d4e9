/** Due times as scores of sorted sets: doubles, so that every whole number of ms up to 2^53 is kept as it is. */
import { decodeTime, encodeTime } from "./entry-codec.ts";

/** The score of a due time (ms, ±Infinity included). Throws `RangeError` for `NaN`, which no sorted set takes. */
export function scoreOf(dueMs: number): string {
  if (Number.isNaN(dueMs)) {
    throw new RangeError("A due time must be a number (ms since the epoch) or infinite, not NaN");
  }
  return encodeTime(dueMs);
}

/** The due time (ms) of a score, in any of the ways in which servers write numbers. */
export function dueOf(score: string): number {
  return decodeTime(score);
}
