import {
  type FailureDecision,
  type FailureOptions,
  filter,
  flatMap,
  flatMapOrdered,
  json,
  map,
  mapOrdered,
  mapUnordered,
  partitionBy,
  sink,
  stream,
  sum,
  tap,
  tumbling,
  window,
} from "@millrace/core";
import * as t from "io-ts";
import { describe, expect, it } from "vitest";
import {
  decidingAmong,
  decisionsOf,
  failureParts,
  failurePolicy,
  mayLeaveBehind,
  mayWriteLetters,
} from "../../src/topology/failure.ts";
import { anything, type Order, orders } from "../support/topics.ts";

const invalid = (what: RegExp, tag = "InvalidOption") =>
  expect.objectContaining({ _tag: tag, message: expect.stringMatching(what) }) as Error;
type Options = FailureOptions<Order>;

/** Every operator that takes a policy, made with one. */
const MAKERS: readonly (readonly [string, (options: Options) => unknown])[] = [
  ["map", (options) => map((order: Order) => order, options)],
  ["filter", (options) => filter((_order: Order) => true, options)],
  ["tap", (options) => tap((_order: Order) => {}, options)],
  ["flatMap", (options) => flatMap((order: Order) => [order], options)],
  ["mapOrdered", (options) => mapOrdered(async (order: Order) => order, options)],
  ["flatMapOrdered", (options) => flatMapOrdered(async (order: Order) => [order], options)],
  ["mapUnordered", (options) => mapUnordered(async (order: Order) => order, options)],
  ["partitionBy", ({ name = "byId", ...rest }) => partitionBy((order: Order) => order.id, { name, ...rest })],
  [
    "window",
    (options) => window(tumbling("1 h"), { total: sum((order: Order) => order.total) }, { grace: "0 s", ...options }),
  ],
  ["sink", (options) => sink(anything, options)],
  ["sink", (options) => sink(async (_orders: readonly Order[]) => {}, options)],
];

describe.each(MAKERS)("the policy of %s", (kind, make) => {
  it.each(["retry", "", "Skip", 7, null, {}, [], true, Symbol("skip")])("may not be %s", (onError) => {
    expect(() => make({ onError: onError as never })).toThrow(invalid(new RegExp(`^${kind}: onError must be "fail"`)));
  });

  it.each(["fail", "quarantine", "skip", "deadLetter", () => "skip" as const] as const)("may be %s", (onError) => {
    expect(() => make({ onError })).not.toThrow();
  });

  it.each(["", "a b", "é", "-x", "x".repeat(201), 7, null])("has no dead-letter topic of the name %j", (name) => {
    expect(() => make({ onError: "deadLetter", deadLetters: { topic: name as string } })).toThrow(
      invalid(/dead-letter topic/, "InvalidName"),
    );
  });

  it.each(["", "a b", "a!b", "-x"])("belongs to no operator of the name %j", (name) => {
    expect(() => make({ onError: "skip", name })).toThrow(expect.objectContaining({ _tag: "InvalidName" }) as Error);
  });
});

describe("the policy of a stream", () => {
  it("is checked like that of an operator", () => {
    expect(() => stream(orders, { onError: "retry" as never })).toThrow(invalid(/^stream: onError must be/));
    expect(() => stream(orders, { onError: "skip", deadLetters: { topic: "" } })).toThrow(
      invalid(/dead-letter topic/, "InvalidName"),
    );
  });
});

describe("parking", () => {
  it.each([
    ["mapUnordered", () => mapUnordered(async (order: Order) => order, { onError: "park" }), /use mapOrdered/],
    ["mapOrdered", () => mapOrdered(async (order: Order) => order, { onError: "park", lane: "none" }), /lane: "key"/],
    [
      "mapOrdered",
      () => mapOrdered(async (order: Order) => order, { onError: "park", lane: (order) => order.region }),
      /lane: "key"/,
    ],
    [
      "flatMapOrdered",
      () => flatMapOrdered(async (order: Order) => [order], { onError: "park", lane: "none" }),
      /lane: "key"/,
    ],
  ] as const)("is refused where records of a key may overtake each other: %s", (_, make, remedy) => {
    expect(make).toThrow(invalid(remedy));
  });

  it("is allowed where they do not", () => {
    expect(() => mapOrdered(async (order: Order) => order, { onError: "park", lane: "key" })).not.toThrow();
    expect(() => map((order: Order) => order, { onError: "park" })).not.toThrow();
  });
});

describe("a checked policy", () => {
  it("is none where failures stop the task, as they do by default", () => {
    expect(failurePolicy("map", {})).toBeNull();
    expect(failurePolicy("map", { onError: "fail", deadLetters: { topic: "letters" } })).toBeNull();
  });

  it("has what was said, and nothing else", () => {
    const codec = json(t.unknown);
    expect(failurePolicy("map", { onError: "park", deadLetters: { topic: "letters", codec } })).toEqual({
      onError: "park",
      decisions: new Set(["park"]),
      topic: "letters",
      codec,
      mayPark: true,
    });
    expect(failurePolicy("map", { onError: "skip" })).toEqual({
      onError: "skip",
      decisions: new Set(["skip"]),
      topic: null,
      codec: null,
      mayPark: true,
    });
    expect(failureParts("map", {})).toEqual({ name: null, failure: null });
    expect(failureParts("map", { name: "enrich" })).toEqual({ name: "enrich", failure: null });
  });

  it("may write letters unless it never does: what a function will say, nobody knows", () => {
    const writes = (onError: Options["onError"]) =>
      mayWriteLetters(failurePolicy("map", onError === undefined ? {} : { onError }));
    expect([undefined, "fail", "quarantine", "skip"].map((onError) => writes(onError as Options["onError"]))).toEqual([
      false,
      false,
      false,
      false,
    ]);
    expect([writes("deadLetter"), writes("park"), writes(() => "skip")]).toEqual([true, true, true]);
  });

  it("of a function that is known to come to some decisions only needs what these need", () => {
    const among = (...decisions: readonly FailureDecision[]) => {
      const decide = (): FailureDecision => "skip";
      expect(decidingAmong(decisions, decide)).toBe(decide);
      expect(decisionsOf(decide)).toEqual(new Set(decisions));
      const policy = failurePolicy("map", { onError: decide });
      return policy === null ? null : [mayWriteLetters(policy), mayLeaveBehind(policy)];
    };
    expect(among("fail", "skip")).toEqual([false, false]);
    expect(among("quarantine")).toEqual([false, true]);
    expect(among("skip", "deadLetter")).toEqual([true, true]);
    expect(among("park")).toEqual([true, true]);
    expect(decisionsOf(() => "skip").size).toBe(5);
  });
});
