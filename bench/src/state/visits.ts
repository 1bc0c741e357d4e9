/** The data of `state` and `take-over`: visits of keys, one a ms, and what comes out of them. */
import { json, type Topic, topic } from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import * as t from "io-ts";

export const PARTITIONS = 8;
/** The size of the windows. */
export const WINDOW_MS = 60_000;
/** The beginning of a window. */
const FIRST_MS = Date.UTC(2025, 0, 1);
/** Has no divisor in common with a number of keys that is a power of ten: neighbours have different keys, all come in turn. */
const STRIDE = 7_919;

export const Visit = t.type({ key: t.string, n: t.number, atMs: t.number });
export type Visit = t.TypeOf<typeof Visit>;

/** How often a key was visited, so far. */
const Count = t.type({ key: t.string, value: t.type({ n: t.number }) });
export type Count = t.TypeOf<typeof Count>;

/** How often a key was visited in a window. */
const WindowCount = t.type({
  key: t.string,
  start: t.number,
  end: t.number,
  revision: t.number,
  value: t.type({ n: t.number }),
});
type WindowCount = t.TypeOf<typeof WindowCount>;

export function visitTopic(name: string, partitions: number): Topic<Visit> {
  return topic(name, { codec: json(Visit), key: ({ key }) => key, timestamp: ({ atMs }) => atMs, partitions });
}

export function countTopic(name: string, partitions: number): Topic<Count> {
  return topic(name, { codec: json(Count), key: ({ key }) => key, partitions });
}

export function windowTopic(name: string, partitions: number): Topic<WindowCount> {
  return topic(name, { codec: json(WindowCount), key: ({ key }) => key, partitions });
}

/** Visit `n` of so many keys, by turns. */
export function visit(n: number, keys: number): Visit {
  return { key: `key-${String((n * STRIDE) % keys).padStart(7, "0")}`, n, atMs: FIRST_MS + n };
}

/** The first `records` visits, of so many keys. */
export function* visits(records: number, keys: number): Generator<Visit> {
  for (let n = 0; n < records; n += 1) {
    yield visit(n, keys);
  }
}

/** What there is to see of results, and must be. */
export interface Tally {
  readonly results: number;
  /** The sum of their counts. */
  readonly total: number;
}

/** The results of counting all visits of a key: one for each visit, the count by then. */
export function countsOf(records: number, keys: number): Tally {
  const rounds = Math.floor(records / keys);
  const rest = records % keys;
  const ofWholeRounds = (keys * rounds * (rounds + 1)) / 2;
  return { results: records, total: ofWholeRounds + rest * (rounds + 1) };
}

/** The results of counting them by windows: one for each window and key. */
export function windowCountsOf(records: number, keys: number): Tally {
  const windows = Math.floor(records / WINDOW_MS);
  const results = windows * Math.min(keys, WINDOW_MS) + Math.min(keys, records % WINDOW_MS);
  return { results, total: records };
}

/** The visit in a text. Throws when there is none. */
export function parseVisit(text: string): Visit {
  const decoded = Visit.decode(JSON.parse(text));
  if (E.isLeft(decoded)) {
    throw new Error("an entry is not a visit");
  }
  return decoded.right;
}
