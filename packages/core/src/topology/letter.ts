/**
 * A dead letter as it lies in its topic: the payload is the failed operator's input as its codec wrote it, key, time and
 * headers are those of the record, and one header more holds what redriving needs to know.
 */
import * as E from "fp-ts/lib/Either.js";
import { parse } from "../codec/plain-json.ts";
import type { NewRecord, StoredRecord } from "../ports/log.ts";
import type { CurrentRecord, LetterRef } from "./record.ts";

/** The header that tells a dead letter from other records. */
export const LETTER_HEADER = "millrace.dead-letter";

/** The headers that a value takes along into other topics: there it is no letter. */
export function headersBeyond(headers: CurrentRecord["headers"]): CurrentRecord["headers"] {
  if (!(LETTER_HEADER in headers)) {
    return headers;
  }
  const { [LETTER_HEADER]: _, ...others } = headers;
  return others;
}

/** Longer texts of errors are cut. */
const MAX_ERROR_CHARS = 2_000;
/** A longer header of a letter that becomes one again is not kept. */
const MAX_OUTER_CHARS = 16_384;
/** An error's causes, and theirs, down to here. */
const MAX_ERRORS = 5;

/** One error of a chain of causes. */
export interface LetterError {
  /** The error's class, or the type of what was thrown. */
  readonly name: string;
  /** At most 2,000 characters. May hold what the handler put into it. */
  readonly message: string;
  /** `code`, where the error has one that is text; else `null`. */
  readonly code: string | null;
}

/** A value that an operator failed to process, and what is known of it. */
export interface DeadLetter {
  /** `<operator>/<partition>/<number>`; numbers count from 1, in the order in which letters were written. */
  readonly id: string;
  /** The stable name of the operator that failed, or of the topic whose codec did. */
  readonly node: string;
  /** Whether later records of its key wait for it: `onError: "park"`. */
  readonly isParked: boolean;
  /** Whether the operator did not fail for it at all: it stands behind a parked letter of its key. */
  readonly isBehind: boolean;
  /** Whether it was an entry that is no record of Millrace: such a letter can only be discarded. */
  readonly isForeign: boolean;
  /** The record that was processed: topic, partition, offset, key, event time and headers. */
  readonly topic: string;
  readonly partition: number;
  /** `""` for a result of a window. */
  readonly offset: string;
  readonly key: string;
  readonly timestamp: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The record's {@link RecordInfo.id}. */
  readonly recordId: string;
  /** What was thrown, and what had caused that, outermost first; empty where {@link isBehind}. */
  readonly errors: readonly LetterError[];
  /** How often the operator was called for it. */
  readonly attempts: number;
  /** When it became a letter, ms since the Unix epoch, by the worker's clock. */
  readonly failedAt: number;
  /**
   * The operator's input as its codec wrote it; for an entry that does not decode, what lies in the topic. Of an entry that is
   * no record at all, that is a JSON list with a text for each part that is UTF-8, and `{ "base64": "…" }` for each that is not.
   */
  readonly input: string;
}

/** A dead letter where it was found. */
export interface FoundLetter {
  readonly letter: DeadLetter;
  readonly group: string;
  readonly number: number;
  readonly path: string;
  /** Its position in the dead-letter topic. */
  readonly at: string;
}

/** What a letter is made of. */
export interface LetterParts {
  readonly group: string;
  readonly node: string;
  readonly number: number;
  readonly isParked: boolean;
  readonly isBehind: boolean;
  readonly isForeign: boolean;
  readonly record: CurrentRecord;
  /** `null`: the operator has not failed for it. */
  readonly error: { readonly cause: unknown } | null;
  readonly attempts: number;
  readonly failedAt: number;
  readonly input: string;
}

/** The id of a letter. */
export function letterId(node: string, partition: number, number: number): string {
  return `${node}/${partition}/${number}`;
}

/** The record to append to the dead-letter topic. */
export function encodeLetter(parts: LetterParts): NewRecord {
  const { group, node, number, isParked, isBehind, isForeign, record, error, attempts, failedAt, input } = parts;
  const { topic, partition, offset, key, timestamp, headers, id, path } = record;
  const errors = error === null ? [] : errorChain(error.cause);
  const known = { v: 1, group, node, number, isParked, isBehind, isForeign, topic, partition, offset, id, path };
  // A letter that becomes one again keeps the header that it had.
  const before = headers[LETTER_HEADER] ?? null;
  // Each round would double it.
  const outer = before !== null && before.length > MAX_OUTER_CHARS ? null : before;
  const text = JSON.stringify({ ...known, errors, attempts, failedAt, outer });
  return {
    key,
    // An entry that is no record may have no time.
    timestampMs: Number.isInteger(timestamp) ? timestamp : failedAt,
    payload: input,
    headers: { ...headers, [LETTER_HEADER]: text },
    watermarkMs: null,
  };
}

