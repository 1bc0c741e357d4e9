import * as E from "fp-ts/lib/Either.js";
import type { Codec } from "../codec/codec.ts";
import { kindOf } from "../codec/schema.ts";
import { EncodeError, MillraceError } from "../errors.ts";
import { type Duration, parseDuration } from "../kernel/duration.ts";
import { isName, NAME_RULE_TEXT, quote } from "../kernel/name.ts";
import { type AheadPolicy, isEventTime } from "../kernel/record-time.ts";
import type { TimePolicy } from "../kernel/task-time.ts";
import type { NewRecord } from "../ports/log.ts";
import { checkOptions } from "./options.ts";

/** Partitions of a topic that does not exist yet and whose number was not said. */
export const DEFAULT_PARTITIONS = 4;
/** The most partitions that a topic can have. */
const MAX_PARTITIONS = 4_096;
/** The largest encoded value of a record, in UTF-8 bytes. */
export const MAX_VALUE_BYTES = 1_048_576;
/** The largest key, in UTF-8 bytes. */
export const MAX_KEY_BYTES = 65_536;

/** What can be said of a topic. */
export interface TopicOptions<A> {
  readonly codec: Codec<A>;
  /** The partitioning key; records of one key stay in order. `null`: no key, records go to the partitions in turn. */
  readonly key: ((value: NoInfer<A>) => string) | null;
  /** Event time, ms since the Unix epoch, a whole number. Default: the time at which the record is sent. */
  readonly timestamp?: (value: NoInfer<A>) => number;
  /**
   * Number of partitions, 1 to 4,096, fixed when the topic is first used. Default: what exists, or 4. A number that
   * differs from what exists is an error at start.
   */
  readonly partitions?: number;
  /** How far producers' records may trail the newest one of their partition before they count as late. Default 0. */
  readonly outOfOrderness?: Duration;
  /**
   * After how long without a record a partition's event time moves on by itself, with the clock. Default: never, so that
   * a producer's pause can make nothing late; then windows of a quiet topic close when records or `producer.end()` come.
   */
  readonly idle?: Duration;
  /**
   * What becomes of a producer's record whose event time is more than `by` (0 or more) ahead of the time at which it was
   * appended, by the store's clock. One such record would move event time on, and make all that follows it late.
   *
   * - `"clamp"`: it is processed with the time at which it was appended plus `by` as its event time.
   * - `"reject"`: it is treated like an entry that does not decode: a `DecodeError` at `timestamp`, under the stream's `onError`.
   *   It moves no event time. Redriven as a dead letter, it is processed with its own time.
   * - `"late"`: it keeps its time, moves no event time, and is late for every window, here and in all that is derived from it.
   *
   * Each is counted: event `AheadOfTime`. It is decided by the log alone, so every reader decides alike, again after a restart.
   * Observers see the record as it was sent. Records that tasks write are not examined.
   *
   * Default: none, times are trusted. A bound would protect nobody whose times are those of a clock that runs right, nor who
   * replays old data, which is behind; and it would spoil data that is ahead on purpose: simulated days, forecasts, bookings.
   */
  readonly ahead?: { readonly by: Duration; readonly policy: "clamp" | "reject" | "late" };
}

/** A named, partitioned log of values of one type. */
export interface Topic<A> {
  readonly name: string;
  readonly codec: Codec<A>;
  readonly key: ((value: A) => string) | null;
  readonly timestamp: ((value: A) => number) | null;
  /** `null`: as it exists. */
  readonly partitions: number | null;
  readonly time: TimePolicy;
  /** `null`: times are trusted. */
  readonly ahead: AheadPolicy | null;
  /** The value itself: types a literal where it is written. */
  of(value: A): A;
}

/**
 * Declares a topic. Nothing is created until a pipeline or producer that uses it runs.
 *
 * Throws `MillraceError` `InvalidName` for a name outside `^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$`, `InvalidOption` for
 * partitions that are no whole number from 1 to 4,096, a duration that does not parse or another policy for what is ahead.
 *
 * @example
 * ```ts
 * const orders = topic("orders", { codec: json(Order), key: (o) => o.customerId, timestamp: (o) => o.at, partitions: 16 });
 * ```
 */
export function topic<A>(name: string, options: TopicOptions<A>): Topic<A> {
  checkName("topic", name);
  return {
    name,
    codec: options.codec,
    key: options.key,
    timestamp: options.timestamp ?? null,
    partitions: options.partitions === undefined ? null : checkPartitions(`topic "${name}"`, options.partitions),
    time: {
      outOfOrdernessMs: durationOption(`topic "${name}": outOfOrderness`, options.outOfOrderness) ?? 0,
      idleAfterMs: durationOption(`topic "${name}": idle`, options.idle),
    },
    ahead: aheadOption(`topic "${name}": ahead`, options.ahead),
    of: (value) => value,
  };
}

/** Throws `InvalidName` unless the name follows the rule. */
export function checkName(what: string, name: unknown): void {
  if (!isName(name)) {
    throw new MillraceError("InvalidName", `${quote(name)} is not a ${what} name: ${NAME_RULE_TEXT}`);
  }
}

