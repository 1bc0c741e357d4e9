import { describe, expect, it } from "vitest";
import { type StoreOwners, TaskUnit } from "../../src/runtime/task-unit.ts";
import type { DirtyStore } from "../../src/topology/stage.ts";

/** A store of one number, which hands over what it holds. */
function counter(): DirtyStore & { value: number } {
  return {
    value: 0,
    collect() {
      return { store: "counter", puts: [["n", String(this.value)]], deletes: [] };
    },
  };
}

function units(): { readonly open: () => TaskUnit; readonly settled: number[] } {
  const owners: StoreOwners = new Map();
  const settled: number[] = [];
  let index = 0;
  return {
    settled,
    open: () => {
      const unit = new TaskUnit(
        { index, openedAtMs: 0 },
        {
          route: () => ({ topic: { name: "t", partitions: 1, incarnation: "i" }, partition: 0 }),
          owners,
          settled: ({ index: done }) => settled.push(done),
          parked: () => {},
          held: () => {},
        },
      );
      index += 1;
      return unit;
    },
  };
}

const valueIn = (unit: TaskUnit): readonly (string | undefined)[] => unit.deltas.map(({ puts }) => puts[0]?.[1]);

describe("a unit's state delta (U2)", () => {
  it("is the state after that unit, though the unit is still held when the next one changes the store", () => {
    const { open } = units();
    const store = counter();
    const first = open();
    first.retain();
    first.touch(store);
    store.value = 1;
    first.release();

    const second = open();
    second.touch(store);
    store.value = 2;
    first.release();
    second.release();
    expect(valueIn(first)).toEqual(["1"]);
    expect(valueIn(second)).toEqual(["2"]);
  });

  it("that cannot be collected keeps the unit from settling without it", () => {
    const { open, settled } = units();
    const first = open();
    first.retain();
    first.touch({
      collect: () => {
        throw new Error("not JSON");
      },
    });
    expect(() => first.release()).not.toThrow();
    expect(() => first.release()).toThrow("not JSON");
    expect(settled).toEqual([]);
  });

  it("is collected once when several changes of one unit touch the store", () => {
    const { open } = units();
    const store = counter();
    const unit = open();
    unit.touch(store);
    store.value = 1;
    unit.touch(store);
    store.value = 2;
    unit.release();
    expect(valueIn(unit)).toEqual(["2"]);
  });
});

describe("a unit settles", () => {
  it("when everybody has let go of it, and only then", () => {
    const { open, settled } = units();
    const unit = open();
    unit.retain();
    unit.release();
    expect(settled).toEqual([]);
    unit.release();
    expect(settled).toEqual([0]);
  });

  it("not while it is parked, which says that only another record can free it", () => {
    const { open, settled } = units();
    const unit = open();
    unit.park();
    expect(unit.isParked).toBe(false);
    unit.release();
    expect(unit.isParked).toBe(true);
    expect(settled).toEqual([]);
    unit.unpark();
    expect(settled).toEqual([0]);
  });
});
