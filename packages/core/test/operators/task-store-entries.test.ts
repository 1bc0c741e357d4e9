/** Entries as they lie in a store: due times of an earlier release, and what does not encode or decode. */
import { describe, expect, it } from "vitest";
import { TaskStore } from "../../src/operators/task-store.ts";
import { FakeStore } from "../support/fake-store.ts";
import { putAll, TIMED, type Timed } from "../support/store-play.ts";

/** A release with another grace or time to live: the store was told of due times that are not those of today. */
describe("due times that an earlier release has stored", () => {
  /** Entries whose due time by today's schema differs by `laterMs` from that which the store has. */
  const aged = (count: number, laterMs: number): FakeStore =>
    new FakeStore(
      Array.from({ length: count }, (_, n) => [
        `k${n}`,
        { value: TIMED.encode({ v: n, dueMs: 100 + laterMs }), dueMs: 100 },
      ]),
      { maxBytes: 1e9, seen: () => false },
    );
  /** How many entries are due, and whether they were found without reading for ever. */
  const allDue = async (store: TaskStore<Timed>, untilMs: number): Promise<number> => {
    const found: string[] = [];
    for (let reads = 0; reads < 20 && store.isDue(untilMs); ) {
      const due = store.due(untilMs, 3);
      if (due === null) {
        reads += 1;
        await store.fetchDue(untilMs, 3);
      } else {
        found.push(...due.map(({ key }) => key));
        putAll(
          store,
          due.map(({ key }) => key),
          null,
        );
      }
    }
    expect(store.isDue(untilMs), "reads for ever").toBe(false);
    return found.length;
  };

  it("do not keep it reading when they come later by now", async () => {
    const fake = aged(10, 50);
    fake.isPrompt = true;
    const store = new TaskStore(TIMED, fake);
    expect(await allDue(store, 120)).toBe(0);
    expect(await allDue(store, 150)).toBe(10);
  });

  it("are put right with the entry's next change", async () => {
    const fake = aged(1, 50);
    fake.isPrompt = true;
    const store = new TaskStore(TIMED, fake);
    await store.fetch(["k0"]);
    putAll(store, ["k0"], { v: 1, dueMs: 150 });
    fake.send(store.collect());
    fake.acknowledge();
    expect(fake.content.get("k0")?.dueMs).toBe(150);
  });
});

describe("what has no text or is none", () => {
  const broken = {
    ...TIMED,
    encode: (): string => {
      throw new TypeError("secret");
    },
    decode: (): Timed => {
      throw new TypeError("why it does not");
    },
  };

  it("fails with the store and the key where it is written", () => {
    const store = new TaskStore(broken, new FakeStore([], { maxBytes: 1 }));
    putAll(store, ["a"], { v: 1, dueMs: null });
    expect(() => store.collect()).toThrow(
      expect.objectContaining({ _tag: "EncodeError", message: 'store "store": the state of "a" has no text' }),
    );
  });

  it("fails with the store, the key and the reason where it is read: at start, by key and by due time", async () => {
    const rubbish = [["a", { value: "rubbish", dueMs: 1 }]] as const;
    const failure = expect.objectContaining({
      _tag: "DecodeError",
      message: 'store "store": the state of "a" does not decode: why it does not',
    }) as Error;
    expect(() => new TaskStore(broken, new FakeStore(rubbish, { maxBytes: 1 }))).toThrow(failure);
    const fake = new FakeStore(rubbish, { maxBytes: 1, seen: () => false });
    fake.isPrompt = true;
    const store = new TaskStore(broken, fake);
    await expect(store.fetch(["a"])).rejects.toThrow(failure);
    await store.fetchDue(1, 1);
    expect(() => store.due(1, 1)).toThrow(failure);
  });

  it("names a long key by its beginning", async () => {
    const fake = new FakeStore([["x".repeat(5_000), { value: "rubbish", dueMs: 1 }]], { maxBytes: 1 });
    expect(() => new TaskStore(broken, fake)).toThrow(/^.{1,200}$/);
  });
});
