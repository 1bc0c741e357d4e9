import { asRecords, map, mapOrdered } from "@millrace/core";
import { concat, NEVER, of, Subject, take, throwError } from "rxjs";
import { describe, expect, it } from "vitest";
import { collect, settled } from "../support/collect.ts";
import { Handlers } from "../support/handlers.ts";
import { type Order, orderOf, orders } from "../support/topics.ts";

const boom = new RangeError("boom");

describe("mapOrdered on an ordinary Observable", () => {
  it("emits results in the order of the input, each as soon as those in front of it are there", async () => {
    const handlers = new Handlers<number, string>();
    const results = collect(of(1, 2, 3).pipe(mapOrdered(handlers.handle, { lane: "none" })));
    await handlers.of(3).resolve("c");
    await handlers.of(2).resolve("b");
    expect(results).toMatchObject({ values: [], end: "open" });
    await handlers.of(1).resolve("a");
    expect(results).toMatchObject({ values: ["a", "b", "c"], end: "completed" });
  });

  it("completes when every result has left, not when the source does", async () => {
    const handlers = new Handlers<number, number>();
    const results = collect(of(1).pipe(mapOrdered(handlers.handle)));
    await settled();
    expect(results.end).toBe("open");
    await handlers.of(1).resolve(10);
    expect(results).toMatchObject({ values: [10], end: "completed" });
  });

  it("completes with an empty source", () => {
    expect(collect(of<number[]>().pipe(mapOrdered(async (n) => n))).end).toBe("completed");
  });

  it("runs 16 handlers at once, unless it is told otherwise", () => {
    const many = of(...Array.from({ length: 40 }, (_, n) => n));
    const counts = [{}, { concurrency: 1 }, { concurrency: 100 }].map((options) => {
      const handlers = new Handlers<number, number>();
      collect(many.pipe(mapOrdered(handlers.handle, { lane: "none", ...options })));
      return handlers.open.length;
    });
    expect(counts).toEqual([16, 1, 40]);
  });

  it("runs handlers of one key one after the other, those of other keys beside them", async () => {
    const handlers = new Handlers<Order, string>();
    const [a1, b1, a2] = ["a", "b", "a"].map((customer, n) => orderOf({ customer, id: `${customer}${n}` }));
    const input = [a1, b1, a2].filter((order) => order !== undefined);
    collect(of(...input).pipe(asRecords(orders), mapOrdered(handlers.handle)));
    expect(handlers.started).toEqual([a1, b1]);
    await handlers.open[0]?.resolve("done");
    expect(handlers.started).toEqual([a1, b1, a2]);
  });

  it("lets handlers of one key overlap where the lane is none", () => {
    const handlers = new Handlers<Order, string>();
    collect(of(orderOf(), orderOf()).pipe(asRecords(orders), mapOrdered(handlers.handle, { lane: "none" })));
    expect(handlers.open).toHaveLength(2);
  });

  it("takes lanes from a function of the value and its record", async () => {
    const handlers = new Handlers<Order, string>();
    const input = [orderOf({ region: "n" }), orderOf({ region: "s" }), orderOf({ region: "n" })];
    const lane = (order: Order, record: { readonly key: string }): string => `${record.key} ${order.region}`;
    collect(of(...input).pipe(asRecords(orders), mapOrdered(handlers.handle, { lane })));
    expect(handlers.started).toEqual(input.slice(0, 2));
    await handlers.open[0]?.resolve("done");
    expect(handlers.started).toEqual(input);
  });

  it("tells handlers that it is their first attempt", () => {
    const handlers = new Handlers<number, number>();
    collect(of(1).pipe(mapOrdered(handlers.handle)));
    expect(handlers.of(1).call.attempt).toBe(1);
  });
});

