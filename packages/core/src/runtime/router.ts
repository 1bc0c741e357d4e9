import { MillraceError } from "../errors.ts";
import { partitionOf } from "../kernel/partitioner.ts";
import type { NewRecord, TopicInfo } from "../ports/log.ts";
import type { Any } from "../topology/any.ts";
import type { Topic } from "../topology/topic.ts";

/** Finds the partitions of what a task writes: by key, or in turn where a topic has none. */
export class Router {
  private readonly topics: ReadonlyMap<string, TopicInfo>;
  private next = 0;

  constructor(topics: ReadonlyMap<string, TopicInfo>) {
    this.topics = topics;
  }

  /** The topic as the store has it. */
  topicOf(to: Topic<Any>): TopicInfo {
    const topic = this.topics.get(to.name);
    if (topic === undefined) {
      throw new MillraceError("InvalidPipeline", `topic "${to.name}" was not prepared`);
    }
    return topic;
  }

  route(to: Topic<Any>, record: NewRecord): { readonly topic: TopicInfo; readonly partition: number } {
    const topic = this.topicOf(to);
    if (to.key === null && record.key === "") {
      this.next += 1;
      return { topic, partition: this.next % topic.partitions };
    }
    return { topic, partition: partitionOf(record.key, topic.partitions) };
  }
}
