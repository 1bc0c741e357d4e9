import {
  BEFORE_FIRST,
  compareOffsets,
  type Log,
  type Offset,
  type Ports,
  type ReadBudget,
  type StoredRecord,
  type TaskRef,
  type TopicInfo,
} from "@millrace/core";
import { ok } from "./outcome.ts";

/** Large enough for everything that a test writes. */
export const AMPLE: ReadBudget = { maxRecords: 10_000, maxBytes: 64 * 1024 * 1024 };

/** Everything that lies in a partition behind `after`. Does not wait where nothing does. */
export async function contents(
  log: Log,
  topic: TopicInfo,
  partition = 0,
  after: Offset = BEFORE_FIRST,
): Promise<readonly StoredRecord[]> {
  const times = await ok(log.times(topic));
  const end = times.partitions[partition]?.end ?? BEFORE_FIRST;
  const reader = log.reader(topic, partition, after);
  const found: StoredRecord[] = [];
  try {
    while (compareOffsets(found.at(-1)?.offset ?? after, end) < 0) {
      const batch = await ok(() => reader.next(AMPLE));
      if (batch.records.length === 0) {
        throw new Error(`${topic.name}/${partition} ends at ${end}, but a reader found only ${found.length} records`);
      }
      found.push(...batch.records);
    }
  } finally {
    reader.close();
  }
  return found;
}

/** The payloads of {@link contents}. */
export async function payloads(log: Log, topic: TopicInfo, partition = 0): Promise<readonly string[]> {
  const found = await contents(log, topic, partition);
  return found.map(({ payload }) => payload);
}

/** A whole state store. */
export async function stateOf(ports: Ports, task: TaskRef, store: string): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  let cursor: string | null = null;
  do {
    const page: { readonly entries: readonly (readonly [string, string])[]; readonly cursor: string | null } = await ok(
      ports.state.scan(task, store, cursor),
    );
    for (const [key, value] of page.entries) {
      found.set(key, value);
    }
    cursor = page.cursor;
  } while (cursor !== null);
  return found;
}
