import { setTimeout as pause } from "node:timers/promises";
import {
  type AppendRequest,
  BEFORE_FIRST,
  type Commit,
  type NewRecord,
  type Ownership,
  type PortError,
  type Ports,
  type StoredRecord,
  type TaskRef,
  type TopicInfo,
} from "@millrace/core";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import { onTestFinished } from "vitest";
import { type RedisAdapterOptions, redisAdapter } from "../../src/redis-adapter.ts";

export const AMPLE = { maxRecords: 10_000, maxBytes: 64 * 1024 * 1024 };

/** What a call returned; fails the test when it did not succeed. */
export async function ok<A>(call: TaskEither<PortError, A>): Promise<A> {
  const result = await call();
  if (result._tag === "Left") {
    throw new Error(`expected success, got ${result.left._tag}: ${result.left.message}`);
  }
  return result.right;
}

/** The failure of a call; fails the test when it succeeded. */
export async function failure<E>(call: TaskEither<E, unknown>): Promise<E> {
  const result = await call();
  if (result._tag === "Right") {
    throw new Error("expected a failure, got success");
  }
  return result.left;
}

/** What a call returns once the store is there again: repeated while it answers `Unavailable`. */
export async function settled<A>(call: TaskEither<PortError, A>, withinMs = 15_000): Promise<A> {
  const untilMs = performance.now() + withinMs;
  for (;;) {
    const result = await call();
    if (result._tag === "Right" || result.left._tag !== "Unavailable" || performance.now() > untilMs) {
      return ok(() => Promise.resolve(result));
    }
    await pause(10); // as whoever calls would, between attempts
  }
}

/** Ports that are closed when the test ends. */
export async function openPorts(options: RedisAdapterOptions): Promise<Ports> {
  const ports = await ok(redisAdapter(options).open());
  onTestFinished(() => ports.close());
  return ports;
}

/** Waits until `condition` holds; fails the test when it does not within `withinMs`. */
export async function until(condition: () => boolean | Promise<boolean>, withinMs = 10_000): Promise<void> {
  const untilMs = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > untilMs) {
      throw new Error(`not so within ${withinMs} ms: ${condition.toString()}`);
    }
    await pause(5);
  }
}

export function newTopic(ports: Ports, name = "topic", partitions = 1): Promise<TopicInfo> {
  return ok(ports.log.ensureTopic({ name, partitions, defaultPartitions: 1 }));
}

export function record(payload: string, rest: Partial<NewRecord> = {}): NewRecord {
  return { key: "", timestampMs: 0, payload, headers: {}, watermarkMs: null, ...rest };
}

/** Records with the payloads `<from>` to `<from + count - 1>`. */
export function numbered(count: number, from = 0): readonly NewRecord[] {
  return Array.from({ length: count }, (_, n) => record(`${from + n}`));
}

/** An append to partition 0 of records numbered by their sequence. */
export function appendOf(
  topic: TopicInfo,
  range: { readonly from?: number; readonly count: number },
  rest: Partial<AppendRequest> = {},
): AppendRequest {
  const { from = 0, count } = range;
  return {
    topic,
    partition: 0,
    producer: "p",
    ephemeral: false,
    firstSequence: from,
    records: numbered(count, from),
    ...rest,
  };
}

/** The task's next commit, which moves nothing but the sequence, except for what the test says. */
export function commitOf(task: TaskRef, owner: Ownership, rest: Partial<Commit> = {}): Commit {
  const { nonce, sequence, offset, processed } = owner;
  return { task, nonce, sequence, offset, processed, outputs: [], state: [], time: "", watermarks: [], ...rest };
}

/** The next `count` records of a partition; repeats reads that failed for a while. */
export async function readRecords(ports: Ports, topic: TopicInfo, count: number): Promise<readonly StoredRecord[]> {
  const reader = ports.log.reader(topic, 0, BEFORE_FIRST);
  const found: StoredRecord[] = [];
  while (found.length < count) {
    found.push(...(await settled(() => reader.next(AMPLE))).records);
  }
  reader.close();
  return found;
}
