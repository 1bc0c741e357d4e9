import { BEFORE_FIRST, type Log, type TopicInfo } from "@millrace/core";
import { demand } from "./demand.ts";

const BUDGET = { maxRecords: 1_000, maxBytes: 16_777_216 };

/** The keys of all records of a topic. Rejects with `MillraceError`. */
export async function storedKeys(log: Log, topic: TopicInfo): Promise<ReadonlySet<string>> {
  const keys = new Set<string>();
  const { partitions } = await demand(log.times(topic));
  for (const [partition, { appended }] of partitions.entries()) {
    const reader = log.reader(topic, partition, BEFORE_FIRST);
    let left = appended;
    // A read behind the last one would wait.
    while (left > 0) {
      const { records } = await demand(() => reader.next(BUDGET));
      left = records.length === 0 ? 0 : left - records.length;
      for (const { key } of records) {
        keys.add(key);
      }
    }
    reader.close();
  }
  return keys;
}
