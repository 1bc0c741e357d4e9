import {
  count,
  type FailureDecision,
  json,
  map,
  type NewRecord,
  type Pipeline,
  pipeline,
  sink,
  stream,
  type Topic,
  topic,
  tumbling,
  window,
} from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import * as t from "io-ts";
import { expect } from "vitest";
import { type Bench, type Item, items } from "./bench-top.ts";

/** When the virtual clock starts: a full minute. */
export const START = 1_704_067_200_000;
export const MINUTE = 60_000;
export const YEAR = 365 * 86_400_000;

const Count = t.type({ key: t.string, start: t.number, count: t.number });
export const counts = topic("counts", { codec: json(Count), key: (c) => c.key, partitions: 1 });
export const copy = items("copy", { partitions: 1 });

/** What becomes of a record that is ahead of time. */
export type Policy = "clamp" | "reject" | "late";

export const source = (policy?: Policy, by: "10 s" | "0 s" = "10 s"): Topic<Item> =>
  items("source", { partitions: 1, ...(policy === undefined ? {} : { ahead: { by, policy } }) });

/** Counts by key and minute. */
export const counting = (from: Topic<Item>, onError?: FailureDecision): Pipeline =>
  pipeline(
    "count",
    stream(from, onError === undefined ? {} : { onError }).pipe(
      window(tumbling("1 minute"), { count: count() }, { grace: "0 s" }),
      map((w) => counts.of({ key: w.key, start: w.start - START, ...w.value })),
      sink(counts),
    ),
  );

/** Ten items, a second apart; number 4 is a year ahead. */
export const TEN: readonly Item[] = Array.from({ length: 10 }, (_, n) => ({
  key: "k",
  n,
  at: START + n * 1_000 + (n === 4 ? YEAR : 0),
}));

export const rows = async (top: Bench): Promise<readonly (readonly [start: number, count: number])[]> =>
  (await top.read(counts)).map(({ value }) => [value.start, value.count]);

/** Appends records as somebody does who is no producer of Millrace. */
export async function append(top: Bench, to: Topic<Item>, records: readonly Partial<NewRecord>[]): Promise<void> {
  const opened = await top.adapter.open()();
  if (E.isLeft(opened)) {
    throw new Error(opened.left.message);
  }
  const { log } = opened.right;
  const made = await log.ensureTopic({ name: to.name, partitions: to.partitions, defaultPartitions: 1 })();
  if (E.isLeft(made)) {
    throw new Error(made.left.message);
  }
  const whole = records.map((record, n) => ({
    key: "k",
    timestampMs: START,
    payload: JSON.stringify({ key: "k", n, at: START }),
    headers: {},
    watermarkMs: null,
    ...record,
  }));
  const request = { topic: made.right, partition: 0, producer: "somebody", ephemeral: false, firstSequence: 0 };
  const appended = await log.append({ ...request, records: whole })();
  expect(appended).toEqual(E.right(records.length));
  await opened.right.close();
}
