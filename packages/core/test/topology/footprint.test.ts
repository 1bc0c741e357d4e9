import {
  aggregate,
  count,
  filter,
  map,
  partitionBy,
  pipeline,
  sink,
  stream,
  sum,
  tumbling,
  window,
} from "@millrace/core";
import { describe, expect, it } from "vitest";
import { describeStore, footprintOf, shapeOf } from "../../src/topology/footprint.ts";
import { planEntryOf } from "../../src/topology/meaning.ts";
import { TOPIC } from "../support/any-topology.ts";
import { compiled } from "../support/plan.ts";
import { anything, type Order, orders } from "../support/topics.ts";

const byRegion = (order: Order): string => order.region;
const minutes = (options: Partial<Parameters<typeof window<Order, object>>[2]> = {}) =>
  window<Order, { readonly n: number }>(tumbling("1 minute"), { n: count() }, { grace: "0 s", ...options });

describe("the footprint of a pipeline", () => {
  it("has the stores of its operators with their topics, and the topics of its changes of key", () => {
    const plan = pipeline(
      "p",
      stream(orders).pipe(minutes({ by: byRegion, name: "regions", partitions: 2 }), sink(anything)),
      stream(orders).pipe(
        aggregate({ total: sum((o: Order) => o.total) }, { state: { version: 3, migrate: (states) => states } }),
        sink(anything),
      ),
      stream(orders).pipe(partitionBy(byRegion, { name: "again" }), sink(anything)),
    );
    const { stores, repartitions } = footprintOf(compiled(plan));
    expect(Object.fromEntries(stores)).toMatchObject({
      regions: { source: "app.p.regions.repartition", version: 1, migrates: false },
      "orders.aggregate": { source: "orders", version: 3, migrates: true },
    });
    expect(stores.get("regions")?.keeps).toMatch(/^tumbling 60000 ms: n count$/);
    expect([...repartitions]).toEqual([
      ["app.p.regions.repartition", 2],
      ["app.p.again.repartition", null],
    ]);
  });

  it("is empty where nothing is kept, also with dead letters", () => {
    const failing = map((order: Order) => order, { onError: "deadLetter", name: "failing" });
    const { stores, repartitions } = footprintOf(compiled(pipeline("p", stream(orders).pipe(failing, sink(anything)))));
    expect([stores.size, repartitions.size]).toEqual([0, 0]);
  });

  it("does not change with operators that keep nothing", () => {
    const bare = pipeline("p", stream(orders).pipe(minutes(), sink(anything)));
    const more = pipeline(
      "p",
      stream(orders).pipe(
        filter((order) => order.total > 0),
        map((order) => order),
        minutes(),
        map(({ value }) => value),
        sink(anything),
      ),
    );
    expect(footprintOf(compiled(more))).toEqual(footprintOf(compiled(bare)));
  });
});

describe("the cut of a store", () => {
  it.each([
    ["tumbling 60000 ms: n count", "tumbling 60000 ms"],
    ["of each key: n count: odd", "of each key"],
    ["identities", ""],
    ["", ""],
  ])("of %j is %j", (keeps, shape) => {
    expect(shapeOf(keeps)).toBe(shape);
  });
});

describe("what members must agree on", () => {
  const meaningOf = (version: number): string => {
    const plan = pipeline("p", stream(orders).pipe(minutes({ state: { version } }), sink(anything)));
    return compiled(plan)
      .map((part) => planEntryOf(part, TOPIC).meaning)
      .join("\n");
  };

  it("is what is kept, and where it goes", () => {
    expect(meaningOf(1)).toBe("i keeps orders.window (tumbling 60000 ms: n count); writes anything");
  });

  it("is the version of the state, too, from the second on", () => {
    expect(meaningOf(2)).toBe("i keeps orders.window (tumbling 60000 ms: n count, version 2); writes anything");
    expect(describeStore({ keeps: "identities", version: 1 })).toBe("identities");
  });
});
