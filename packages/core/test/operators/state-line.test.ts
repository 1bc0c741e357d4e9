/** How operators with state run in a task while what they need is not in memory: one after the other, in order. */
import {
  aggregate,
  type Clock,
  count,
  deduplicate,
  every,
  fold,
  sum,
  systemClock,
  tumbling,
  window,
} from "@millrace/core";
import { createVirtualClock } from "@millrace/testing";
import { describe, expect, it } from "vitest";
import { type FakeStore, farStore, microtasks } from "../support/fake-store.ts";
import { StateStage } from "../support/state-stage.ts";

function countStage(store: FakeStore, clock: Clock = systemClock): StateStage<number, { key: string; value: object }> {
  return new StateStage(aggregate<number, { n: number; all: number[] }>({ n: count(), all: listed }), { store, clock });
}

const listed = fold<number, number[]>([], (list, value) => [...list, value]);

/** Lets the reads that wait come back, one after the other, until none is left. */
async function deliverAll(store: FakeStore): Promise<void> {
  for (let n = 0; n < 50; n++) {
    await microtasks(10);
    store.deliver();
  }
}

describe("values that wait for their state", () => {
  it("come out in the order in which they came, with their record and their unit", async () => {
    const store = farStore();
    const stage = countStage(store);
    stage.unit(
      [
        [1, "a", 10],
        [2, "b", 20],
      ],
      20,
    );
    stage.unit([[3, "a", 30]], 30);
    expect(stage.out).toEqual([]);
    await deliverAll(store);
    const seen = stage.out.map((one) => ("value" in one ? [one.unit, one.record.offset, one.value] : one));
    expect(seen).toEqual([
      [0, "0/10", { key: "a", value: { n: 1, all: [1] } }],
      [0, "0/20", { key: "b", value: { n: 1, all: [2] } }],
      { watermarkMs: 20, unit: 0 },
      [1, "1/30", { key: "a", value: { n: 2, all: [1, 3] } }],
      { watermarkMs: 30, unit: 1 },
    ]);
    expect(stage.failed).toEqual([]);
  });

  it("are read for in one request, each key once", async () => {
    const store = farStore(undefined, 1e9);
    const stage = countStage(store);
    stage.unit(
      [
        [1, "a", 10],
        [2, "b", 20],
        [3, "a", 30],
      ],
      30,
    );
    stage.unit(
      [
        [4, "c", 40],
        [5, "b", 50],
      ],
      50,
    );
    await microtasks(10);
    expect(store.asked).toEqual([["a", "b", "c"]]);
    // What comes while a read is under way waits for the next one.
    stage.unit([
      [6, "d", 60],
      [7, "e", 70],
    ]);
    await deliverAll(store);
    expect(store.asked).toEqual([
      ["a", "b", "c"],
      ["d", "e"],
    ]);
    expect(stage.values).toHaveLength(7);
  });

  it("hold their units until they have left, and let them go once", async () => {
    const store = farStore();
    const stage = countStage(store);
    stage.unit(
      [
        [1, "a", 10],
        [2, "a", 20],
      ],
      20,
    );
    stage.unit([], 25);
    stage.unit([[3, "a", 30]]);
    await microtasks(20);
    expect(stage.settled).toEqual([]);
    await deliverAll(store);
    expect(stage.settled.map(({ index }) => index)).toEqual([0, 1, 2]);
    expect(stage.settled.map(({ deltas }) => deltas.flatMap(({ puts }) => puts.map(([, value]) => value)))).toEqual([
      ['[20,{"n":2,"all":[1,2]}]'],
      [],
      ['[30,{"n":3,"all":[1,2,3]}]'],
    ]);
  });

  it("let nothing pass in front of them, known or not", async () => {
    const store = farStore();
    const stage = countStage(store);
    stage.unit([[1, "a", 10]]);
    await deliverAll(store);
    // "a" is known, because it is not committed; "b" is not.
    stage.unit(
      [
        [2, "b", 20],
        [3, "a", 30],
      ],
      30,
    );
    await microtasks(20);
    expect(stage.values).toHaveLength(1);
    await deliverAll(store);
    expect(stage.values.map(({ key }) => key)).toEqual(["a", "b", "a"]);
  });
});

