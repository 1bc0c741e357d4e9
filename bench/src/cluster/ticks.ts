/** What the workers of a group read and write: ticks, and an echo of each that names its worker, in the same partition. */
import { json, map, type Pipeline, partitionOf, pipeline, sink, stream, type Topic, topic } from "@millrace/core";
import * as t from "io-ts";

/** The `n`-th record of its partition, from 0. */
const Tick = t.type({ key: t.string, n: t.number });
export type Tick = t.TypeOf<typeof Tick>;

export const Echo = t.type({ key: t.string, n: t.number, worker: t.string });
export type Echo = t.TypeOf<typeof Echo>;

/** The app whose pipeline the workers share. */
export const APP = "cluster";
const PIPELINE = "echo";

export function tickTopic(partitions: number): Topic<Tick> {
  return topic("ticks", { codec: json(Tick), key: ({ key }) => key, partitions });
}

export function echoTopic(partitions: number): Topic<Echo> {
  return topic("echoes", { codec: json(Echo), key: ({ key }) => key, partitions });
}

/** The pipeline on one worker. */
export function echoPipeline(partitions: number, worker: string): Pipeline {
  const echoes = echoTopic(partitions);
  return pipeline(
    PIPELINE,
    stream(tickTopic(partitions)).pipe(
      map((tick) => ({ ...tick, worker })),
      sink(echoes),
    ),
  );
}

/** A key for each partition. */
export function partitionKeys(partitions: number): readonly string[] {
  const keys = new Map<number, string>();
  for (let attempt = 0; keys.size < partitions; attempt += 1) {
    const key = `key-${attempt}`;
    const partition = partitionOf(key, partitions);
    if (!keys.has(partition)) {
      keys.set(partition, key);
    }
  }
  return Array.from({ length: partitions }, (_, partition) => keys.get(partition) ?? "");
}
