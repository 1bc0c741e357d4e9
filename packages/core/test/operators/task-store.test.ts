/** The state of an operator against a model, with reads that are old and commits that take their time. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TaskStore } from "../../src/operators/task-store.ts";
import { NO_UNIT, type StoreSource } from "../../src/topology/stage.ts";
import { FakeStore, microtasks } from "../support/fake-store.ts";
import { putAll, type Step, StorePlay, stored, TIMED, type Timed } from "../support/store-play.ts";
import { inUnit } from "../support/task-stage.ts";

const key = fc.constantFrom("a", "b", "B", "é", "😀", "\uFFFD", "k1", "k2", "k3");
const time = fc.integer({ min: 0, max: 12 });
const state: fc.Arbitrary<Timed> = fc.record({ v: fc.nat({ max: 9 }), dueMs: fc.option(time, { nil: null }) });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("value" as const),
      keys: fc.uniqueArray(key, { minLength: 1, maxLength: 3 }),
      to: fc.option(state, { nil: null, freq: 4 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("time" as const),
      untilMs: time,
      most: fc.integer({ min: 1, max: 4 }),
      laterMs: fc.option(fc.integer({ min: 1, max: 5 }), { nil: null, freq: 2 }),
    }),
  },
  { weight: 3, arbitrary: fc.constant({ kind: "endUnit" as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: "tidy" as const }) },
);
const content = fc.uniqueArray(fc.tuple(key, state), { selector: ([name]) => name, maxLength: 9 });
const maxBytes = fc.constantFrom(1, 300, 700, 1_500, 1e9);

/** Numbers from 0 to 1, the same for the same seed. */
function randomOf(seed: number): () => number {
  let at = seed;
  return () => {
    at = (Math.imul(at, 1_664_525) + 1_013_904_223) >>> 0;
    return at / 2 ** 32;
  };
}

/** What memory has of a store, and what it takes. Not part of what operators see. */
function heldBy(store: TaskStore<Timed>): { readonly entries: number; readonly due: number; readonly bytes: number } {
  const inner = store as unknown as {
    readonly entries: { readonly entries: ReadonlyMap<string, { readonly state: Timed | null }> };
    readonly heap: { readonly size: number } | null;
  };
  const { entries } = inner.entries;
  const sizes = [...entries].map(
    ([name, held]) => 2 * (name.length + (held.state === null ? 0 : TIMED.encode(held.state).length)) + 200,
  );
  return {
    entries: entries.size,
    due: inner.heap?.size ?? 0,
    bytes: sizes.reduce((sum, bytes) => sum + bytes, 0),
  };
}

