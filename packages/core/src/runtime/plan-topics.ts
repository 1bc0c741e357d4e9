/** The topics of a pipeline in the store. */
import { MillraceError } from "../errors.ts";
import type { Log, TopicInfo } from "../ports/log.ts";
import type { Any } from "../topology/any.ts";
import type { SubTopology } from "../topology/sub-topology.ts";
import { DEFAULT_PARTITIONS, type Topic } from "../topology/topic.ts";
import { demand } from "./demand.ts";
import { type RetryOptions, retrying } from "./retrying.ts";
import { taskName } from "./task-options.ts";

/**
 * The topics that the sub-topologies read and write, created where they are missing. Rejects with `MillraceError`. `retry`: how a
 * store is asked again that does not answer; without it, the first failure counts.
 */
export async function ensureTopics(
  log: Log,
  subTopologies: readonly SubTopology[],
  retry: RetryOptions | null = null,
): Promise<ReadonlyMap<string, TopicInfo>> {
  const topics = new Map<string, TopicInfo>();
  const ensure = async (name: string, partitions: number | null): Promise<void> => {
    const known = topics.get(name);
    if (known !== undefined && partitions !== null && known.partitions !== partitions) {
      const text = `topic "${name}" would have ${known.partitions} partitions for one part of the pipeline, and ${partitions} for another: give dead letters of topics with different numbers of partitions topics of their own`;
      throw new MillraceError("InvalidPipeline", text);
    }
    if (known === undefined) {
      const call = log.ensureTopic({ name, partitions, defaultPartitions: DEFAULT_PARTITIONS });
      topics.set(name, await demand(retry === null ? call : () => retrying(call, retry)));
    }
  };
  const upstreams = new Map(subTopologies.map(({ source, upstream }) => [source.name, upstream?.name ?? ""]));
  for (const { name, partitions } of subTopologies.flatMap(({ source, writes }) => [source, ...writes])) {
    await ensure(name, partitions ?? topics.get(upstreams.get(name) ?? "")?.partitions ?? null);
  }
  for (const { source, letterTopics, control } of subTopologies) {
    for (const { name } of control === null ? letterTopics : [...letterTopics, control]) {
      // What belongs to one partition of the source lies in the partition with the same number.
      await ensure(name, topics.get(source.name)?.partitions ?? null);
    }
  }
  return topics;
}

/** The topic as the store has it. */
export function topicOf(topics: ReadonlyMap<string, TopicInfo>, topic: Topic<Any>): TopicInfo {
  const info = topics.get(topic.name);
  if (info === undefined) {
    throw new MillraceError("InvalidPipeline", `topic "${topic.name}" was not prepared`);
  }
  return info;
}

/**
 * Enters all tasks as writers of what they write, so that no reader runs ahead of one that starts late. `onlyNew` where
 * the group runs already: then a writer that has stepped aside knows why. Rejects with `MillraceError`.
 */
export async function registerWriters(
  log: Log,
  of: {
    readonly group: string;
    readonly subTopologies: readonly SubTopology[];
    readonly topics: ReadonlyMap<string, TopicInfo>;
  },
  onlyNew: boolean,
): Promise<void> {
  for (const { source, writes } of of.subTopologies) {
    const topic = of.topics.get(source.name);
    const writers = Array.from({ length: topic?.partitions ?? 0 }, (_, partition) =>
      taskName({ group: of.group, topic: { name: source.name }, partition }),
    );
    for (const { name } of writes) {
      const written = of.topics.get(name);
      if (written !== undefined) {
        await demand(log.registerWriters(written, writers, onlyNew));
      }
    }
  }
}
