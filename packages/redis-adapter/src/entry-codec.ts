/**
 * Record format version 1: one record as one stream entry. `docs/spec/record-format.md` is its specification.
 *
 * `m` = `1;<timestampMs>;<watermarkMs or empty>;<key>`, `v` = payload, `h` = headers as JSON, absent without headers.
 * An entry that is not of this form is still a record, with `problem` saying what is wrong: what lies in the log is
 * returned to whoever reads it, to the byte, never dropped and never thrown.
 */
import { type NewRecord, offsetOf, type StoredRecord } from "@millrace/core";

const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({});
/** What a record takes in memory besides its text, in bytes, roughly. */
const OVERHEAD_BYTES = 128;

/** Entries with larger ids exist only where somebody else chose them. */
const LATEST_MS = 8_640_000_000_000_000;

const DECIMAL = /^-?\d+(\.\d+)?(e[+-]?\d+)?$/;
const SEMICOLON = 59;
const MINUS = 45;
const ZERO = 48;

/** An entry as the driver returns it: its id, then names and values in turn. */
export type RawEntry = readonly [id: Buffer, fields: readonly Buffer[]];

/**
 * Appends the record's three arguments (`m`, `v`, and `h` or `""`) to `args`. Throws `RangeError` for an event time
 * that is not an integer, which no reader could decode.
 */
export function encodeRecord(record: NewRecord, args: string[]): void {
  if (!Number.isSafeInteger(record.timestampMs)) {
    throw new RangeError(`A record's timestampMs must be an integer (ms since the epoch), not ${record.timestampMs}`);
  }
  const watermark = record.watermarkMs === null ? "" : encodeTime(record.watermarkMs);
  args.push(`1;${record.timestampMs};${watermark};${record.key}`, record.payload, encodeHeaders(record.headers));
}

/** A watermark as text: a decimal number, `inf` or `-inf`. Throws `RangeError` for `NaN`. */
export function encodeTime(timeMs: number): string {
  if (Number.isNaN(timeMs)) {
    throw new RangeError("A watermark must be a number (ms since the epoch) or infinite, not NaN");
  }
  if (Number.isFinite(timeMs)) {
    return String(timeMs);
  }
  return timeMs > 0 ? "inf" : "-inf";
}

/** The time that {@link encodeTime} wrote; `NaN` for other text. */
export function decodeTime(text: string): number {
  if (text === "inf") {
    return Number.POSITIVE_INFINITY;
  }
  if (text === "-inf") {
    return Number.NEGATIVE_INFINITY;
  }
  const integer = integerIn(text, 0, text.length);
  return Number.isNaN(integer) && DECIMAL.test(text) ? Number(text) : integer;
}

/** The record in a stream entry. Total: see the head of this file. */
export function decodeEntry([rawId, fields]: RawEntry): StoredRecord {
  const id = rawId.toString("latin1");
  const inOrder = isNamed(fields[0], "m") && isNamed(fields[2], "v");
  const headers = fields.length === 6 && isNamed(fields[4], "h") ? fields[5] : undefined;
  if (!inOrder || (fields.length !== 4 && headers === undefined)) {
    return asProblem(id, fields, describeFields(fields));
  }
  const head = decodeHead(textOf(fields[1]));
  return typeof head === "string" ? asProblem(id, fields, head) : decodeRest(id, fields, { head, rawHeaders: headers });
}

/** What the head of a record says. */
type Head = Pick<StoredRecord, "key" | "timestampMs" | "watermarkMs">;

const NOT_UTF8 = "its bytes are not valid UTF-8";

/** The head, or what is wrong with it. */
function decodeHead(head: string | null): Head | string {
  if (head === null) {
    return NOT_UTF8;
  }
  if (head.charCodeAt(0) !== ZERO + 1 || head.charCodeAt(1) !== SEMICOLON) {
    return versionProblem(head);
  }
  const afterTime = head.indexOf(";", 2);
  const afterWatermark = head.indexOf(";", afterTime + 1);
  if (afterTime < 0 || afterWatermark < 0) {
    return 'its head "m" has fewer than four parts';
  }
  const timestampMs = integerIn(head, 2, afterTime);
  const watermarkMs = afterWatermark === afterTime + 1 ? null : decodeTime(head.slice(afterTime + 1, afterWatermark));
  if (Number.isNaN(timestampMs)) {
    return 'the event time in its head "m" is not a whole number of ms, written as such and of at most 16 digits';
  }
  if (Number.isNaN(watermarkMs)) {
    return 'the watermark in its head "m" is not a number, "inf" or "-inf"';
  }
  return { key: head.slice(afterWatermark + 1), timestampMs, watermarkMs };
}

