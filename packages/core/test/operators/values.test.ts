import { filter, flatMap, map, tap } from "@millrace/core";
import { concat, from, NEVER, type OperatorFunction, of, Subject, take, throwError } from "rxjs";
import { describe, expect, it } from "vitest";
import { collect } from "../support/collect.ts";

describe("on an ordinary Observable", () => {
  it("map passes on what its function makes", () => {
    const { values, end } = collect(of(1, 2, 3).pipe(map((n) => n * 10)));
    expect([values, end]).toEqual([[10, 20, 30], "completed"]);
  });

  it("filter passes on what its predicate accepts", () => {
    expect(collect(of(1, 2, 3, 4).pipe(filter((n) => n % 2 === 0))).values).toEqual([2, 4]);
  });

  it("filter narrows by a type guard", () => {
    const texts = from<(string | number)[]>(["a", 1, "b"]).pipe(
      filter((value) => typeof value === "string"),
      map((text) => text.toUpperCase()),
    );
    expect(collect(texts).values).toEqual(["A", "B"]);
  });

  it("tap sees every value before it goes on, unchanged", () => {
    const order: string[] = [];
    const source = of("a", "b").pipe(
      tap((value) => order.push(`tap ${value}`)),
      map((value) => {
        order.push(`map ${value}`);
        return value;
      }),
    );
    expect(collect(source).values).toEqual(["a", "b"]);
    expect(order).toEqual(["tap a", "map a", "tap b", "map b"]);
  });

  it("flatMap passes on every value of any iterable, in its order", () => {
    function* twice(n: number): Generator<number> {
      yield n;
      yield n;
    }
    expect(collect(of(1, 2).pipe(flatMap(twice))).values).toEqual([1, 1, 2, 2]);
    expect(collect(of(1, 2).pipe(flatMap((n) => new Set([n, -n])))).values).toEqual([1, -1, 2, -2]);
    expect(collect(of("ab", "", "c").pipe(flatMap((text) => text))).values).toEqual(["a", "b", "c"]);
  });

  it("flatMap has no limit, for nothing is committed", () => {
    const many = Array.from({ length: 1_001 }, (_, n) => n);
    expect(collect(of(many).pipe(flatMap((list) => list))).values).toEqual(many);
  });

  it("nothing is called before somebody subscribes, and everything again for each subscriber", () => {
    let calls = 0;
    const source = of(1).pipe(map(() => ++calls));
    expect(calls).toBe(0);
    collect(source);
    expect(collect(source).values).toEqual([2]);
  });
});

const boom = new RangeError("boom");
const fail = (): never => {
  throw boom;
};

describe.each<[string, OperatorFunction<number, unknown>]>([
  ["map", map(fail)],
  ["filter", filter(fail)],
  ["tap", tap(fail)],
  ["flatMap", flatMap(fail)],
  [
    "flatMap, half-way through its iterable,",
    flatMap(function* () {
      yield 1;
      throw boom;
    }),
  ],
])("a function that throws in %s", (_name, operator) => {
  it("ends the Observable with that very error, and the subscription to the source", () => {
    const source = new Subject<number>();
    const collected = collect(source.pipe(operator));
    source.next(1);
    expect(collected).toMatchObject({ values: [], end: { error: boom } });
    expect(source.observed).toBe(false);
  });
});

describe.each<[string, OperatorFunction<number, number>]>([
  ["map", map((n) => n)],
  ["filter", filter(() => true)],
  ["tap", tap(() => {})],
  ["flatMap", flatMap((n) => [n])],
])("%s", (_name, operator) => {
  it("passes the error of the source on", () => {
    const { values, end } = collect(
      concat(
        of(1),
        throwError(() => boom),
      ).pipe(operator),
    );
    expect([values, end]).toEqual([[1], { error: boom }]);
  });

  it("completes with the source, not before", () => {
    expect(collect(of(1).pipe(operator)).end).toBe("completed");
    expect(collect(concat(of(1), NEVER).pipe(operator)).end).toBe("open");
  });

  it("lets go of the source when nobody listens any more", () => {
    const source = new Subject<number>();
    const collected = collect(source.pipe(operator, take(1)));
    source.next(1);
    expect([collected.end, source.observed]).toEqual(["completed", false]);
    const other = collect(source.pipe(operator));
    other.unsubscribe();
    expect(source.observed).toBe(false);
  });
});
