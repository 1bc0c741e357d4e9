/** Reads replies, which arrive as `unknown`. A reply of another shape is a defect and throws. */
import type { RawEntry } from "./entry-codec.ts";

/** A reply that is a list. */
export function listOf(reply: unknown): readonly unknown[] {
  if (!Array.isArray(reply)) {
    throw new TypeError(`Expected a list from Redis, got ${typeof reply}`);
  }
  return reply;
}

/** Text; a number becomes its digits, and `null` the empty text. */
export function textIn(reply: unknown): string {
  if (typeof reply === "string") {
    return reply;
  }
  if (typeof reply === "number") {
    return String(reply);
  }
  if (Buffer.isBuffer(reply)) {
    return reply.toString();
  }
  if (reply === null || reply === undefined) {
    return "";
  }
  throw new TypeError(`Expected text from Redis, got ${typeof reply}`);
}

/** An integer, sent as a number or as digits. */
export function integerOf(reply: unknown): number {
  const text = textIn(reply);
  const value = Number(text);
  if (text === "" || !Number.isSafeInteger(value)) {
    throw new TypeError("Expected an integer from Redis");
  }
  return value;
}

/** Names and values in turn, as HGETALL, HSCAN and INFO-like replies have them. */
export function pairsOf(reply: unknown): (readonly [name: string, value: string])[] {
  const flat = listOf(reply);
  const pairs: (readonly [string, string])[] = [];
  for (let at = 0; at + 1 < flat.length; at += 2) {
    pairs.push([textIn(flat[at]), textIn(flat[at + 1])]);
  }
  return pairs;
}

/** The entries of each stream in a reply to XREAD, read as buffers; none for a `null` reply. They are the caller's to change. */
export function streamsOf(reply: unknown): ReadonlyMap<string, RawEntry[]> {
  const streams = new Map<string, RawEntry[]>();
  for (const stream of reply === null ? [] : listOf(reply)) {
    const [key, entries] = listOf(stream);
    streams.set(textIn(key), entriesOf(entries));
  }
  return streams;
}

function entriesOf(reply: unknown): RawEntry[] {
  if (!Array.isArray(reply) || !reply.every(isEntry)) {
    throw new TypeError("Expected stream entries from Redis");
  }
  return reply;
}

/** Looks at the id only: the fields of an entry are always bulk strings, and this runs once for each record. */
function isEntry(entry: unknown): entry is RawEntry {
  return Array.isArray(entry) && Buffer.isBuffer(entry[0]) && Array.isArray(entry[1]);
}
