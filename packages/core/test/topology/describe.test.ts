import {
  count,
  filter,
  map,
  mapOrdered,
  native,
  type Pipeline,
  partitionBy,
  pipeline,
  sink,
  stream,
  sum,
  tumbling,
  window,
} from "@millrace/core";
import * as rx from "rxjs";
import { describe, expect, it } from "vitest";
import { anything, type Order, orders } from "../support/topics.ts";

async function enrich(order: Order): Promise<Order> {
  return order;
}

function isPaid(order: Order): boolean {
  return order.total > 0;
}

/** One of everything, and two sinks behind one beginning. */
function example(): Pipeline {
  const paid = stream(orders).pipe(
    filter(isPaid),
    mapOrdered(enrich, { concurrency: 32, lane: "none" }),
    native("dedupe", rx.distinctUntilChanged(), { stateless: true }),
  );
  return pipeline(
    "example",
    paid.pipe(
      window(
        tumbling("1 minute"),
        { orders: count(), total: sum((order) => order.total) },
        { by: (order) => order.region, grace: "10 s" },
      ),
      map((result) => result.value),
      sink(anything),
    ),
    paid.pipe(
      partitionBy((order) => order.region, { name: "by-region" }),
      rx.pairwise(),
      sink(anything),
    ),
  );
}

describe("the description of a plan", () => {
  it("is a node a line as text, indented below the node in front", () => {
    expect(example().toText()).toMatchInlineSnapshot(`
      "stream orders (json({ id: string, customer: string, region: string, total: number, at: number }), 4 partitions)
        filter (isPaid)
          mapOrdered (enrich, concurrency 32, lane none)
            native dedupe
              window orders.window (tumbling 1 minute, grace 10 s: orders count, total sum)
                map
                  sink anything
              partitionBy by-region
                native (memory starts empty on every owner)
                  sink anything"
    `);
  });

  it("is a flow chart for Mermaid", () => {
    expect(example().toMermaid()).toMatchInlineSnapshot(`
      "flowchart TD
        stream-1[("stream orders (json({ id: string, customer: string, region: string, total: number, at: number }), 4 partitions)")]
        filter-2["filter (isPaid)"]
        mapOrdered-3["mapOrdered (enrich, concurrency 32, lane none)"]
        native-4["native dedupe"]
        window-5["window orders.window (tumbling 1 minute, grace 10 s: orders count, total sum)"]
        map-6["map"]
        sink-7[("sink anything")]
        partitionBy-8["partitionBy by-region"]
        native-9["native (memory starts empty on every owner)"]
        sink-10[("sink anything")]
        stream-1 --> filter-2
        filter-2 --> mapOrdered-3
        mapOrdered-3 --> native-4
        native-4 --> window-5
        window-5 --> map-6
        map-6 --> sink-7
        native-4 --> partitionBy-8
        partitionBy-8 --> native-9
        native-9 --> sink-10"
    `);
  });

  it("is data", () => {
    const plan = pipeline("p", stream(orders).pipe(filter(isPaid), sink(anything))).describe();
    expect(plan).toMatchInlineSnapshot(`
      {
        "nodes": [
          {
            "detail": "json({ id: string, customer: string, region: string, total: number, at: number }), 4 partitions",
            "id": "stream-1",
            "inputs": [],
            "kind": "stream",
            "name": "orders",
          },
          {
            "detail": "isPaid",
            "id": "filter-2",
            "inputs": [
              "stream-1",
            ],
            "kind": "filter",
            "name": null,
          },
          {
            "detail": "",
            "id": "sink-3",
            "inputs": [
              "filter-2",
            ],
            "kind": "sink",
            "name": "anything",
          },
        ],
      }
    `);
    expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
  });

  it("can be asked for while the plan has no sink yet", () => {
    expect(stream(orders).pipe(filter(isPaid)).toText()).toMatchInlineSnapshot(`
      "stream orders (json({ id: string, customer: string, region: string, total: number, at: number }), 4 partitions)
        filter (isPaid)"
    `);
    expect(stream(orders).toMermaid()).toMatchInlineSnapshot(`
      "flowchart TD
        stream-1[("stream orders (json({ id: string, customer: string, region: string, total: number, at: number }), 4 partitions)")]"
    `);
  });

  it("gives every node an id of its own", () => {
    const ids = example()
      .describe()
      .nodes.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("quotes what a function's name may hold in the flow chart", () => {
    const named = { 'a"b': (order: Order): string => order.id };
    expect(stream(orders).pipe(map(named['a"b'])).toMermaid()).toContain('map-2["map (a#quot;b)"]');
  });
});

describe("the stable name of a node", () => {
  const perCustomer = window(tumbling("1 h"), { n: count() }, { grace: "0 s" });
  const nameOf = (plan: { describe(): { nodes: readonly { kind: string; name: string | null }[] } }, kind: string) =>
    plan.describe().nodes.find((node) => node.kind === kind)?.name;

  it("is that of the nearest owning node in front, and its kind", () => {
    const windowed = stream(orders).pipe(perCustomer);
    expect(nameOf(windowed, "window")).toBe("orders.window");
    const rekeyed = stream(orders).pipe(
      partitionBy((order) => order.region),
      perCustomer,
    );
    expect(nameOf(rekeyed, "partitionBy")).toBe("orders.partitionBy");
    expect(nameOf(rekeyed, "window")).toBe("orders.partitionBy.window");
  });

  it("stays the same when operators that own nothing are put in between", () => {
    const before = stream(orders).pipe(perCustomer);
    const after = stream(orders).pipe(
      filter(isPaid),
      map((order) => order),
      mapOrdered(enrich),
      perCustomer,
    );
    expect(nameOf(after, "window")).toBe(nameOf(before, "window"));
  });

  it("stays the same when another branch is put in front of it", () => {
    const source = stream(orders);
    const one = source.pipe(perCustomer, sink(anything));
    const other = source.pipe(filter(isPaid), sink(anything));
    expect(nameOf(pipeline("p", other, one), "window")).toBe(nameOf(pipeline("p", one), "window"));
  });

  it("is the one that was given", () => {
    const named = window(tumbling("1 h"), { n: count() }, { grace: "0 s", name: "hourly" });
    expect(nameOf(stream(orders).pipe(named), "window")).toBe("hourly");
  });
});

describe("a policy", () => {
  it("is shown with its operator, and only where it is not the default", () => {
    const plan = stream(orders, { onError: "deadLetter" }).pipe(
      map((order) => order),
      mapOrdered(async (order) => order, { onError: () => "skip" }),
      sink(orders, { onError: "park" }),
    );
    expect(plan.toText().split("\n")).toEqual([
      expect.stringMatching(/^stream orders \(.*, onError deadLetter\)$/),
      "  map",
      "    mapOrdered (concurrency 16, lane key, onError by function)",
      "      sink orders (onError park)",
    ]);
  });
});
