/**
 * Names of the keys in Redis.
 *
 * The part in braces is the hash tag: whatever one commit touches in the partition that it reads carries the same tag,
 * so that it lies in one Cluster slot.
 */

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

/** Makes the key names of one namespace. */
export interface Keys {
  topic(topic: string): TopicKeys;
  partition(topic: string, partition: number): PartitionKeys;
  /** Hash: incarnation, next (sequence). */
  producer(topic: string, partition: number, producer: string): string;
  /** Hash: generation, nonce, sequence, offset, processed, time, incarnation. */
  task(topic: string, partition: number, group: string): string;
  /** Hash: the content of a store. */
  state(topic: string, partition: number, group: string, store: string): string;
  /** Hash: generation, member. */
  group(group: string): string;
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
    state: (topic, partition, group, store) => inPartition(topic, partition, `state:${part(group)}:${part(store)}`),
    group: (group) => tagged(part(group), "group"),
  };
}

/** Valid names stay as they are; anything else is escaped, so that no two sets of names give one key. */
function part(name: string): string {
  return encodeURIComponent(name);
}
