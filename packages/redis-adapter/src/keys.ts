/**
 * Names of the keys in Redis.
 *
 * The part in braces is the hash tag: whatever one commit touches in the partition that it reads carries the same tag,
 * so that it lies in one Cluster slot.
 */

import type { TaskRef } from "@millrace/core";

/** The keys of one topic. */
interface TopicKeys {
  /** Hash: partitions, incarnation, placement, format. */
  readonly topic: string;
  /** Hash: writer → watermark. */
  readonly writers: string;
}

/** The keys that exist once for each partition. */
export interface PartitionKeys {
  /** Stream: the records. */
  readonly log: string;
  /** Hash: incarnation, sealed. */
  readonly meta: string;
}

/** The keys of one state store of a task. */
export interface StoreKeys {
  /** Hash: key → value. */
  readonly values: string;
  /** Sorted set: key, by its due time; only of entries that have one. */
  readonly dues: string;
}

/** The keys of one consumer group, all in one slot. Instances are percent-encoded, so that `;` separates. */
interface GroupKeys {
  /**
   * Hash: epoch, generation, targetEpoch (of the stored target), `plan:<sub-topology>` → `<partitions>;<meaning>`,
   * topology (what is remembered of the pipeline, as text), topologyRevision;
   * while the target does not fit the members: dueAt (of a proposal), firstChange, urgent, proposer, proposerUntil.
   */
  readonly group: string;
  /** Hash: member → `<instance>;<sessionMs>;<revocationMs>;<JSON of weight, runs, host, pid>`. */
  readonly members: string;
  /** Sorted set: member, by when its session is over. */
  readonly sessions: string;
  /** Set: the members that are about to leave. */
  readonly leaving: string;
  /** Hash: member → JSON list of the tasks that it is to own. */
  readonly target: string;
  /** Hash: task → `<member>;<instance>;<generation>;<stoppedAt>`; once it was released, without the instance. */
  readonly owners: string;
  /** Hash: task that another member wants → when its holder must have given it up. */
  readonly asked: string;
  /** Hash: task → `<member that held it before>;<until when that is remembered>`. */
  readonly past: string;
  /** Set: the tasks that are complete. */
  readonly completed: string;
}

/** Makes the key names of one namespace. */
export interface Keys {
  topic(topic: string): TopicKeys;
  partition(topic: string, partition: number): PartitionKeys;
  /** Hash: incarnation, next (sequence). */
  producer(topic: string, partition: number, producer: string): string;
  /** Hash: generation, nonce, sequence, offset, processed, movedAt (ms, when `processed` last changed, or began), time, incarnation. */
  task(topic: string, partition: number, group: string): string;
  /** The keys of one state store. */
  store(task: TaskRef, store: string): StoreKeys;
  group(group: string): GroupKeys;
  /** Not a key but a channel: what happens in the group. */
  hints(group: string): string;
}

/** The key names under `namespace`, which must be a valid name. */
export function keysOf(namespace: string): Keys {
  const tagged = (tag: string, rest: string): string => `${namespace}:{${tag}}:${rest}`;
  const inPartition = (topic: string, partition: number, rest: string): string =>
    tagged(`${part(topic)}/${partition}`, rest);
  return {
    topic: (topic) => ({ topic: tagged(part(topic), "topic"), writers: tagged(part(topic), "writers") }),
    partition: (topic, partition) => ({
      log: inPartition(topic, partition, "log"),
      meta: inPartition(topic, partition, "meta"),
    }),
    producer: (topic, partition, producer) => inPartition(topic, partition, `producer:${part(producer)}`),
    task: (topic, partition, group) => inPartition(topic, partition, `task:${part(group)}`),
    store: ({ group, topic, partition }, store) => {
      const ofStore = (kind: string): string =>
        inPartition(topic.name, partition, `${kind}:${part(group)}:${part(store)}`);
      return { values: ofStore("state"), dues: ofStore("due") };
    },
    group: (group) => {
      const inGroup = (rest: string): string => tagged(part(group), rest);
      return {
        group: inGroup("group"),
        members: inGroup("members"),
        sessions: inGroup("sessions"),
        leaving: inGroup("leaving"),
        target: inGroup("target"),
        owners: inGroup("owners"),
        asked: inGroup("asked"),
        past: inGroup("past"),
        completed: inGroup("completed"),
      };
    },
    hints: (group) => tagged(part(group), "hints"),
  };
}

/** Valid names stay as they are; anything else is escaped, so that no two sets of names give one key. */
function part(name: string): string {
  return encodeURIComponent(name);
}