/** The letter in a record of a dead-letter topic; `null` for a record that is none. */
export function decodeLetter(stored: StoredRecord): FoundLetter | null {
  const { [LETTER_HEADER]: text, ...headers } = stored.headers;
  const parsed = text === undefined ? E.left([]) : parse(text);
  if (E.isLeft(parsed) || !isHeader(parsed.right)) {
    return null;
  }
  const { group, node, number, isParked, isBehind, isForeign, topic, partition, offset, id, path, outer, ...rest } =
    parsed.right;
  return {
    group,
    number,
    path,
    at: stored.offset,
    letter: {
      id: letterId(node, partition, number),
      node,
      isParked,
      isBehind,
      isForeign,
      topic,
      partition,
      offset,
      key: stored.key,
      timestamp: stored.timestampMs,
      headers: outer === null ? headers : { ...headers, [LETTER_HEADER]: outer },
      recordId: id,
      errors: rest.errors,
      attempts: rest.attempts,
      failedAt: rest.failedAt,
      input: stored.payload,
    },
  };
}

/** The record beneath a letter that is redriven: what it was, judged late as of now. */
export function recordOf({ letter, number, path, at }: FoundLetter, watermarkMs: number): CurrentRecord {
  const { topic, partition, offset, key, timestamp, headers, recordId, id, node, isParked } = letter;
  const ref: LetterRef = { id, node, number, isParked, at };
  // It was read long ago: how it lies to others in the log does not count any more.
  const isFromTask = true;
  return {
    topic,
    partition,
    offset,
    key,
    timestamp,
    headers,
    id: recordId,
    watermarkMs,
    isFromTask,
    path,
    letter: ref,
  };
}

interface Header {
  readonly v: 1;
  readonly group: string;
  readonly node: string;
  readonly number: number;
  readonly isParked: boolean;
  readonly isBehind: boolean;
  readonly isForeign: boolean;
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly id: string;
  readonly path: string;
  readonly errors: readonly LetterError[];
  readonly attempts: number;
  readonly failedAt: number;
  readonly outer: string | null;
}

/** Only what Millrace wrote: whoever forges such a header gets what it says. */
function isHeader(value: unknown): value is Header {
  if (typeof value !== "object" || value === null || !("v" in value) || value.v !== 1) {
    return false;
  }
  const header = value as Partial<Record<keyof Header, unknown>>;
  const texts = [header.group, header.node, header.topic, header.offset, header.id, header.path];
  const numbers = [header.number, header.partition, header.attempts, header.failedAt];
  return (
    texts.every((text) => typeof text === "string") &&
    numbers.every((number) => typeof number === "number") &&
    typeof header.isParked === "boolean" &&
    typeof header.isBehind === "boolean" &&
    typeof header.isForeign === "boolean" &&
    (header.outer === null || typeof header.outer === "string") &&
    Array.isArray(header.errors)
  );
}

/** An error and its causes, outermost first. Never throws. */
export function errorChain(thrown: unknown): readonly LetterError[] {
  const chain: LetterError[] = [];
  let next: unknown = thrown;
  do {
    chain.push(safely(() => partsOf(next), UNKNOWN));
    next = safely(() => (next instanceof Error ? next.cause : null), null);
  } while (next !== undefined && next !== null && chain.length < MAX_ERRORS);
  return chain;
}

const UNKNOWN: LetterError = { name: "unknown", message: "", code: null };

/** What `look` finds out; errors of one's own may have getters that throw: then nothing is known of it. */
function safely<A>(look: () => A, unknown: A): A {
  try {
    return look();
  } catch {
    return unknown;
  }
}

function partsOf(thrown: unknown): LetterError {
  if (!(thrown instanceof Error)) {
    return { name: typeof thrown, message: typeof thrown === "string" ? cut(thrown) : "", code: null };
  }
  const code = "code" in thrown && typeof thrown.code === "string" ? cut(thrown.code) : null;
  return { name: cut(thrown.name), message: cut(thrown.message), code };
}

/** Half of a surrogate pair has no UTF-8 form. */
function cut(text: unknown): string {
  return String(text)
    .slice(0, MAX_ERROR_CHARS)
    .replaceAll(/\p{Surrogate}/gu, "\uFFFD");
}
