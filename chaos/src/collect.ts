/** Reads what is in the store in the end, as any Redis client can: see `docs/spec/record-format.md`. */
import { Redis } from "ioredis";
import { timeOf } from "./check/offsets.ts";
import type { BetweenRecord, InputRecord, OutputRecord, TotalRecord } from "./history.ts";
import { GROUP, type Input, type Output, TOPICS, TOTAL_PARTITIONS, type Total } from "./topics.ts";

/** All topics. */
export interface Collected {
  readonly between: readonly BetweenRecord[];
  readonly input: readonly InputRecord[];
  readonly output: readonly OutputRecord[];
  readonly totals: readonly TotalRecord[];
}

interface Entry<A> {
  readonly partition: number;
  readonly offset: string;
  readonly atMs: number;
  readonly value: A;
}

const PAGE = 5_000;

/** Reads all topics from the start. */
export async function collect(url: string, partitions: number): Promise<Collected> {
  const redis = new Redis(url);
  try {
    const input = await entriesOf<Input>(redis, TOPICS.input, partitions);
    const output = await entriesOf<Output>(redis, TOPICS.output, partitions);
    const totals = await entriesOf<Total>(redis, TOPICS.totals, TOTAL_PARTITIONS);
    return {
      between: await betweenRecords(redis),
      input: input.map(({ value: { at, ...value }, ...entry }) => ({ ...entry, ...value, timeMs: at })),
      output: output.map(({ value: { offset: source, ...value }, ...entry }) => ({ ...entry, ...value, source })),
      totals: totals.map(({ value, partition, offset }) => ({ partition, offset, ...value })),
    };
  } finally {
    redis.disconnect();
  }
}

/** Topics between the steps are named after the group. */
async function betweenRecords(redis: Redis): Promise<readonly BetweenRecord[]> {
  const keys = await redis.keys(`millrace:{${GROUP}.*/*}:log`);
  const topics = new Set(keys.map((key) => key.slice("millrace:{".length, key.lastIndexOf("/"))));
  const records: BetweenRecord[] = [];
  for (const topic of topics) {
    const entries = await entriesOf<unknown>(redis, topic, TOTAL_PARTITIONS);
    records.push(...entries.map(({ partition, offset, atMs }) => ({ topic, partition, offset, atMs })));
  }
  return records;
}

async function entriesOf<A>(redis: Redis, topic: string, partitions: number): Promise<readonly Entry<A>[]> {
  const entries: Entry<A>[] = [];
  for (let partition = 0; partition < partitions; partition += 1) {
    let after = "-";
    for (let page = await pageOf(redis, topic, partition, after); page.length > 0; ) {
      for (const [id, fields] of page) {
        const value = JSON.parse(fields[fields.indexOf("v") + 1] ?? "") as A;
        entries.push({ partition, offset: `${id}/0`, atMs: timeOf(id), value });
        after = `(${id}`;
      }
      page = await pageOf(redis, topic, partition, after);
    }
  }
  return entries;
}

function pageOf(redis: Redis, topic: string, partition: number, from: string): Promise<[string, string[]][]> {
  return redis.xrange(`millrace:{${topic}/${partition}}:log`, from, "+", "COUNT", PAGE);
}
