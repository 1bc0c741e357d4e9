/** The topics of a pipeline in the store. */
import type { Log, TopicInfo } from "../ports/log.ts";
import type { SubTopology } from "../topology/compile.ts";
import { DEFAULT_PARTITIONS } from "../topology/topic.ts";
import { demand } from "./demand.ts";
import { taskName } from "./task-options.ts";

/** The topics that the sub-topologies read and write, created where they are missing. Rejects with `MillraceError`. */
export async function ensureTopics(
  log: Log,
  subTopologies: readonly SubTopology[],
): Promise<ReadonlyMap<string, TopicInfo>> {
  const topics = new Map<string, TopicInfo>();
  const upstreams = new Map(subTopologies.map(({ source, upstream }) => [source.name, upstream]));
  for (const { name, partitions } of subTopologies.flatMap(({ source, writes }) => [source, ...writes])) {
    if (!topics.has(name)) {
      const upstream = upstreams.get(name) ?? null;
      const sameAsUpstream = upstream === null ? null : (topics.get(upstream.name)?.partitions ?? null);
      const spec = { name, partitions: partitions ?? sameAsUpstream, defaultPartitions: DEFAULT_PARTITIONS };
      topics.set(name, await demand(log.ensureTopic(spec)));
    }
  }
  return topics;
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