function decodeRest(
  id: string,
  fields: readonly Buffer[],
  { head, rawHeaders }: { readonly head: Head; readonly rawHeaders: Buffer | undefined },
): StoredRecord {
  const payload = textOf(fields[3]);
  const headerText = rawHeaders === undefined ? "" : textOf(rawHeaders);
  if (payload === null || headerText === null) {
    return asProblem(id, fields, NOT_UTF8, head);
  }
  const headers = headerText === "" ? NO_HEADERS : decodeHeaders(headerText);
  if (headers === null) {
    return asProblem(id, fields, 'its headers "h" are not a JSON object of strings', head);
  }
  const { key, timestampMs, watermarkMs } = head;
  const bytes = OVERHEAD_BYTES + (fields[1]?.length ?? 0) + payload.length + headerText.length;
  return {
    offset: offsetOf(id, 0),
    appendedMs: appendedAt(id),
    key,
    timestampMs,
    watermarkMs,
    payload,
    headers,
    bytes,
    problem: null,
  };
}

function encodeHeaders(headers: Readonly<Record<string, string>>): string {
  for (const _ in headers) {
    return JSON.stringify(headers);
  }
  return "";
}

function decodeHeaders(text: string): Readonly<Record<string, string>> | null {
  try {
    const parsed: unknown = JSON.parse(text);
    return isHeaders(parsed) ? parsed : null;
  } catch {
    return null;
  }
}

function isHeaders(value: unknown): value is Record<string, string> {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((header) => typeof header === "string")
  );
}

/** The integer written at `from` to `to`; `NaN` when the text is none, or is not the only way to write it. */
function integerIn(text: string, from: number, to: number): number {
  const negative = text.charCodeAt(from) === MINUS;
  const first = negative ? from + 1 : from;
  const padded = to - first > 1 && text.charCodeAt(first) === ZERO;
  if (to <= first || to - first > 16 || padded) {
    return Number.NaN;
  }
  let value = 0;
  for (let at = first; at < to; at += 1) {
    const digit = text.charCodeAt(at) - ZERO;
    if (digit < 0 || digit > 9) {
      return Number.NaN;
    }
    value = value * 10 + digit;
  }
  if (value > Number.MAX_SAFE_INTEGER || (negative && value === 0)) {
    return Number.NaN;
  }
  return negative ? -value : value;
}

/** `null` when the bytes are not UTF-8. Decoding replaces bad bytes by U+FFFD, so only text that has one is compared. */
function textOf(bytes: Buffer | undefined): string | null {
  if (bytes === undefined) {
    return null;
  }
  const text = bytes.toString();
  return text.includes("\uFFFD") && !Buffer.from(text).equals(bytes) ? null : text;
}

function isNamed(field: Buffer | undefined, name: string): boolean {
  return field !== undefined && field.length === 1 && field[0] === name.charCodeAt(0);
}

function describeFields(fields: readonly Buffer[]): string {
  const names = fields.filter((_, index) => index % 2 === 0).map((name) => name.toString());
  const shown = names
    .slice(0, 4)
    .map((name) => JSON.stringify(name.slice(0, 40)))
    .join(", ");
  return `its fields are ${shown}${names.length > 4 ? ", …" : ""} instead of "m", "v" and perhaps "h"`;
}

function versionProblem(head: string): string {
  const version = /^(\d{1,9});/.exec(head)?.[1];
  return version === undefined
    ? 'its head "m" does not begin with a format version'
    : `it has format version ${version}; this reader knows version 1`;
}

/**
 * An entry that is no record, as a JSON list of what lies in it: a text for what is UTF-8, `{ base64 }` for what is not. The
 * key and the times are those of its head, where that can be read: what has a key stays among the records of its key. Else
 * it has no key, and its event time is the time at which it was appended, as its id tells.
 */
function asProblem(id: string, fields: readonly Buffer[], problem: string, head?: Head): StoredRecord {
  const payload = JSON.stringify(fields.map((field) => textOf(field) ?? { base64: field.toString("base64") }));
  const appendedMs = appendedAt(id);
  return {
    offset: offsetOf(id, 0),
    appendedMs,
    key: head?.key ?? "",
    timestampMs: head?.timestampMs ?? appendedMs,
    watermarkMs: head?.watermarkMs ?? null,
    payload,
    headers: NO_HEADERS,
    bytes: OVERHEAD_BYTES + payload.length,
    problem: `Entry ${id} is not a record of Millrace: ${problem}`,
  };
}

/** The server's time (ms) when the entry with this id was added; a time that a `Date` can hold, whatever the id. */
function appendedAt(id: string): number {
  return Math.min(Number(id.slice(0, id.indexOf("-"))), LATEST_MS);
}
