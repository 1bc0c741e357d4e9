import type { TopicInfo } from "@millrace/core";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { changesOf, nextTopology } from "../../src/topology/evolution.ts";
import type { Footprint, StoreFootprint } from "../../src/topology/footprint.ts";
import { type KeptTopology, NOTHING_KEPT, physicalName } from "../../src/topology/kept-topology.ts";
import { anyFootprint, anyKept, TOPIC, TOPICS } from "../support/any-topology.ts";

const NONE: ReadonlySet<string> = new Set();
const MINUTES: StoreFootprint = {
  source: "orders",
  keeps: "tumbling 60000 ms: n count",
  version: 1,
  migrates: false,
};
const BY_A = "p.a.repartition";
const BY_B = "p.b.repartition";

function footprint(
  stores: Readonly<Record<string, Partial<StoreFootprint>>>,
  repartitions: Readonly<Record<string, number | null>> = {},
): Footprint {
  return {
    stores: new Map(Object.entries(stores).map(([name, store]) => [name, { ...MINUTES, ...store }])),
    repartitions: new Map(Object.entries(repartitions)),
  };
}

/** What a group remembers after these pipelines have run, one after the other. */
function after(...footprints: readonly Footprint[]): KeptTopology {
  return footprints.reduce<KeptTopology | null>((kept, now) => next(kept, now), null) ?? NOTHING_KEPT;
}

function next(kept: KeptTopology | null, now: Footprint, renewed: ReadonlySet<string> = NONE): KeptTopology {
  return nextTopology(kept, now, { topics: TOPICS, renewed });
}

/** The differences, each as its kind and name. */
function kinds(kept: KeptTopology, now: Footprint): readonly string[] {
  return changesOf(kept, now).map((change) => `${change.kind === "differs" ? change.how : change.kind} ${change.name}`);
}

describe("nothing changes for", () => {
  it("the pipeline itself", () => {
    fc.assert(
      fc.property(anyFootprint, (now) => {
        expect(changesOf(after(now), now)).toEqual([]);
        expect(next(after(now), now)).toEqual(after(now));
      }),
    );
  });

  it("a store that is added", () => {
    expect(kinds(after(footprint({ a: {} })), footprint({ a: {}, b: {} }))).toEqual([]);
  });

  it("a version that is raised, and migrates", () => {
    expect(kinds(after(footprint({ a: {} })), footprint({ a: { version: 2, migrates: true } }))).toEqual([]);
  });

  it("other contents of the same cut, with a version that is raised and migrates", () => {
    const now = footprint({ a: { keeps: "tumbling 60000 ms: n count, total sum", version: 2, migrates: true } });
    expect(kinds(after(footprint({ a: {} })), now)).toEqual([]);
  });

  it("a version that migrates no more, when it is the only one that ever wrote", () => {
    const now = footprint({ a: { version: 2 } });
    expect(kinds(after(footprint({ a: { version: 2, migrates: true } })), now)).toEqual([]);
  });

  it("a number of partitions that is said for the first time, or no more, and is the right one", () => {
    const [said, unsaid] = [footprint({}, { [BY_A]: 4 }), footprint({}, { [BY_A]: null })];
    expect(kinds(after(said), unsaid)).toEqual([]);
    expect(kinds(after(unsaid), said)).toEqual([]);
  });
});

describe("it is seen that", () => {
  it.each<readonly [string, Partial<StoreFootprint>, string]>([
    ["a version is raised and does not migrate", { version: 2 }, "raised a"],
    ["other contents come without another version", { keeps: "tumbling 60000 ms: n sum" }, "redefined a"],
    ["they come so though the store migrates", { keeps: "tumbling 60000 ms: n sum", migrates: true }, "redefined a"],
    ["other contents do not migrate", { keeps: "tumbling 60000 ms: n sum", version: 2 }, "redefined a"],
    [
      "windows are cut in another way",
      { keeps: "tumbling 90000 ms: n count", version: 2, migrates: true },
      "redefined a",
    ],
    ["a store reads another topic", { source: BY_A }, "moved a"],
    ["it does so with a higher version that migrates", { source: BY_A, version: 2, migrates: true }, "moved a"],
  ])("%s", (_, change, expected) => {
    expect(kinds(after(footprint({ a: {} })), footprint({ a: change }))).toEqual([expected]);
  });

  it("a version is lowered, whatever else", () => {
    const stored = after(footprint({ a: { version: 3, migrates: true } }));
    expect(kinds(stored, footprint({ a: { version: 2, migrates: true } }))).toEqual(["lowered a"]);
    expect(kinds(stored, footprint({ a: { version: 2, keeps: "identities" } }))).toEqual(["lowered a"]);
  });

  it("migrate is gone while entries of an earlier version may be there", () => {
    const stored = after(footprint({ a: {} }), footprint({ a: { version: 2, migrates: true } }));
    expect(kinds(stored, footprint({ a: { version: 2 } }))).toEqual(["unmigrated a"]);
    expect(kinds(stored, footprint({ a: { version: 3 } }))).toEqual(["raised a"]);
  });

  it("a store is gone, with all others that are, by name", () => {
    const stored = after(footprint({ c: {}, a: { keeps: "identities" }, b: {} }));
    expect(kinds(stored, footprint({ b: {} }))).toEqual(["dropped a", "dropped c"]);
  });

  it("a topic of a change of key is gone, or has another number of partitions", () => {
    const stored = after(footprint({}, { [BY_A]: null, [BY_B]: null }));
    expect(kinds(stored, footprint({}, { [BY_B]: 8 }))).toEqual([`topicDropped ${BY_A}`, `topicResized ${BY_B}`]);
  });

  it("a store was dropped, also by versions that ran since", () => {
    const stored = after(footprint({ a: {} }), footprint({}), footprint({ b: {} }));
    expect(kinds(stored, footprint({ b: {} }))).toEqual(["dropped a"]);
    expect(kinds(stored, footprint({ a: {}, b: {} }))).toEqual([]);
  });
});

