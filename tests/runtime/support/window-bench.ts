import {
  type Aggregate,
  type Emit,
  json,
  map,
  type OnError,
  type Pipeline,
  pipeline,
  type RecordInfo,
  type Running,
  type StateOptions,
  type Stream,
  type StreamRecord,
  sink,
  stream,
  type Topic,
  topic,
  tumbling,
  type Windowed,
  type WindowSpec,
  window,
} from "@millrace/core";
import * as t from "io-ts";
import type { OperatorFunction } from "rxjs";
import { type Bench, type Item, items, rejection } from "./bench-top.ts";

/** What these tests read: one partition, so that there is one order. */
export const readings: Topic<Item> = items("readings", { partitions: 1 });

const Row = t.type({
  key: t.string,
  start: t.number,
  end: t.number,
  revision: t.number,
  value: t.unknown,
  id: t.string,
});
/** A result as it lies in {@link rows}. */
export type Row = t.TypeOf<typeof Row>;

export const rows: Topic<Row> = topic("rows", { codec: json(Row), key: (row) => row.key, partitions: 1 });

/** Windows over {@link readings}, into {@link rows}. */
export function windowed<O>(
  op: OperatorFunction<Item, Windowed<O>>,
  source: Stream<Item> = stream(readings),
): Pipeline {
  const toRow = (result: Windowed<O>, { id }: RecordInfo): Row => ({ ...result, id });
  return pipeline("windowed", source.pipe(op, map(toRow), sink(rows)));
}

/** A reading of "a" unless told otherwise, at so many seconds. */
export function at(seconds: number, key = "a", n = 1): Item {
  return { key, n, at: seconds * 1_000 };
}

/** What comes into a topic, as it comes. */
export function watched<A>(top: Bench, topicOf: Topic<A>): readonly StreamRecord<A>[] {
  const seen: StreamRecord<A>[] = [];
  top
    .app("watcher")
    .observe(topicOf, { from: "start" })
    .subscribe((record) => seen.push(record));
  return seen;
}

/** Results as `key start-end value`, in seconds; `revision` behind it where it is not 1. */
export function texts(records: readonly StreamRecord<Row>[]): readonly string[] {
  return records.map(({ value: { key, start, end, revision, value } }) => {
    const text = `${key} ${start / 1_000}-${end / 1_000} ${JSON.stringify(value)}`;
    return revision === 1 ? text : `${text} #${revision}`;
  });
}

/** What tests vary of a window. */
export interface Varied {
  readonly spec?: WindowSpec;
  readonly emit?: Emit;
  readonly onError?: OnError;
  readonly state?: StateOptions;
}

/** Windows of one aggregate. */
export function counted(n: Aggregate<Item, unknown>, { spec = tumbling("10 s"), ...options }: Varied = {}): Pipeline {
  return windowed(
    window<Item, { n: unknown }, string, WindowSpec, Emit>(spec, { n }, { grace: "0 s", name: "per-ten", ...options }),
  );
}

/** How the run ends; throws when it does not fail. */
export async function failure(top: Bench, plan: Pipeline, options: Parameters<Bench["app"]>[1] = {}): Promise<unknown> {
  const running = await top.settle(top.app("app", options).run(plan));
  return await top.settle(rejection(running.done));
}

/** Runs a pipeline until it has processed so many records, all told, and stops it. */
export async function runUntil(top: Bench, plan: Pipeline, records: number): Promise<void> {
  const running: Running = await top.settle(top.app().run(plan));
  await top.caughtUp(running, records);
  await top.settle(running.stop());
}
