import { asRecords, type Call, MillraceError } from "@millrace/core";
import { LeftError, type MapOrderedTEOptions, mapOrderedTE } from "@millrace/core/fp";
import * as E from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { of } from "rxjs";
import { describe, expect, it } from "vitest";
import { unfold } from "../../src/topology/operator.ts";
import { collect, settled } from "../support/collect.ts";
import { Handlers } from "../support/handlers.ts";
import { type Order, orderOf, orders } from "../support/topics.ts";

const boom = new RangeError("boom");

/** Functions whose answers come when, and as, the test says. */
class Answers<A, B> {
  readonly handlers = new Handlers<A, E.Either<string, B>>();
  readonly f =
    (value: A, record: unknown, call: Call): TE.TaskEither<string, B> =>
    () =>
      this.handlers.handle(value, record, call);
}

describe("mapOrderedTE on an ordinary Observable", () => {
  it("emits what is Right in the order of the input", async () => {
    const { f, handlers } = new Answers<number, string>();
    const results = collect(of(1, 2).pipe(mapOrderedTE(f, { lane: "none" })));
    await handlers.of(2).resolve(E.right("b"));
    expect(results).toMatchObject({ values: [], end: "open" });
    await handlers.of(1).resolve(E.right("a"));
    expect(results).toMatchObject({ values: ["a", "b"], end: "completed" });
  });

  it("calls functions as mapOrdered does: by lane, up to the concurrency, with the record and the call", async () => {
    const { f, handlers } = new Answers<Order, string>();
    const records: string[] = [];
    const input = ["ann", "ann", "bob", "cid"].map((customer, n) => orderOf({ customer, id: `${n}` }));
    const noted = (order: Order, record: { readonly key: string }, call: Call): TE.TaskEither<string, string> => {
      records.push(`${record.key} ${call.attempt} ${call.signal.aborted}`);
      return f(order, record, call);
    };
    collect(of(...input).pipe(asRecords(orders), mapOrderedTE(noted, { concurrency: 2 })));
    expect(handlers.started).toEqual([input[0], input[2]]);
    await handlers.open[0]?.resolve(E.right("done"));
    expect(handlers.started).toEqual([input[0], input[2], input[3]]);
    expect(records).toEqual(["ann 1 false", "bob 1 false", "cid 1 false"]);
  });

  it("ends with a LeftError that carries the left, whatever onLeft says, and aborts the others", async () => {
    const { f, handlers } = new Answers<number, string>();
    const results = collect(of(1, 2).pipe(mapOrderedTE(f, { lane: "none", onLeft: "skip" })));
    const other = handlers.of(1);
    await handlers.of(2).resolve(E.left("no"));
    expect(results).toMatchObject({ values: [], end: { error: { _tag: "LeftError", left: "no" } } });
    expect((results.end as { readonly error: unknown }).error).toBeInstanceOf(LeftError);
    expect(other.call.signal.aborted).toBe(true);
  });

  it.each<[string, () => TE.TaskEither<string, number>]>([
    ["the function rejects with", () => () => Promise.reject(boom)],
    [
      "the function throws before it has a task",
      () => {
        throw boom;
      },
    ],
    [
      "the task throws before it is asynchronous",
      () => () => {
        throw boom;
      },
    ],
  ])("ends with what %s: that is no Left", async (_how, f) => {
    const asked: unknown[] = [];
    const onLeft = (left: string): "skip" => {
      asked.push(left);
      return "skip";
    };
    const results = collect(of(1).pipe(mapOrderedTE(f, { onLeft })));
    await settled();
    expect(results.end).toEqual({ error: boom });
    expect(asked).toEqual([]);
  });

  it("runs nothing before somebody subscribes", () => {
    const { f, handlers } = new Answers<number, string>();
    const results$ = of(1).pipe(mapOrderedTE(f));
    expect(handlers.started).toEqual([]);
    collect(results$);
    expect(handlers.started).toEqual([1]);
  });
});

describe("mapOrderedTE in a plan", () => {
  function charge(order: Order): TE.TaskEither<string, Order> {
    return TE.right(order);
  }

  it("is the mapOrdered of the plain door, with the name of the user's function", () => {
    expect(unfold(mapOrderedTE(charge, { concurrency: 4 }))).toMatchObject([
      { kind: "mapOrdered", detail: "charge, concurrency 4, lane key", name: null, failure: null },
    ]);
  });

  it.each<[string, object, RegExp]>([
    ["an onLeft that is no decision", { onLeft: "ignore" }, /^mapOrderedTE: onLeft must be .*, not "ignore"/],
    ["repeating Lefts without a schedule", { onLeft: "retry" }, /^mapOrderedTE: onLeft: "retry" needs retry/],
    ["onExhausted without a schedule", { onExhausted: "skip" }, /^mapOrderedTE: onExhausted needs retry/],
    [
      "an onExhausted that is no decision",
      { onLeft: "retry", retry: { attempts: 2 }, onExhausted: "retry" },
      /^mapOrderedTE: onExhausted must be .*, not "retry"/,
    ],
    [
      "a schedule by which nothing is repeated",
      { retry: { attempts: 2 } },
      /^mapOrderedTE: retry would repeat nothing/,
    ],
    [
      "a schedule that says no number",
      { onLeft: "retry", retry: { attempts: 0 } },
      /retry.attempts must be a whole number >= 1, not 0/,
    ],
    [
      "a retry.when that is no function",
      { onLeft: "retry", retry: { attempts: 2, when: true } },
      /^mapOrderedTE: retry.when must be a function, not true/,
    ],
    ["an onError that is no decision", { onError: "ignore" }, /^mapOrderedTE: onError must be .*, not "ignore"/],
    ["to park where lanes are not those of keys", { onLeft: "park", lane: "none" }, /^mapOrderedTE: "park" keeps/],
    [
      "the same of values that are exhausted",
      { onLeft: "retry", retry: { attempts: 2 }, onExhausted: "park", lane: () => "" },
      /^mapOrderedTE: "park" keeps/,
    ],
    ["what mapOrdered refuses", { lane: "value" }, /lane must be "key", "none" or a function/],
  ])("refuses %s", (_what, options, message) => {
    const make = (): unknown => mapOrderedTE(charge, options as MapOrderedTEOptions<Order, unknown>);
    expect(make).toThrow(MillraceError);
    expect(make).toThrow(message);
  });
});
