import { filter, map, native, sink, stream } from "@millrace/core";
import * as rx from "rxjs";
import { describe, expect, it } from "vitest";
import { foreignOperators } from "../../src/topology/foreign.ts";
import { nodeOf } from "../support/plan.ts";
import { anything, type Order, orders } from "../support/topics.ts";

describe("the foreign operators of a plan", () => {
  const isLarge = (order: Order): boolean => order.total > 100;

  it("are none where all are Millrace's, also in a composite", () => {
    const plan = stream(orders).pipe(
      rx.pipe(
        filter(isLarge),
        map((order) => order.id),
      ),
      sink(anything),
    );
    expect(foreignOperators([nodeOf(plan)])).toEqual([]);
  });

  it("are those of RxJS, with and without a name, sources first", () => {
    const plan = stream(orders).pipe(
      rx.filter(isLarge),
      map((order) => order.total),
      native(
        "running total",
        rx.scan((sum, total) => sum + total, 0),
      ),
      sink(anything),
    );
    expect(foreignOperators([nodeOf(plan)])).toEqual(["native behind orders", "native running total behind orders"]);
  });

  it("are functions of the user that hide what is inside", () => {
    const hidden = (source: rx.Observable<Order>): rx.Observable<Order> =>
      rx.merge(source, source.pipe(filter(isLarge)));
    expect(foreignOperators([nodeOf(stream(orders).pipe(hidden, sink(anything)))])).toEqual(["native behind orders"]);
  });

  it("are named once where streams share them", () => {
    const shared = stream(orders).pipe(native("large", rx.filter(isLarge)));
    const ends = [
      shared.pipe(sink(anything)),
      shared.pipe(
        rx.map((order) => order.id),
        sink(anything),
      ),
    ].map(nodeOf);
    expect(foreignOperators(ends)).toEqual(["native large behind orders", "native behind orders"]);
  });
});
