/** Random pipelines, as far as groups remember them. */
import type { TopicInfo } from "@millrace/core";
import * as fc from "fast-check";
import type { Footprint, StoreFootprint } from "../../src/topology/footprint.ts";
import type { KeptStore, KeptTopology } from "../../src/topology/kept-topology.ts";

/** A topic of these tests. */
export const TOPIC: TopicInfo = { name: "orders", partitions: 4, incarnation: "i" };

/** The topics of the pipelines that {@link anyFootprint} makes. */
export const TOPICS: ReadonlyMap<string, TopicInfo> = new Map(
  ["orders", "p.a.repartition", "p.b.repartition"].map((name) => [name, { ...TOPIC, name }]),
);

const anyName = fc.constantFrom("a", "b", "c", "constructor", "x.window");
const anyTopic = fc.constantFrom(...TOPICS.values());
const anyVersion = fc.integer({ min: 1, max: 4 });
const anyKeeps = fc.constantFrom("tumbling 60000 ms: n count", "tumbling 60000 ms: n sum", "identities", "");

const anyKeptStore: fc.Arbitrary<KeptStore> = fc
  .record({ source: anyTopic, keeps: anyKeeps, version: anyVersion, oldest: anyVersion, since: fc.nat(3) })
  .map((store) => ({ ...store, oldest: Math.min(store.oldest, store.version) }));

/** What a group may remember. */
export const anyKept: fc.Arbitrary<KeptTopology> = fc.record({
  resets: fc.integer({ min: 3, max: 9 }),
  stores: mapOf(anyName, anyKeptStore),
  repartitions: fc.subarray([...TOPICS].slice(1)).map((topics) => new Map(topics)),
  doomed: fc.array(fc.record({ store: anyName.map((name) => `${name}~1`), source: anyTopic }), { maxLength: 2 }),
});

const anyStore: fc.Arbitrary<StoreFootprint> = fc.record({
  source: fc.constantFrom(...TOPICS.keys()),
  keeps: anyKeeps,
  version: anyVersion,
  migrates: fc.boolean(),
});

/** What a pipeline may keep. */
export const anyFootprint: fc.Arbitrary<Footprint> = fc.record({
  stores: mapOf(anyName, anyStore),
  repartitions: fc
    .subarray([...TOPICS.keys()].slice(1))
    .chain((names) => fc.tuple(...names.map((name) => fc.constantFrom(null, 4).map((n) => [name, n] as const))))
    .map((entries) => new Map(entries)),
});

function mapOf<A>(key: fc.Arbitrary<string>, value: fc.Arbitrary<A>): fc.Arbitrary<ReadonlyMap<string, A>> {
  return fc.array(fc.tuple(key, value), { maxLength: 4 }).map((entries) => new Map(entries));
}