/** The number itself; throws `InvalidOption` unless it is a possible number of partitions. */
export function checkPartitions(what: string, partitions: unknown): number {
  if (
    typeof partitions !== "number" ||
    !Number.isInteger(partitions) ||
    partitions < 1 ||
    partitions > MAX_PARTITIONS
  ) {
    throw new MillraceError(
      "InvalidOption",
      `${what}: partitions must be a whole number from 1 to ${MAX_PARTITIONS}, not ${quote(partitions)}`,
    );
  }
  return partitions;
}

/** The policy for records that are ahead of time; throws `InvalidOption` unless it is one. */
function aheadOption(what: string, ahead: TopicOptions<unknown>["ahead"]): AheadPolicy | null {
  if (ahead === undefined) {
    return null;
  }
  checkOptions(what, ahead, ["by", "policy"]);
  const { by, policy } = ahead;
  const byMs = durationOption(`${what}.by`, by);
  if (byMs === null) {
    throw new MillraceError("InvalidOption", `${what}: by is missing: how far may a record be ahead?`);
  }
  if (policy !== "clamp" && policy !== "reject" && policy !== "late") {
    throw new MillraceError(
      "InvalidOption",
      `${what}.policy must be "clamp", "reject" or "late", not ${quote(policy)}`,
    );
  }
  return { byMs, policy };
}

/** A duration option in ms, `null` where it is absent; throws `InvalidOption` when it does not parse. */
export function durationOption(what: string, duration: Duration | undefined): number | null {
  if (duration === undefined) {
    return null;
  }
  const parsed = parseDuration(duration);
  if (E.isLeft(parsed)) {
    throw new MillraceError("InvalidOption", `${what}: ${parsed.left.message}`);
  }
  return parsed.right;
}

/**
 * A value as a record of its topic. `inherited` gives the event time, headers and lateness of the record that caused it;
 * its time counts only where the topic has no `timestamp`. Throws {@link EncodeError}.
 */
export function encodeRecord<A>(
  to: Topic<A>,
  value: A,
  inherited: Pick<NewRecord, "timestampMs" | "headers" | "watermarkMs">,
): NewRecord {
  const key = to.key === null ? "" : checkKey(to.name, ask(to, "key", value));
  const timestampMs = to.timestamp === null ? inherited.timestampMs : ask(to, "timestamp", value);
  const { headers, watermarkMs } = inherited;
  return encodeParts(to, value, { key, timestampMs, headers, watermarkMs });
}

/** A value as a record with a key and a time that are already known. Throws {@link EncodeError}. */
export function encodeParts<A>(
  to: Topic<A>,
  value: A,
  parts: Pick<NewRecord, "key" | "timestampMs" | "headers" | "watermarkMs">,
): NewRecord {
  checkTime(to.name, parts.timestampMs);
  const encoded = to.codec.encode(value);
  if (E.isLeft(encoded)) {
    throw new EncodeError(to.name, encoded.left);
  }
  checkSize(to.name, "", encoded.right, MAX_VALUE_BYTES);
  return {
    key: parts.key,
    timestampMs: parts.timestampMs,
    payload: encoded.right,
    headers: parts.headers,
    watermarkMs: parts.watermarkMs,
  };
}

/** Throws {@link EncodeError} unless the key is text that a topic can carry. */
export function checkKey(topicName: string, key: unknown): string {
  if (typeof key !== "string") {
    throw new EncodeError(topicName, [{ path: "key", message: `must be a string, not ${kindOf(key)}` }]);
  }
  checkSize(topicName, "key", key, MAX_KEY_BYTES);
  // A lone surrogate has no UTF-8 form: it would come back as another key, on another partition.
  if (LONE_SURROGATE.test(key)) {
    throw new EncodeError(topicName, [{ path: "key", message: "holds half of a surrogate pair" }]);
  }
  return key;
}

const LONE_SURROGATE = /\p{Surrogate}/u;

/** What the topic's own function says of a value; a function that throws says that the value is none of its topic. */
function ask<A, Part extends "key" | "timestamp">(
  to: Topic<A>,
  part: Part,
  value: A,
): ReturnType<NonNullable<Topic<A>[Part]>> {
  try {
    return to[part]?.(value) as ReturnType<NonNullable<Topic<A>[Part]>>;
  } catch (cause) {
    const kind = cause instanceof Error ? cause.name : typeof cause;
    throw new EncodeError(to.name, [{ path: part, message: `the topic's ${part} function threw ${kind}` }]);
  }
}

function checkTime(topicName: string, timestampMs: unknown): void {
  if (!isEventTime(timestampMs)) {
    const found = typeof timestampMs === "number" ? String(timestampMs) : kindOf(timestampMs);
    throw new EncodeError(topicName, [
      { path: "timestamp", message: `must be a whole number of ms since 1970 that a Date can hold, not ${found}` },
    ]);
  }
}

function checkSize(topicName: string, path: string, text: string, maxBytes: number): void {
  // A UTF-16 unit takes at most 3 bytes in UTF-8.
  if (text.length * 3 > maxBytes && new TextEncoder().encode(text).length > maxBytes) {
    throw new EncodeError(topicName, [{ path, message: `is larger than ${maxBytes} bytes` }]);
  }
}
