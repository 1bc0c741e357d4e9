import { filter, flatMap, map, mapOrdered, native, stream } from "@millrace/core";
import * as rx from "rxjs";
import { describe, expect, it } from "vitest";
import { unfold } from "../../src/topology/operator.ts";
import { kindsOf } from "../support/plan.ts";
import { orders } from "../support/topics.ts";

const isEven = (n: number): boolean => n % 2 === 0;

describe("an operator function unfolds into nodes", () => {
  it("one for an operator of ours", () => {
    expect(kindsOf(filter(isEven))).toEqual(["filter"]);
  });

  it("one for each of our operators in rx.pipe", () => {
    const both = rx.pipe(
      filter(isEven),
      mapOrdered(async (n: number) => n + 1),
      flatMap((n) => [n, n]),
    );
    expect(kindsOf(both)).toEqual(["filter", "mapOrdered", "flatMap"]);
  });

  it("one for each of our operators in a function that a user wrote", () => {
    const doubledEvens = (source: rx.Observable<number>): rx.Observable<number> =>
      source.pipe(
        filter(isEven),
        map((n) => n * 2),
      );
    expect(kindsOf(doubledEvens)).toEqual(["filter", "map"]);
    expect(kindsOf((source: rx.Observable<number>) => doubledEvens(doubledEvens(source)))).toEqual([
      "filter",
      "map",
      "filter",
      "map",
    ]);
  });

  it("none for a function that changes nothing", () => {
    expect(kindsOf(rx.pipe())).toEqual([]);
    expect(kindsOf((source: rx.Observable<number>) => source)).toEqual([]);
  });

  it("one for a foreign operator", () => {
    expect(kindsOf(rx.map((n: number) => n))).toEqual(["native"]);
    expect(kindsOf(rx.pairwise())).toEqual(["native"]);
  });

  it("one for each of several foreign operators in rx.pipe", () => {
    expect(
      kindsOf(
        rx.pipe(
          rx.filter(isEven),
          rx.scan((a, b) => a + b),
        ),
      ),
    ).toEqual(["native", "native"]);
  });

  it("in their order, where ours and foreign ones are mixed", () => {
    const mixed = rx.pipe(
      rx.map((n: number) => n + 1),
      filter(isEven),
      rx.scan((a, b) => a + b),
      map((n) => n * 2),
      rx.distinctUntilChanged(),
    );
    expect(kindsOf(mixed)).toEqual(["native", "filter", "native", "map", "native"]);
  });

  it("one opaque node for a foreign operator that makes a new Observable", () => {
    const custom = (source: rx.Observable<number>): rx.Observable<number> =>
      new rx.Observable((subscriber) => source.subscribe(subscriber));
    expect(kindsOf(custom)).toEqual(["native"]);
  });

  it("one opaque node for a composite that hides our operators in a new Observable", () => {
    const deferred = (source: rx.Observable<number>): rx.Observable<number> =>
      rx.defer(() => source.pipe(filter(isEven)));
    const merged = (source: rx.Observable<number>): rx.Observable<number> =>
      rx.merge(source, source.pipe(map((n) => n)));
    expect(kindsOf(deferred)).toEqual(["native"]);
    expect(kindsOf(merged)).toEqual(["native"]);
  });

  it("one with its name and nature for native()", () => {
    const [spec] = unfold(
      native(
        "running total",
        rx.scan((a: number, b: number) => a + b),
      ),
    );
    expect(spec).toMatchObject({ kind: "native", name: "running total", native: { stateless: false } });
    const [stateless] = unfold(
      native(
        "odd",
        rx.filter((n: number) => n % 2 === 1),
        { stateless: true },
      ),
    );
    expect(stateless).toMatchObject({ kind: "native", name: "odd", native: { stateless: true } });
  });

  it("once, without a value, however often the plan is asked for", () => {
    let calls = 0;
    let values = 0;
    const counted = (source: rx.Observable<unknown>): rx.Observable<unknown> => {
      calls += 1;
      return source.pipe(
        rx.tap(() => (values += 1)),
        map((value) => value),
      );
    };
    const plan = stream(orders).pipe(counted);
    plan.describe();
    plan.toText();
    expect([calls, values]).toEqual([1, 0]);
  });

  it("the same whether they stand in a composite or one by one in pipe", () => {
    const [a, b] = [filter(isEven), map((n: number) => n + 1)];
    expect(unfold(rx.pipe(a, b))).toEqual([...unfold(a), ...unfold(b)]);
  });
});
