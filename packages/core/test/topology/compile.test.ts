import {
  count,
  filter,
  json,
  map,
  native,
  partitionBy,
  pipeline,
  sink,
  stream,
  tap,
  topic,
  tumbling,
  window,
} from "@millrace/core";
import * as t from "io-ts";
import * as rx from "rxjs";
import { describe, expect, it } from "vitest";
import { compiled, outline } from "../support/plan.ts";
import { anything, type Order, orders } from "../support/topics.ts";

const regions = topic("regions", { codec: json(t.unknown), key: null });
const byRegion = (order: Order): string => order.region;

function hourly(options: { by?: (order: Order) => string; name?: string; partitions?: number } = {}) {
  return window<Order, { n: number }>(tumbling("1 h"), { n: count() }, { grace: "0 s", ...options });
}

/** What the sub-topologies read, as the names of the topics. */
const sources = (subs: ReturnType<typeof compiled>): readonly string[] => subs.map(({ source }) => source.name);

describe("a plan without a change of key", () => {
  it("is one sub-topology for each topic that is read", () => {
    const source = stream(orders).pipe(tap((_order) => {}));
    const subs = compiled(
      pipeline(
        "p",
        source.pipe(
          filter((order) => order.total > 0),
          sink(anything),
        ),
        source.pipe(hourly(), sink(regions)),
        stream(regions).pipe(sink(anything)),
      ),
    );
    expect(sources(subs)).toEqual(["orders", "regions"]);
    expect(subs.map(({ upstream }) => upstream)).toEqual([null, null]);
    expect(outline(subs[0]?.roots ?? [])).toBe("tap\n  filter\n    sink\n  window\n    sink\n");
    expect(outline(subs[1]?.roots ?? [])).toBe("sink\n");
  });

  it("knows what its commits write, each topic once, and which stores it keeps", () => {
    const source = stream(orders);
    const [sub] = compiled(
      pipeline(
        "p",
        source.pipe(hourly({ name: "first" }), sink(anything)),
        source.pipe(hourly({ name: "second" }), sink(anything)),
        source.pipe(sink(regions)),
      ),
    );
    expect(sub?.writes).toEqual([anything, regions]);
    expect(sub?.stateStores.map(({ store }) => store)).toEqual(["first", "second"]);
  });

  it("has one root for each operator behind the topic, also when its stream was asked for twice", () => {
    const [sub, ...others] = compiled(
      pipeline("p", stream(orders).pipe(sink(anything)), stream(orders).pipe(hourly(), sink(regions))),
    );
    expect(others).toEqual([]);
    expect(outline(sub?.roots ?? [])).toBe("sink\nwindow\n  sink\n");
  });

  it("labels its nodes as messages do", () => {
    const [sub] = compiled(pipeline("p", stream(orders).pipe(hourly(), sink(anything))));
    expect(sub?.roots[0]?.label).toBe("window orders.window");
    expect(sub?.roots[0]?.store).toBe("orders.window");
    expect(sub?.roots[0]?.next[0]?.label).toBe("sink behind orders.window");
    expect(sub?.roots[0]?.next[0]?.store).toBeNull();
  });
});

describe("a change of key", () => {
  it("goes through a topic of its own, named after the group and the node", () => {
    const subs = compiled(pipeline("p", stream(orders).pipe(partitionBy(byRegion), hourly(), sink(anything))));
    expect(sources(subs)).toEqual(["orders", "app.p.orders.partitionBy.repartition"]);
    expect(subs.map(({ roots }) => outline(roots))).toEqual(["repartition\n", "partitionBy\n  window\n    sink\n"]);
    expect(subs[0]?.writes).toEqual([subs[1]?.source]);
    expect(subs[1]?.upstream).toBe(orders);
    expect(subs.map(({ stateStores }) => stateStores.map(({ store }) => store))).toEqual([
      [],
      ["orders.partitionBy.window"],
    ]);
  });

  it("comes with a window's by, and keeps the window behind the topic", () => {
    const subs = compiled(
      pipeline(
        "p",
        stream(orders).pipe(
          tap((_order) => {}),
          hourly({ by: byRegion, name: "per-region" }),
          sink(anything),
        ),
      ),
    );
    expect(sources(subs)).toEqual(["orders", "app.p.per-region.repartition"]);
    expect(subs.map(({ roots }) => outline(roots))).toEqual(["tap\n  repartition\n", "window\n  sink\n"]);
    expect(subs[1]?.stateStores).toEqual([{ store: "per-region", keepsUpdates: false }]);
  });

  it("makes the topic with the number of partitions that was asked for, else as many as upstream", () => {
    const partitionsOf = (options: { partitions?: number }): unknown =>
      compiled(pipeline("p", stream(orders).pipe(hourly({ by: byRegion, ...options }), sink(anything))))[1]?.source
        .partitions;
    expect(partitionsOf({ partitions: 7 })).toBe(7);
    expect(partitionsOf({})).toBeNull();
  });

  it("twice in a row makes two topics, sources before what they feed", () => {
    const subs = compiled(
      pipeline(
        "p",
        stream(orders).pipe(
          partitionBy(byRegion),
          map((order) => order),
          partitionBy((order) => order.id),
          sink(anything),
        ),
      ),
    );
    expect(sources(subs)).toEqual([
      "orders",
      "app.p.orders.partitionBy.repartition",
      "app.p.orders.partitionBy.partitionBy.repartition",
    ]);
  });

  it("of a topic without a key makes a topic", () => {
    const subs = compiled(pipeline("p", stream(regions).pipe(partitionBy(String), sink(anything))));
    expect(sources(subs)).toEqual(["regions", "app.p.regions.partitionBy.repartition"]);
  });

  it("of two branches makes two topics behind what they share", () => {
    const shared = stream(orders).pipe(tap((_order) => {}));
    const subs = compiled(
      pipeline(
        "p",
        shared.pipe(hourly({ by: byRegion, name: "a" }), sink(anything)),
        shared.pipe(hourly({ by: (order) => order.id, name: "b" }), sink(anything)),
      ),
    );
    expect(sources(subs)).toEqual(["orders", "app.p.a.repartition", "app.p.b.repartition"]);
    expect(outline(subs[0]?.roots ?? [])).toBe("tap\n  repartition\n  repartition\n");
  });

  it("refuses a repartition topic whose name would be too long", () => {
    const plan = pipeline("p".repeat(180), stream(orders).pipe(partitionBy(byRegion), sink(anything)));
    expect(() => compiled(plan)).toThrow(expect.objectContaining({ _tag: "InvalidName" }) as Error);
  });
});

