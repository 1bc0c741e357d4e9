import {
  BEFORE_FIRST,
  type Commit,
  type NewRecord,
  type Offset,
  type Output,
  type Ownership,
  type PortError,
  type Ports,
  type TaskRef,
  type TopicInfo,
} from "@millrace/core";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import { ok } from "../../src/conformance/outcome.ts";
import { appendOf, commitOf } from "../../src/conformance/requests.ts";
import { type MemoryAdapter, memoryAdapter } from "../../src/index.ts";

/** Limit of the partitions of a {@link SmallBroker}. */
export const LIMIT_BYTES = 64 * 1024;

/** A little less than a quarter of the limit: with the record's overhead, the fifth record finds room, the sixth does not. */
const PAYLOAD_BYTES = 15 * 1024;

/** A memory adapter whose partitions have room for five records, and what tests do with it. */
export interface SmallBroker {
  readonly adapter: MemoryAdapter;
  readonly ports: Ports;
  /** A topic with one partition. */
  topic(name: string): Promise<TopicInfo>;
  /** Appends one record as a producer of its own, so that the order of calls is the only order. */
  append(topic: TopicInfo, name: string, signal?: AbortSignal): TaskEither<PortError, number>;
  /** Appends the records a, b, c, d and e, which leaves no room. */
  fill(topic: TopicInfo): Promise<void>;
  /** The names of the records that are still there. */
  names(topic: TopicInfo): Promise<string>;
  /** Offset of the record called `name`, which must still be there. */
  offsetOf(topic: TopicInfo, name: string): Promise<Offset>;
  /** Acquires the task of `group` on `topic`. */
  worker(group: string, topic: TopicInfo): Promise<Worker>;
}

/** A task that commits as told, one sequence after the other. */
interface Worker {
  readonly task: TaskRef;
  readonly owner: Ownership;
  commit(change: Partial<Commit>): TaskEither<PortError, "applied" | "alreadyApplied">;
}

/** A record whose key is `name`. */
export function named(name: string, bytes: number = PAYLOAD_BYTES): NewRecord {
  return { key: name, timestampMs: 0, payload: "x".repeat(bytes), headers: {}, watermarkMs: null };
}

/** One {@link named} record for the only partition of `topic`. */
export function output(topic: TopicInfo, name: string): Output {
  return { topic, partition: 0, records: [named(name)] };
}

/** What a call came to: its error's tag, or its value. */
export async function outcome<A>(call: TaskEither<PortError, A>): Promise<PortError["_tag"] | A> {
  const result = await call();
  return result._tag === "Left" ? result.left._tag : result.right;
}

/** Whether the promise is still open after everything that can happen without time and I/O has happened. */
export async function pending(promise: Promise<unknown>): Promise<boolean> {
  let open = true;
  const settled = (): void => {
    open = false;
  };
  promise.then(settled, settled);
  for (let turn = 0; turn < 5; turn++) {
    await new Promise(setImmediate);
  }
  return open;
}

/** Starts a broker whose partitions hold {@link LIMIT_BYTES}. */
export async function startSmallBroker(options: Parameters<typeof memoryAdapter>[0] = {}): Promise<SmallBroker> {
  const adapter = memoryAdapter({ maxBytesPerPartition: LIMIT_BYTES, ...options });
  const ports = await ok(adapter.open());

  async function recordsOf(topic: TopicInfo): Promise<readonly { readonly key: string; readonly offset: Offset }[]> {
    const reader = ports.log.reader(topic, 0, BEFORE_FIRST);
    const { records } = await ok(() => reader.next({ maxRecords: 1000, maxBytes: 1e9 }));
    reader.close();
    return records;
  }

  const broker: SmallBroker = {
    adapter,
    ports,
    topic: (name) => ok(ports.log.ensureTopic({ name, partitions: 1, defaultPartitions: 1 })),
    append: (topic, name, signal) =>
      ports.log.append(appendOf(topic, [named(name)], { producer: name, ...(signal && { signal }) })),
    fill: async (topic) => {
      for (const name of ["a", "b", "c", "d", "e"]) {
        await ok(broker.append(topic, name));
      }
    },
    names: async (topic) => (await recordsOf(topic)).map(({ key }) => key).join(""),
    offsetOf: async (topic, name) => {
      const found = (await recordsOf(topic)).find(({ key }) => key === name);
      if (found === undefined) {
        throw new Error(`no record ${name}`);
      }
      return found.offset;
    },
    worker: async (group, topic) => {
      const task = { group, topic, partition: 0 };
      const owner: Ownership = await ok(ports.tasks.acquire(task, 1));
      let { sequence } = owner;
      return {
        task,
        owner,
        commit: (change) => ports.tasks.commit(commitOf(task, owner, { sequence: sequence++, ...change })),
      };
    },
  };
  return broker;
}
