import {
  batch,
  createApp,
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
  tap,
  topic,
  tumbling,
  window,
} from "@millrace/core";
import { mapEitherK, mapOrderedTE, sinkTE } from "@millrace/core/fp";
import * as t from "io-ts";
import { describe, expect, it } from "vitest";

/** As a program in JavaScript calls them: nobody checks the types. */
type Loose = (...args: readonly unknown[]) => unknown;

const f = async (): Promise<number> => 1;
const orders = topic("orders", { codec: json(t.type({ id: t.string })), key: (order) => order.id });
const withOptions: readonly (readonly [string, (options: unknown) => unknown])[] = [
  ["map", (options) => (map as Loose)(f, options)],
  ["filter", (options) => (filter as Loose)(f, options)],
  ["tap", (options) => (tap as Loose)(f, options)],
  ["flatMap", (options) => (flatMap as Loose)(f, options)],
  ["mapOrdered", (options) => (mapOrdered as Loose)(f, options)],
  ["flatMapOrdered", (options) => (flatMapOrdered as Loose)(f, options)],
  ["mapUnordered", (options) => (mapUnordered as Loose)(f, options)],
  ["partitionBy", (options) => (partitionBy as Loose)(f, options)],
  ["window", (options) => (window as Loose)(tumbling("1 s"), { n: 1 }, options)],
  ["batch", (options) => (batch as Loose)(10, options)],
  ["sink", (options) => (sink as Loose)(orders, options)],
  ["sink", (options) => (sink as Loose)(f, options)],
  ["stream", (options) => (stream as Loose)(orders, options)],
  ["createApp", (options) => (createApp as Loose)(options)],
  ["mapOrdered", (options) => (mapOrderedTE as Loose)(f, options)],
  ["map", (options) => (mapEitherK as Loose)(f, options)],
  ["sink", (options) => (sinkTE as Loose)(f, options)],
  ["map: deadLetters", (options) => (map as Loose)(f, { onError: "park", deadLetters: options })],
  ["mapOrdered: retry", (options) => (mapOrdered as Loose)(f, { retry: options })],
  ["restart", (options) => (createApp as Loose)({ name: "a", adapter: null, restart: options })],
];

describe("options", () => {
  it.each(withOptions)(
    "of %s: a name that is spelled wrong is refused, and does not mean the default",
    (what, call) => {
      expect(() => call({ onErorr: "park" })).toThrow(
        expect.objectContaining({
          _tag: "InvalidOption",
          message: expect.stringContaining(`${what}: there is no option "onErorr"`),
        }),
      );
    },
  );

  it.each(withOptions)("of %s: are an object", (_what, call) => {
    expect(() => call("park")).toThrow(expect.objectContaining({ _tag: "InvalidOption" }));
  });
});

describe("a function", () => {
  it.each<readonly [string, Loose]>([
    ["map", map as Loose],
    ["filter", filter as Loose],
    ["tap", tap as Loose],
    ["flatMap", flatMap as Loose],
    ["mapOrdered", mapOrdered as Loose],
    ["flatMapOrdered", flatMapOrdered as Loose],
    ["mapUnordered", mapUnordered as Loose],
    ["partitionBy", partitionBy as Loose],
  ])("is what %s takes first", (what, operator) => {
    for (const wrong of [undefined, null, "enrich", {}]) {
      expect(() => operator(wrong)).toThrow(
        expect.objectContaining({
          _tag: "InvalidOption",
          message: expect.stringContaining(`${what}: its first argument`),
        }),
      );
    }
  });
});