describe("a key that is the topic's own", () => {
  const own = orders.key ?? (() => "");

  it.each([
    ["right behind the topic", rx.pipe()],
    [
      "behind operators that pass the topic's values on",
      rx.pipe(
        filter<Order>(() => true),
        tap<Order>(() => {}),
      ),
    ],
  ])("needs no topic %s", (_where, front) => {
    for (const rekey of [partitionBy(own), hourly({ by: own })]) {
      const subs = compiled(
        pipeline("p", stream(orders).pipe(front, rekey as rx.OperatorFunction<Order, unknown>, sink(anything))),
      );
      expect(sources(subs)).toEqual(["orders"]);
    }
  });

  it.each([
    ["map", map((order: Order) => order)],
    ["a foreign operator", rx.map((order: Order) => order)],
  ])("needs a topic behind %s: the values may be others", (_what, front) => {
    for (const rekey of [partitionBy(own), hourly({ by: own })]) {
      const subs = compiled(
        pipeline("p", stream(orders).pipe(front, rekey as rx.OperatorFunction<Order, unknown>, sink(anything))),
      );
      expect(subs).toHaveLength(2);
    }
  });

  it("needs a topic when it is an equal function, but not the same one", () => {
    const equal = (order: Order): string => order.customer;
    expect(compiled(pipeline("p", stream(orders).pipe(partitionBy(equal), sink(anything))))).toHaveLength(2);
  });

  it("needs no second topic behind a partitionBy of the same function", () => {
    const subs = compiled(
      pipeline(
        "p",
        stream(orders).pipe(
          partitionBy(byRegion),
          filter((_order) => true),
          hourly({ by: byRegion }),
          sink(anything),
        ),
      ),
    );
    expect(sources(subs)).toEqual(["orders", "app.p.orders.partitionBy.repartition"]);
  });

  it("is no longer the key behind a partitionBy of another function", () => {
    const subs = compiled(
      pipeline("p", stream(orders).pipe(partitionBy(byRegion), partitionBy(own, { name: "back" }), sink(anything))),
    );
    expect(sources(subs)).toEqual(["orders", "app.p.orders.partitionBy.repartition", "app.p.back.repartition"]);
  });
});

describe("units of one record", () => {
  const needs = (apply: rx.OperatorFunction<Order, Order>): boolean | undefined =>
    compiled(pipeline("p", stream(orders).pipe(apply, sink(anything))))[0]?.needsSingleRecordUnits;

  it("are needed where a foreign operator may keep a record", () => {
    expect(needs(rx.distinctUntilChanged())).toBe(true);
    expect(needs(native("last", rx.distinctUntilChanged()))).toBe(true);
  });

  it("are not needed for our operators, or for a foreign one that says it keeps nothing", () => {
    expect(needs(filter(() => true))).toBe(false);
    expect(
      needs(
        native(
          "odd",
          rx.filter<Order>(() => true),
          { stateless: true },
        ),
      ),
    ).toBe(false);
  });

  it("are needed only in the sub-topology of the foreign operator", () => {
    const subs = compiled(
      pipeline("p", stream(orders).pipe(partitionBy(byRegion), rx.distinctUntilChanged(), sink(anything))),
    );
    expect(subs.map(({ needsSingleRecordUnits }) => needsSingleRecordUnits)).toEqual([false, true]);
  });
});
