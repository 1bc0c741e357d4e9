import * as E from "fp-ts/lib/Either.js";
import { MillraceError } from "../errors.ts";
import type { Alignment } from "../kernel/aligned-windows.ts";
import { type Duration, parseDuration } from "../kernel/duration.ts";
import { quote } from "../kernel/name.ts";

/** Largest event time (ms) either side of the epoch, as of `Date`. */
const MAX_TIME_MS = 8_640_000_000_000_000;

/** The most windows that one record can be in: each of them is a write. */
const MAX_WINDOWS_OF_RECORD = 1_000;

/** Windows that lie where the clock puts them, as `tumbling`, `hopping` and `unlimited` make them. */
export type AlignedSpec =
  | (Alignment & {
      readonly kind: "tumbling" | "hopping";
      /** As it was written. */
      readonly text: string;
    })
  | { readonly kind: "unlimited"; readonly fromMs: number; readonly text: string };

/** Windows for each distinct set of records, as `sliding` makes them. */
export interface SlidingSpec {
  readonly kind: "sliding";
  readonly sizeMs: number;
  readonly text: string;
}

/** Windows for each run of records, as `session` makes them. */
export interface SessionSpec {
  readonly kind: "session";
  readonly gapMs: number;
  readonly text: string;
}

/** How event time is cut into windows. All are `[start, end)`, in whole milliseconds. */
export type WindowSpec = AlignedSpec | SlidingSpec | SessionSpec;

/** Results of windows about so often. Made by {@link every}. */
export interface Every {
  readonly kind: "every";
  readonly everyMs: number;
  readonly text: string;
}

/** What a window that has no end says of it: the last instant that a `Date` can hold. */
export const NO_END_MS = MAX_TIME_MS;

/**
 * Windows of one size that follow each other without gaps, starts being multiples of the size since the Unix epoch, plus
 * `offset`: `tumbling("1 day")` cuts at midnight UTC, `tumbling("1 day", "6 h")` at six. Throws `InvalidOption` unless the size
 * is a duration of at least 1 ms.
 */
export function tumbling(size: Duration, offset: Duration = "0 ms"): AlignedSpec {
  const sizeMs = duration("tumbling: size", size, 1);
  const offsetMs = duration("tumbling: offset", offset, 0);
  return {
    kind: "tumbling",
    sizeMs,
    everyMs: sizeMs,
    offsetMs,
    text: offsetMs === 0 ? size : `${size} from ${offset}`,
  };
}

/**
 * Windows of one size of which another begins after each `advance`, so that they overlap and each record is in several. Starts
 * are multiples of `advance` since the Unix epoch. Throws `InvalidOption` unless `advance` is at least 1 ms, at most the size, and
 * not so short that a record would be in more than 1,000 windows.
 */
export function hopping(size: Duration, advance: Duration): AlignedSpec {
  const sizeMs = duration("hopping: size", size, 1);
  const everyMs = duration("hopping: every", advance, 1);
  if (everyMs > sizeMs) {
    throw new MillraceError(
      "InvalidOption",
      `hopping: a window every ${advance} of ${size} would leave records out: every must not be longer than the size`,
    );
  }
  if (sizeMs / everyMs > MAX_WINDOWS_OF_RECORD) {
    throw new MillraceError(
      "InvalidOption",
      `hopping: each record would be in ${Math.ceil(sizeMs / everyMs)} windows of ${size}; at most ${MAX_WINDOWS_OF_RECORD}: choose a longer every`,
    );
  }
  return { kind: "hopping", sizeMs, everyMs, offsetMs: 0, text: `${size} every ${advance}` };
}

/**
 * A window for each distinct set of records that are at most `size` apart, as in Kafka Streams: a record at `t` has the window
 * `[t - size, t]`, and the one that begins right behind it if a record lies in that. Half-open, the first is
 * `[t - size, t + 1)`. `"0 ms"`: one window for each instant. Each record of a key looks at all of
 * the key's windows, so it is for keys with few records, at most some hundreds, in twice that time. Throws `InvalidOption` unless the size is a duration.
 */
export function sliding(size: Duration): SlidingSpec {
  return { kind: "sliding", sizeMs: duration("sliding: size", size, 0), text: size };
}

/**
 * A window for each run of records of a key of which none is more than `gap` after the one before: from the first to the last
 * record, `[first, last + 1)`. A record between two sessions can make them one. Throws `InvalidOption` unless the gap is a
 * duration of at least 1 ms.
 */
export function session(gap: Duration): SessionSpec {
  return { kind: "session", gapMs: duration("session: gap", gap, 1), text: gap };
}

/**
 * One window for all time from `fromMs` on (default: all there is; ms since the Unix epoch), which ends when the input does:
 * with `producer.end()`. Earlier records are in no window. Its results have the time of the last record in it.
 * Throws `InvalidOption` unless `fromMs` is a whole number that a Date can hold.
 */
export function unlimited(fromMs: number = -MAX_TIME_MS): AlignedSpec {
  if (!Number.isInteger(fromMs) || Math.abs(fromMs) > MAX_TIME_MS) {
    throw new MillraceError(
      "InvalidOption",
      `unlimited: the first instant must be a whole number of ms since 1970 that a Date can hold, not ${quote(fromMs)}`,
    );
  }
  return { kind: "unlimited", fromMs, text: fromMs === -MAX_TIME_MS ? "" : `from ${fromMs}` };
}

/**
 * `emit: every("5 s")`: what has changed of a window's result comes at most so long after the change, by the worker's clock, and
 * when the window closes. Throws `InvalidOption` unless it is a duration of at least 1 ms.
 */
export function every(interval: Duration): Every {
  return { kind: "every", everyMs: duration("every", interval, 1), text: interval };
}

/** What a spec is, in words that stay the same however it was written: a part of what the store says of itself. */
export function specText(spec: WindowSpec): string {
  switch (spec.kind) {
    case "tumbling":
      return spec.offsetMs === 0 ? `tumbling ${spec.sizeMs} ms` : `tumbling ${spec.sizeMs} ms from ${spec.offsetMs} ms`;
    case "hopping":
      return `hopping ${spec.sizeMs} ms every ${spec.everyMs} ms`;
    case "sliding":
      return `sliding ${spec.sizeMs} ms`;
    case "session":
      return `session ${spec.gapMs} ms`;
    case "unlimited":
      return spec.text === "" ? "unlimited" : `unlimited ${spec.text}`;
  }
}

/** A duration in whole ms; throws `InvalidOption` when it does not parse or is less than `leastMs`. */
export function duration(what: string, text: unknown, leastMs: number): number {
  const parsed = parseDuration(text);
  if (E.isLeft(parsed)) {
    throw new MillraceError("InvalidOption", `${what}: ${parsed.left.message}`);
  }
  if (!Number.isInteger(parsed.right) || parsed.right < leastMs) {
    throw new MillraceError(
      "InvalidOption",
      `${what} must be ${leastMs === 0 ? "a whole number of ms" : `at least ${leastMs} ms, and whole`}, not ${quote(text)}`,
    );
  }
  return parsed.right;
}