describe("mapOrdered ends", () => {
  it("with the error of a handler that rejects, and aborts the others", async () => {
    const source = new Subject<number>();
    const handlers = new Handlers<number, number>();
    const results = collect(source.pipe(mapOrdered(handlers.handle, { lane: "none" })));
    source.next(1);
    source.next(2);
    const other = handlers.of(1);
    expect(other.call.signal.aborted).toBe(false);
    await handlers.of(2).reject(boom);
    expect(results).toMatchObject({ values: [], end: { error: boom } });
    expect(other.call.signal.aborted).toBe(true);
    expect(source.observed).toBe(false);
  });

  it("with the error of a handler that throws before it is asynchronous", async () => {
    const results = collect(
      of(1).pipe(
        mapOrdered(() => {
          throw boom;
        }),
      ),
    );
    await settled();
    expect(results).toMatchObject({ values: [], end: { error: boom } });
  });

  it("with the error of the lane's function", () => {
    const lane = (): never => {
      throw boom;
    };
    expect(collect(of(1).pipe(mapOrdered(async (n) => n, { lane }))).end).toEqual({ error: boom });
  });

  it("with the error of the source, and aborts its handlers", () => {
    const handlers = new Handlers<number, number>();
    const source = concat(
      of(1),
      throwError(() => boom),
    );
    const started: AbortSignal[] = [];
    const results = collect(
      source.pipe(
        mapOrdered((value, record, call) => {
          started.push(call.signal);
          return handlers.handle(value, record, call);
        }),
      ),
    );
    expect(results.end).toEqual({ error: boom });
    expect(started.map(({ aborted }) => aborted)).toEqual([true]);
  });

  it("with the error of an operator behind it", async () => {
    const handlers = new Handlers<number, number>();
    const results = collect(
      of(1, 2).pipe(
        mapOrdered(handlers.handle, { lane: "none" }),
        map(() => {
          throw boom;
        }),
      ),
    );
    const second = handlers.of(2);
    await handlers.of(1).resolve(1);
    expect(results.end).toEqual({ error: boom });
    expect(second.call.signal.aborted).toBe(true);
  });

  it("when nobody listens any more: it aborts its handlers, starts none and emits nothing", async () => {
    const source = new Subject<number>();
    const handlers = new Handlers<number, number>();
    const results = collect(source.pipe(mapOrdered(handlers.handle, { concurrency: 1 })));
    source.next(1);
    source.next(2);
    results.unsubscribe();
    expect(handlers.of(1).call.signal.aborted).toBe(true);
    expect(source.observed).toBe(false);
    await handlers.of(1).resolve(10);
    expect(handlers.started).toEqual([1]);
    expect(results).toMatchObject({ values: [], end: "open" });
  });

  it("in the middle of its results, when the operator behind it has enough", async () => {
    const handlers = new Handlers<number, string>();
    const results = collect(concat(of(1, 2, 3), NEVER).pipe(mapOrdered(handlers.handle, { lane: "none" }), take(1)));
    await handlers.of(2).resolve("b");
    const third = handlers.of(3);
    await handlers.of(1).resolve("a");
    expect(results).toMatchObject({ values: ["a"], end: "completed" });
    expect(third.call.signal.aborted).toBe(true);
  });

  it("once: what other handlers say afterwards is ignored", async () => {
    const handlers = new Handlers<number, number>();
    const results = collect(of(1, 2, 3).pipe(mapOrdered(handlers.handle, { lane: "none" })));
    const [first, second, third] = [handlers.of(1), handlers.of(2), handlers.of(3)];
    await second.reject(boom);
    await first.resolve(1);
    await third.reject(new Error("another"));
    expect(results).toMatchObject({ values: [], end: { error: boom } });
  });
});

describe("mapOrdered is refused when it is declared", () => {
  it.each([
    [0, "0"],
    [-1, "-1"],
    [1.5, "1.5"],
    [Number.NaN, "NaN"],
    [Number.POSITIVE_INFINITY, "Infinity"],
    ["4", '"4"'],
    [null, "null"],
    [{}, "a value of type object"],
  ])("with a concurrency of %o", (concurrency, shown) => {
    expect(() => mapOrdered(async (n: number) => n, { concurrency: concurrency as number })).toThrow(
      expect.objectContaining({
        _tag: "InvalidOption",
        message: `mapOrdered: concurrency must be a whole number >= 1, not ${shown}`,
      }) as Error,
    );
  });
});
