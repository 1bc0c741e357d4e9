import type { PlanEntry } from "../ports/group.ts";
import type { TopicInfo } from "../ports/log.ts";
import { describeStore, footprintOf } from "./footprint.ts";
import type { SubTopology } from "./sub-topology.ts";

/**
 * What the members of a group must agree on to share a sub-topology: the topic itself, what is kept and in which version, and
 * where it writes. Operators that keep nothing may differ, so that a new version can replace an old one worker by worker.
 */
export function planEntryOf(subTopology: SubTopology, source: TopicInfo): PlanEntry {
  const { writes } = subTopology;
  const keeps = [...footprintOf([subTopology]).stores].map(([name, store]) => `${name} (${describeStore(store)})`);
  const kept = keeps.length === 0 ? "keeps nothing" : `keeps ${keeps.toSorted().join(", ")}`;
  const written = writes.length === 0 ? "writes nothing" : `writes ${namesOf(writes).join(", ")}`;
  return { partitions: source.partitions, meaning: `${source.incarnation} ${kept}; ${written}` };
}

/** The topic that a plan entry speaks of. */
export function topicIn(name: string, { partitions, meaning }: PlanEntry): TopicInfo {
  return { name, partitions, incarnation: meaning.split(" ", 1)[0] ?? "" };
}

function namesOf(topics: readonly { readonly name: string }[]): readonly string[] {
  return topics.map(({ name }) => name).toSorted();
}
