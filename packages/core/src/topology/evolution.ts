/**
 * How a pipeline and what its group remembers differ, and what the group is to remember next. Pure.
 *
 * A difference matters where state would be lost or read wrongly. Whether it does so depends on whether there is any: every
 * difference named here is harmless for a store that is empty in all partitions, and for a topic of which nothing is left to
 * be read. What is not carried over begins under a name of its own, so that nothing that still writes the old one harms it.
 */
import type { TopicInfo } from "../ports/log.ts";
import { type Footprint, type StoreFootprint, shapeOf } from "./footprint.ts";
import { type KeptStore, type KeptTopology, type LyingStore, NOTHING_KEPT, physicalName } from "./kept-topology.ts";

/** How a store that the group has differs from what the pipeline says of it. */
export type StoreDifference =
  /** It reads another topic: other partitions, other records. */
  | "moved"
  /** Entries of a later version. */
  | "lowered"
  /** Entries of an earlier version, which the pipeline does not migrate. */
  | "raised"
  /** As `raised`; this version itself has written before, and could read them then. */
  | "unmigrated"
  /** Entries of another kind. */
  | "redefined";

/** What may keep a pipeline from running as this group. */
export type Change =
  | {
      readonly kind: "differs";
      readonly how: StoreDifference;
      readonly name: string;
      readonly stored: KeptStore;
      readonly now: StoreFootprint;
    }
  /** `renamed`: a store that is new and would fit it; for messages. */
  | { readonly kind: "dropped"; readonly name: string; readonly stored: KeptStore; readonly renamed: string | null }
  | { readonly kind: "topicDropped"; readonly name: string; readonly stored: TopicInfo }
  | { readonly kind: "topicResized"; readonly name: string; readonly stored: TopicInfo; readonly partitions: number };

/** What differs between what a group remembers and a pipeline, and may matter; by name. */
export function changesOf(kept: KeptTopology, now: Footprint): readonly Change[] {
  const stores = [...kept.stores].map(([name, stored]) => storeChange(name, { kept, now, stored }));
  const topics = [...kept.repartitions].map(([name, stored]) => topicChange(name, stored, now));
  return [...stores, ...topics].filter((change) => change !== null).toSorted(byName);
}

/** What the group is to remember when it runs the pipeline. */
export function nextTopology(
  kept: KeptTopology | null,
  now: Footprint,
  how: {
    /** The topics of the pipeline, by name. */
    readonly topics: ReadonlyMap<string, TopicInfo>;
    /** Names of stores and topics of which nothing is carried over. */
    readonly renewed: ReadonlySet<string>;
  },
): KeptTopology {
  // Where nothing is remembered, what is there is taken for what the pipeline keeps.
  const before = kept ?? withAll(NOTHING_KEPT, now, how.topics);
  const given = [...before.stores].filter(([name]) => how.renewed.has(name));
  const doomed = given.map(([name, { source, since }]): LyingStore => ({ store: physicalName(name, since), source }));
  const left: KeptTopology = {
    resets: before.resets + (given.length > 0 ? 1 : 0),
    stores: new Map([...before.stores].filter(([name]) => !how.renewed.has(name))),
    repartitions: new Map([...before.repartitions].filter(([name]) => !how.renewed.has(name))),
    doomed: [...before.doomed, ...doomed],
  };
  return withAll(left, now, how.topics);
}

/** With everything that the pipeline keeps; what is there already stays where it is. */
function withAll(kept: KeptTopology, now: Footprint, topics: ReadonlyMap<string, TopicInfo>): KeptTopology {
  const stores = new Map(kept.stores);
  for (const [name, { source, keeps, version }] of now.stores) {
    const { oldest = version, since = kept.resets } = kept.stores.get(name) ?? {};
    const topic = topics.get(source);
    if (topic !== undefined) {
      stores.set(name, { source: topic, keeps, version, oldest, since });
    }
  }
  const repartitions = new Map(kept.repartitions);
  for (const name of now.repartitions.keys()) {
    const topic = topics.get(name);
    if (topic !== undefined) {
      repartitions.set(name, topic);
    }
  }
  return { ...kept, stores, repartitions };
}

function storeChange(
  name: string,
  of: { readonly kept: KeptTopology; readonly now: Footprint; readonly stored: KeptStore },
): Change | null {
  const { kept, now, stored } = of;
  const found = now.stores.get(name);
  if (found === undefined) {
    return { kind: "dropped", name, stored, renamed: newNameOf(kept, now, stored) };
  }
  const how = differenceOf(stored, found);
  return how === null ? null : { kind: "differs", how, name, stored, now: found };
}

function differenceOf(stored: KeptStore, now: StoreFootprint): StoreDifference | null {
  if (stored.source.name !== now.source) {
    return "moved";
  }
  if (now.version < stored.version) {
    return "lowered";
  }
  const isMigrated = now.version > stored.version && now.migrates;
  if (stored.keeps !== now.keeps) {
    return isMigrated && shapeOf(stored.keeps) === shapeOf(now.keeps) ? null : "redefined";
  }
  if (now.migrates || stored.oldest === now.version) {
    return null;
  }
  return now.version > stored.version ? "raised" : "unmigrated";
}

/** A new store that keeps the same of the same topic; a topic made for a change of key may have been renamed with it. */
function newNameOf(kept: KeptTopology, now: Footprint, stored: KeptStore): string | null {
  const wasMade = kept.repartitions.has(stored.source.name);
  const fits = ([name, { keeps, source }]: readonly [string, StoreFootprint]): boolean =>
    !kept.stores.has(name) &&
    keeps === stored.keeps &&
    (source === stored.source.name || (wasMade && now.repartitions.has(source)));
  return [...now.stores].find(fits)?.[0] ?? null;
}

function topicChange(name: string, stored: TopicInfo, now: Footprint): Change | null {
  const partitions = now.repartitions.get(name);
  if (partitions === undefined) {
    return { kind: "topicDropped", name, stored };
  }
  return partitions === null || partitions === stored.partitions
    ? null
    : { kind: "topicResized", name, stored, partitions };
}

function byName(a: Change, b: Change): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