describe("a store that is gone looks renamed", () => {
  const renamed = (before: Footprint, now: Footprint): unknown =>
    changesOf(after(before), now).map((change) => (change.kind === "dropped" ? change.renamed : null));

  it("where a new one keeps the same of the same topic", () => {
    expect(renamed(footprint({ a: {} }), footprint({ b: { keeps: "identities" }, c: {} }))).toEqual(["c"]);
  });

  it("where the topic of its change of key was renamed with it", () => {
    const before = footprint({ a: { source: BY_A } }, { [BY_A]: null });
    expect(renamed(before, footprint({ b: { source: BY_B } }, { [BY_B]: null }))).toEqual(["b", null]);
    expect(renamed(before, footprint({ b: { source: "orders" } }))).toEqual([null, null]);
  });

  it("not where the other one was there before, or keeps something else", () => {
    expect(renamed(footprint({ a: {}, b: {} }), footprint({ b: {} }))).toEqual([null]);
    expect(renamed(footprint({ a: {} }), footprint({ b: { keeps: "identities" } }))).toEqual([null]);
    expect(renamed(footprint({ a: {} }), footprint({ b: { source: BY_A } }, { [BY_A]: null }))).toEqual([null]);
  });
});

describe("the group remembers", () => {
  const nameOf = (kept: KeptTopology, store: string): string | null => {
    const found = kept.stores.get(store);
    return found === undefined ? null : physicalName(store, found.since);
  };

  it("the topics as they are in the store, where a topic was made anew, too", () => {
    const now = footprint({ a: { source: BY_A } }, { [BY_A]: null });
    const anew: TopicInfo = { name: BY_A, partitions: 4, incarnation: "j" };
    const topics = new Map([[BY_A, anew]]);
    const kept = nextTopology(after(now), now, { topics, renewed: NONE });
    expect(kept.stores.get("a")?.source).toEqual(anew);
    expect(kept.repartitions.get(BY_A)).toEqual(anew);
  });

  it("the oldest version that may have left entries", () => {
    const migrating = { version: 3, migrates: true };
    const kept = after(footprint({ a: { version: 2 } }), footprint({ a: migrating }));
    expect(kept.stores.get("a")).toMatchObject({ version: 3, oldest: 2 });
    expect(next(kept, footprint({ a: migrating }), new Set(["a"])).stores.get("a")).toMatchObject({ oldest: 3 });
  });

  it("a store that begins anew under another name, and what is to be deleted", () => {
    const first = next(after(footprint({ a: {}, b: {} })), footprint({ a: {}, b: {} }), new Set(["a"]));
    expect([nameOf(first, "a"), nameOf(first, "b")]).toEqual(["a~1", "b"]);
    expect(first.doomed).toEqual([{ store: "a", source: TOPIC }]);
    const second = next(first, footprint({ a: {}, b: {} }), new Set(["a", "b"]));
    expect([nameOf(second, "a"), nameOf(second, "b")]).toEqual(["a~2", "b~2"]);
    expect(second.doomed.map(({ store }) => store)).toEqual(["a", "b", "a~1"]);
  });

  it("what a group without a memory has under the names of the plan, so that it is deleted, too", () => {
    const kept = next(null, footprint({ a: {} }), new Set(["a"]));
    expect(nameOf(kept, "a")).toBe("a~1");
    expect(kept.doomed).toEqual([{ store: "a", source: TOPIC }]);
  });

  it("a store that is reset and gone no more, and one of that name is another", () => {
    const kept = next(after(footprint({ a: {} })), footprint({}), new Set(["a"]));
    expect(kept.stores.size).toBe(0);
    expect(nameOf(next(kept, footprint({ a: {} })), "a")).toBe("a~1");
  });

  it("a topic that is reset no more, unless it is there", () => {
    const stored = after(footprint({}, { [BY_A]: null, [BY_B]: null }));
    const kept = next(stored, footprint({}, { [BY_B]: null }), new Set([BY_A, BY_B]));
    expect([...kept.repartitions.keys()]).toEqual([BY_B]);
    expect(kept.doomed).toEqual([]);
  });

  it("no name twice: what was given up is never the name of a store again", () => {
    const steps = fc.array(fc.tuple(anyFootprint, fc.subarray(["a", "b", "c", "x.window"])), { maxLength: 8 });
    fc.assert(
      fc.property(anyKept, steps, (begin, history) => {
        let kept: KeptTopology = { ...begin, doomed: [] };
        for (const [now, reset] of history) {
          kept = next(kept, now, new Set(reset));
          const living = new Set([...kept.stores.keys()].map((name) => nameOf(kept, name)));
          expect(kept.doomed.map(({ store }) => store).filter((name) => living.has(name))).toEqual([]);
        }
      }),
    );
  });

  it("every change that is named is gone when what it names begins anew, but those of number of partitions", () => {
    fc.assert(
      fc.property(anyKept, anyFootprint, (kept, now) => {
        const names = new Set(changesOf(kept, now).map(({ name }) => name));
        expect(changesOf(next(kept, now, names), now).filter(({ kind }) => kind !== "topicResized")).toEqual([]);
      }),
    );
  });
});