describe("a task's store", () => {
  it("is what a map would be, whenever reads are answered and commits applied, and whatever is evicted", async () => {
    await fc.assert(
      fc.asyncProperty(
        content,
        fc.array(step, { minLength: 1, maxLength: 40 }),
        maxBytes,
        fc.constantFrom("all", "some", "none"),
        fc.nat(),
        async (before, steps, most, seen, seed) => {
          const isSeen = (name: string): boolean => seen === "all" || (seen === "some" && name.startsWith("k"));
          const fake = new FakeStore(
            before.map(([name, value]) => [name, stored(value)]),
            { maxBytes: most, seen: isSeen },
          );
          const play = new StorePlay(fake, randomOf(seed));
          for (const one of steps) {
            await play.play(one);
          }
          play.settle();
          const expected = [...play.model].map(([name, value]) => [name, stored(value)] as const);
          expect(new Map(fake.content)).toEqual(new Map(expected));
          expect(heldBy(play.store).bytes).toBeLessThanOrEqual(Math.max(most, 0) < 200 ? 0 : most);
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it("finds an entry that was deleted no second time, however the answers to a read and a commit follow each other", async () => {
    for (let between = 0; between < 12; between++) {
      const fake = new FakeStore([["a", stored({ v: 1, dueMs: 5 })]], { maxBytes: 1, seen: () => false });
      const store = new TaskStore(TIMED, fake);
      fake.isPrompt = true;
      await store.fetch(["a"]);
      putAll(store, ["a"], null);
      fake.send(store.collect());
      fake.isPrompt = false;
      const read = store.fetchDue(10, 10);
      fake.answer(0);
      fake.deliver();
      await microtasks(between);
      fake.acknowledge();
      await read;
      expect(store.due(10, 10), `${between} microtasks between`).toEqual([]);
    }
  });

  it("never forgets what is not committed", () => {
    const fake = new FakeStore([], { maxBytes: 1 });
    const store = new TaskStore(TIMED, fake);
    const names = Array.from({ length: 1_000 }, (_, n) => `k${n}`);
    for (const name of names) {
      putAll(store, [name], { v: 1, dueMs: null });
    }
    fake.send(store.collect());
    store.tidy();
    expect(names.every((name) => store.get(name)?.v === 1)).toBe(true);
    putAll(store, ["k7"], { v: 2, dueMs: null });
    fake.acknowledge();
    expect(heldBy(store).entries).toBe(1);
    expect(store.get("k7")).toEqual({ v: 2, dueMs: null });
    fake.send(store.collect());
    fake.acknowledge();
    expect(heldBy(store).entries).toBe(0);
  });

  it("keeps, of two commits that are under way, the entry until both are acknowledged", () => {
    const fake = new FakeStore([], { maxBytes: 1 });
    const store = new TaskStore(TIMED, fake);
    for (const v of [1, 2]) {
      putAll(store, ["a"], { v, dueMs: null });
      fake.send(store.collect());
    }
    fake.acknowledge();
    expect(store.get("a")).toEqual({ v: 2, dueMs: null });
    fake.acknowledge();
    expect(heldBy(store).entries).toBe(0);
  });

  it("forgets what was not used for long before what is used all the time", async () => {
    const fake = new FakeStore([], { maxBytes: 50 * 250 });
    const store = new TaskStore(TIMED, fake);
    fake.isPrompt = true;
    let reads = 0;
    for (let n = 0; n < 1_000; n++) {
      const missing = ["hot", `cold${n}`].filter((name) => !store.isKnown(name));
      reads += missing.includes("hot") ? 1 : 0;
      await store.fetch(missing);
      putAll(store, [`cold${n}`], { v: n, dueMs: null });
      store.get("hot");
      fake.send(store.collect());
      fake.acknowledge();
    }
    // First in, first out would be 20.
    expect(reads).toBeLessThan(5);
  });

  it("holds as much as it may of any number of keys, and no more", async () => {
    const fake: StoreSource = {
      name: "store",
      entries: [],
      isWhole: true,
      hasDue: false,
      maxBytes: 1_000_000,
      get: (keys) => Promise.resolve(keys.map(() => null)),
      due: () => Promise.reject(new Error("nothing is due")),
    };
    const store = new TaskStore(TIMED, fake);
    let most = 0;
    for (let n = 0; n < 200_000; n += 500) {
      const names = Array.from({ length: 500 }, (_, i) => `k${n + i}`);
      await store.fetch(names.filter((name) => !store.isKnown(name)));
      putAll(store, names, { v: n, dueMs: n });
      store.collect().applied?.();
      most = Math.max(most, (store as unknown as { readonly entries: ReadonlyMap<string, unknown> }).entries.size);
    }
    expect(most).toBeLessThan(1_000_000 / 200);
    expect(most).toBeGreaterThan(1_000_000 / 400);
    expect(heldBy(store).bytes).toBeLessThanOrEqual(1_000_000);
  });

  it("does not collect the due times that one key had: a million of them", () => {
    const store = new TaskStore(TIMED, new FakeStore([], { maxBytes: 1e9 }));
    let most = 0;
    for (let n = 1_000; n <= 1_000_000; n += 1_000) {
      inUnit(NO_UNIT, () => {
        for (let i = n - 999; i <= n; i++) {
          store.put("a", { v: 0, dueMs: i });
        }
      });
      store.collect().applied?.();
      most = Math.max(most, heldBy(store).due);
    }
    expect(most).toBeLessThan(2_000);
    expect(store.due(1_000_000, 10)).toEqual([{ key: "a", dueMs: 1_000_000 }]);
  });

  it("holds nothing of what was deleted where it lives in memory only", () => {
    const store = new TaskStore(TIMED, null);
    for (let n = 0; n < 100_000; n++) {
      putAll(store, [`k${n}`], { v: n, dueMs: n });
      putAll(store, [`k${n}`], null);
    }
    expect(heldBy(store)).toMatchObject({ entries: 0 });
    expect(heldBy(store).due).toBeLessThan(2_000);
    expect(store.due(1e9, 10)).toEqual([]);
    expect(store.nextDueMs).toBe(Number.POSITIVE_INFINITY);
  });

  it("forgets tombstones of a store that is in memory as a whole", () => {
    const fake = new FakeStore([], { maxBytes: 1e9 });
    const store = new TaskStore(TIMED, fake);
    for (let n = 0; n < 10_000; n++) {
      putAll(store, [`k${n}`], { v: n, dueMs: n });
      putAll(store, [`k${n}`], null);
      fake.send(store.collect());
      fake.acknowledge();
    }
    expect(heldBy(store)).toMatchObject({ entries: 0, bytes: 0 });
    expect(fake.content.size).toBe(0);
  });
});
