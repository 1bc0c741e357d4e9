/** Ports of the memory adapter, with a recorder in front. */
import type { Adapter, AppendRequest, NewRecord, Ports, TopicInfo } from "@millrace/core";
import { createVirtualClock, memoryAdapter } from "@millrace/testing";
import { type HistoryLine, recordHistory } from "@millrace/testing/history";
import * as E from "fp-ts/lib/Either.js";

export const GROUP = "app.work";
/** A record of one key. */
export const record = (payload: string): NewRecord => ({
  key: "k",
  timestampMs: 1,
  payload,
  headers: {},
  watermarkMs: null,
});

export interface Recorded {
  readonly ports: Ports;
  readonly topic: TopicInfo;
  readonly lines: HistoryLine[];
  readonly store: Adapter;
}

/** What a call answers; throws what it is refused with. */
export async function right<Err, A>(call: () => Promise<E.Either<Err, A>>): Promise<A> {
  const result = await call();
  if (E.isLeft(result)) {
    throw new Error(JSON.stringify(result.left));
  }
  return result.right;
}

/** Ports of the memory adapter, changed, with a recorder in front. */
export async function recorded(change: (ports: Ports) => Ports = (ports) => ports): Promise<Recorded> {
  const clock = createVirtualClock();
  const store = memoryAdapter({ clock });
  const changed: Adapter = { name: store.name, open: () => async () => E.map(change)(await store.open()()) };
  const lines: HistoryLine[] = [];
  const write = (line: HistoryLine): void => void lines.push(line);
  const ports = await right(recordHistory(changed, { process: "w1", clock: { now: () => 5 }, write }).open());
  const topic = await right(ports.log.ensureTopic({ name: "in", partitions: 1, defaultPartitions: 1 }));
  return { ports, topic, lines, store };
}

/** The first append of a producer. */
export function append(topic: TopicInfo, payloads: readonly string[]): AppendRequest {
  return { topic, partition: 0, producer: "p", ephemeral: true, firstSequence: 0, records: payloads.map(record) };
}
