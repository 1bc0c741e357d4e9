import {
  BEFORE_FIRST,
  type Clock,
  type Offset,
  portError,
  type TaskRef,
  type TopicInfo,
  type TopicLost,
} from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import { Admission } from "./admission.ts";
import { GroupHints } from "./group-hints.ts";
import type { GroupState } from "./group-state.ts";
import { MemoryPartition } from "./memory-partition.ts";
import { Pace } from "./pace.ts";
import { refill } from "./refill.ts";
import { StateBuckets } from "./state-buckets.ts";

/** A topic and what belongs to it. */
export interface MemoryTopic {
  readonly info: TopicInfo;
  readonly partitions: readonly MemoryPartition[];
  /** The writers' table: watermark in ms by writer; `null` for a writer that a commit has taken out. */
  readonly writers: Map<string, number | null>;
}

/** What is kept of a task. */
export interface MemoryTask {
  /** Of the topic at the first acquisition. */
  readonly incarnation: string;
  generation: number;
  /** `null` before the first acquisition. */
  nonce: string | null;
  sequence: number;
  offset: Offset;
  processed: number;
  time: string | null;
  /** When `processed` changed (ms, by the store's clock); `null` before the first commit. */
  movedAtMs: number | null;
  readonly stores: Map<string, StateBuckets>;
}

/** The data of one memory adapter, shared by all of its sessions. */
export class MemoryStore {
  readonly clock: Clock;
  readonly admission = new Admission();
  readonly pace = new Pace();
  /** Consumer groups by name. */
  readonly groups = new Map<string, GroupState>();
  readonly hints = new GroupHints();
  readonly #maxBytesPerPartition: number;
  readonly #topics = new Map<string, MemoryTopic>();
  readonly #tasks = new Map<string, MemoryTask>();

  constructor(options: { readonly clock: Clock; readonly maxBytesPerPartition: number }) {
    this.clock = options.clock;
    this.#maxBytesPerPartition = options.maxBytesPerPartition;
  }

  /** The topic of that name, in whatever incarnation. */
  topicNamed(name: string): MemoryTopic | undefined {
    return this.#topics.get(name);
  }

  /** The topic that the caller means, or `TopicLost`. */
  topic(info: TopicInfo): E.Either<TopicLost, MemoryTopic> {
    const topic = this.#topics.get(info.name);
    if (topic?.info.incarnation === info.incarnation) {
      return E.right(topic);
    }
    const what = topic === undefined ? "does not exist" : "was deleted and created again";
    return E.left(portError("TopicLost", `topic ${info.name} ${what}; stop, and ask for it again`));
  }

  /** {@link partitionOf} the topic that the caller means, or `TopicLost`. */
  partition(info: TopicInfo, number: number): E.Either<TopicLost, MemoryPartition> {
    return E.map((topic: MemoryTopic) => partitionOf(topic, number))(this.topic(info));
  }

  createTopic(info: TopicInfo): void {
    const partitions = Array.from(
      { length: info.partitions },
      () => new MemoryPartition(this.clock, this.#maxBytesPerPartition),
    );
    this.#topics.set(info.name, { info, partitions, writers: new Map() });
  }

  /** Deletes a topic as an administrator would; tasks that read it are told that it is lost. */
  deleteTopic(name: string): void {
    const topic = this.#topics.get(name);
    this.#topics.delete(name);
    for (const partition of topic?.partitions ?? []) {
      partition.wakeReaders();
    }
    this.admission.recheck();
  }

  task(ref: TaskRef): MemoryTask | undefined {
    return this.#tasks.get(taskKey(ref));
  }

  /** A task that was never acquired: it begins with the oldest record that `partition` still has. */
  createTask(ref: TaskRef, partition: MemoryPartition): MemoryTask {
    const task: MemoryTask = {
      incarnation: ref.topic.incarnation,
      generation: 0,
      nonce: null,
      sequence: 0,
      offset: BEFORE_FIRST,
      processed: partition.trimmed,
      time: null,
      movedAtMs: null,
      stores: new Map(),
    };
    this.#tasks.set(taskKey(ref), task);
    partition.groups.set(ref.group, task);
    return task;
  }

  /**
   * Returns a function that puts the data back as it is now: the store has restarted, and lost what was written since. Close
   * its sessions before, as a server does that goes down. Records that were dropped meanwhile stay dropped.
   */
  snapshot(): () => void {
    const groups = [...this.groups];
    const topics = [...this.#topics];
    const tasks = [...this.#tasks];
    const contents = [
      ...topics.map(([, topic]) => snapshotOfTopic(topic)),
      ...tasks.map(([, task]) => snapshotOfTask(task)),
    ];
    return () => {
      refill(this.groups, groups);
      refill(this.#topics, topics);
      refill(this.#tasks, tasks);
      for (const restore of contents) {
        restore();
      }
      this.admission.recheck();
    };
  }

  /** About how much memory the records of all topics take. */
  bytes(): number {
    let bytes = 0;
    for (const { partitions } of this.#topics.values()) {
      for (const partition of partitions) {
        bytes += partition.bytes;
      }
    }
    return bytes;
  }
}

/** A partition of a topic. Throws where the topic has no such partition: a mistake of the caller. */
export function partitionOf({ info, partitions }: MemoryTopic, number: number): MemoryPartition {
  const partition = partitions[number];
  if (partition === undefined) {
    throw new RangeError(`topic ${info.name} has ${partitions.length} partitions, none numbered ${number}`);
  }
  return partition;
}

/** A store of a task, made where it does not exist. */
export function storeOf(task: MemoryTask, name: string): StateBuckets {
  const found = task.stores.get(name) ?? new StateBuckets();
  task.stores.set(name, found);
  return found;
}

function snapshotOfTopic({ partitions, writers }: MemoryTopic): () => void {
  const restorePartitions = partitions.map((partition) => partition.snapshot());
  const writersThen = [...writers];
  return () => {
    for (const restore of restorePartitions) {
      restore();
    }
    refill(writers, writersThen);
  };
}

function snapshotOfTask(task: MemoryTask): () => void {
  const { stores, ...fields } = task;
  const storesThen = [...stores];
  const restoreStores = storesThen.map(([, store]) => store.snapshot());
  return () => {
    Object.assign(task, fields);
    refill(stores, storesThen);
    for (const restore of restoreStores) {
      restore();
    }
  };
}

function taskKey({ group, topic, partition }: TaskRef): string {
  return JSON.stringify([group, topic.name, partition]);
}
