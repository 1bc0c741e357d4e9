import { MillraceError } from "../errors.ts";
import { partitionOf } from "../kernel/partitioner.ts";
import type { NewRecord, TopicInfo } from "../ports/log.ts";
import type { Any } from "../topology/any.ts";
import type { Topic } from "../topology/topic.ts";

/** A partition that a task writes. One object for each: they may be compared by identity. */
export interface Destination {
  readonly topic: TopicInfo;
  readonly partition: number;
}

/** Finds the partitions of what a task writes: by key, or in turn where a topic has none. */
export class Router {
  private readonly topics: ReadonlyMap<string, TopicInfo>;
  private readonly destinations: ReadonlyMap<string, readonly Destination[]>;
  private next = 0;

  constructor(topics: ReadonlyMap<string, TopicInfo>) {
    this.topics = topics;
    this.destinations = new Map([...topics].map(([name, topic]) => [name, destinationsOf(topic)]));
  }

  /** The topic as the store has it. */
  topicOf(to: Topic<Any>): TopicInfo {
    const topic = this.topics.get(to.name);
    if (topic === undefined) {
      throw notPrepared(to);
    }
    return topic;
  }

  /** In the partition of the record's key, or in the one that is said. */
  route(to: Topic<Any>, record: NewRecord, partition?: number): Destination {
    const destinations = this.destinations.get(to.name) ?? [];
    const destination = destinations[partition ?? this.partitionFor(to, record, destinations.length)];
    if (destination === undefined) {
      throw notPrepared(to);
    }
    return destination;
  }

  private partitionFor(to: Topic<Any>, record: NewRecord, partitions: number): number {
    if (to.key === null && record.key === "") {
      this.next += 1;
      return this.next % partitions;
    }
    return partitionOf(record.key, partitions);
  }
}

function destinationsOf(topic: TopicInfo): readonly Destination[] {
  return Array.from({ length: topic.partitions }, (_, partition) => ({ topic, partition }));
}

function notPrepared(topic: Topic<Any>): MillraceError {
  return new MillraceError("InvalidPipeline", `topic "${topic.name}" was not prepared`);
}
