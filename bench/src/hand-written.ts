/** What the hand-written sides share: loops as one writes them with ioredis and no library, without their error handling. */
import { partitionOf } from "@millrace/core";
import type { Redis } from "ioredis";
import { type Invoice, type Order, PARTITIONS } from "./orders.ts";

export const BATCH = 500;
const CONSUMER = "consumer";

/** The streams of a partitioned topic. */
export function streamsOf(topic: string): string[] {
  return Array.from({ length: PARTITIONS }, (_, partition) => `hand-written:${topic}:${partition}`);
}

/** The stream that a value belongs to, by its key. */
export function streamFor(topic: string, { customerId }: Order | Invoice): string {
  return `hand-written:${topic}:${partitionOf(customerId, PARTITIONS)}`;
}

/** Appends orders in pipelines of {@link BATCH}. */
export async function appendAll(redis: Redis, topic: string, orders: readonly Order[]): Promise<void> {
  for (let from = 0; from < orders.length; from += BATCH) {
    const pipeline = redis.pipeline();
    for (const order of orders.slice(from, from + BATCH)) {
      pipeline.xadd(streamFor(topic, order), "*", "v", JSON.stringify(order));
    }
    await pipeline.exec();
  }
}

/** Makes a group that has read nothing yet. */
export async function createGroup(redis: Redis, streams: readonly string[], group: string): Promise<void> {
  for (const stream of streams) {
    await redis.xgroup("CREATE", stream, group, "0");
  }
}

/** The entries of one read: texts by their ids. */
export interface Batch {
  readonly stream: string;
  readonly ids: string[];
  readonly texts: string[];
}

/**
 * Reads every stream to its end, {@link BATCH} entries at a time, and has each batch handled, which includes the
 * acknowledgement. The streams are read side by side, so that Redis works on one while this process works on another.
 */
export async function readGroup(
  redis: Redis,
  { streams, group }: { readonly streams: readonly string[]; readonly group: string },
  handle: (batch: Batch) => Promise<unknown>,
): Promise<void> {
  const readStream = async (stream: string): Promise<void> => {
    for (;;) {
      const reply = await redis.xreadgroup("GROUP", group, CONSUMER, "COUNT", BATCH, "STREAMS", stream, ">");
      if (reply === null) {
        return;
      }
      const [[, entries]] = reply as [[string, [id: string, fields: string[]][]]];
      await handle({ stream, ids: entries.map(([id]) => id), texts: entries.map(([, fields]) => fields[1] ?? "") });
    }
  };
  await Promise.all(streams.map(readStream));
}