describe("a failure of a value that waited", () => {
  const failing = (store: FakeStore): StateStage<number, unknown> =>
    new StateStage(
      aggregate<number, { n: number }>({
        n: sum((value) => {
          if (value < 0) {
            throw new RangeError("below 0");
          }
          return value;
        }),
      }),
      { store, clock: systemClock },
    );

  it("is that of its record, and what came in front has left", async () => {
    const store = farStore();
    const stage = failing(store);
    stage.unit([[1, "a", 10]], 10);
    stage.unit(
      [
        [2, "b", 20],
        [-1, "a", 30],
        [3, "b", 40],
      ],
      40,
    );
    await deliverAll(store);
    expect(stage.failed).toEqual([{ cause: expect.objectContaining({ message: "below 0" }) as unknown, at: "1/30" }]);
    expect(stage.values).toHaveLength(2);
    expect(stage.settled.map(({ index }) => index)).toEqual([0]);
  });

  it("of the function that names the identity is that of its record, in its turn", async () => {
    const store = farStore();
    const identity = (value: number): string => (value < 0 ? (value as unknown as string) : String(value));
    const stage = new StateStage(deduplicate(identity, { within: "1 s" }), { store, clock: systemClock });
    stage.unit([
      [1, "a", 10],
      [-1, "a", 20],
    ]);
    expect(stage.failed).toEqual([]);
    await deliverAll(store);
    expect(stage.values).toEqual([1]);
    expect(stage.failed).toEqual([
      {
        cause: expect.objectContaining({
          message: "deduplicate: an identity must be a string, not a number",
        }) as unknown,
        at: "0/20",
      },
    ]);
  });

  it("is one failure, also if more values come before the instance is stopped", async () => {
    const store = farStore();
    const stage = countStage(store);
    store.failure = new Error("gone");
    stage.unit([[1, "a", 10]], 10);
    await deliverAll(store);
    expect(stage.failed).toEqual([store.failure]);
    stage.stage.stop();
    stage.unit([[2, "a", 20]], 20);
    await deliverAll(store);
    expect(stage.failed).toHaveLength(1);
    expect(stage.out).toEqual([]);
    expect(stage.settled).toEqual([]);
  });

  it("of a read by due time is a failure of the instance, too", async () => {
    const store = farStore([["a", { value: "[10,{}]", dueMs: 10 }]]);
    const stage = countStage(store);
    store.failure = new Error("gone");
    stage.unit([], 1e9);
    await deliverAll(store);
    expect(stage.failed).toEqual([store.failure]);
    expect(stage.out).toEqual([]);
  });
});

describe("an instance that is stopped", () => {
  it("emits nothing of what a read brings that was under way, and reads no more", async () => {
    const store = farStore();
    const stage = countStage(store);
    stage.unit([[1, "a", 10]], 10);
    await microtasks(10);
    expect(store.readsUnderWay).toBe(1);
    stage.stage.stop();
    await deliverAll(store);
    stage.unit([[1, "b", 10]], 10);
    await deliverAll(store);
    expect(stage.out).toEqual([]);
    expect(stage.settled).toEqual([]);
    expect(stage.failed).toEqual([]);
    expect(store.calls).toEqual({ get: 1, due: 0 });
  });

  it("does not read at all when it is stopped before", async () => {
    const store = farStore();
    const stage = countStage(store);
    stage.unit([[1, "a", 10]], 10);
    stage.stage.stop();
    await deliverAll(store);
    expect(store.calls).toEqual({ get: 0, due: 0 });
  });

  it("wakes nobody for updates that were planned", async () => {
    const clock = createVirtualClock();
    const far = { store: farStore([]), updates: farStore([]), clock };
    const updating = window(tumbling("1 s"), { n: count() }, { grace: "0 s", emit: every("5 s") });
    const stages = [new StateStage(updating, far), new StateStage(updating, far)];
    for (const stage of stages) {
      stage.unit([[1, "a", 10]], 10);
    }
    stages[0]?.stage.stop();
    await clock.advance(6_000);
    expect(stages.map(({ again }) => again)).toEqual([0, 1]);
  });
});
