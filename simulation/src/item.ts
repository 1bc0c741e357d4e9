import { json, type Topic, topic } from "@millrace/core";
import * as t from "io-ts";
import type { Scenario } from "./scenario.ts";

/** A value of the input: number `n`, with an event time. */
export const Item = t.type({ key: t.string, n: t.number, at: t.number });
export type Item = t.TypeOf<typeof Item>;

/** Every item is at most so much older than the newest before it, so none is late. */
const DISORDER_MS = 3_000;
const STEP_MS = 1_700;
const FIRST_MS = 1_000_000;

/** The topic of items that every workload begins with. */
export function sourceOf({ partitions }: Scenario): Topic<Item> {
  return topic<Item>("source", {
    codec: json(Item),
    key: (item) => item.key,
    timestamp: (item) => item.at,
    partitions,
    outOfOrderness: `${DISORDER_MS} ms`,
  });
}

/** The input: a few keys in turn, not quite in the order of time. */
export function itemsOf({ records, keys, seed }: Scenario): readonly Item[] {
  return Array.from({ length: records }, (_, n) => {
    const mixed = Math.imul(n + 1, 0x9e3779b1) ^ seed;
    const back = (mixed >>> 8) % DISORDER_MS;
    return { key: `k${(mixed >>> 3) % keys}`, n, at: FIRST_MS + n * STEP_MS - back };
  });
}
