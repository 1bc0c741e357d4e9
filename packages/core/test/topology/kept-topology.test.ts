import * as fc from "fast-check";
import * as E from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";
import {
  decodeTopology,
  encodeTopology,
  NOTHING_KEPT,
  physicalName,
  updatesName,
} from "../../src/topology/kept-topology.ts";
import { anyKept, TOPIC } from "../support/any-topology.ts";

describe("what a group remembers", () => {
  it("comes back from its text", () => {
    fc.assert(
      fc.property(anyKept, (kept) => {
        expect(decodeTopology(encodeTopology(kept))).toEqual(E.right(kept));
      }),
    );
  });

  it("is the same text whatever order it was put together in", () => {
    fc.assert(
      fc.property(anyKept, (kept) => {
        const stores = new Map([...kept.stores].toReversed());
        const repartitions = new Map([...kept.repartitions].toReversed());
        expect(encodeTopology({ ...kept, stores, repartitions })).toBe(encodeTopology(kept));
      }),
    );
  });

  it("is the same text whatever order the fields were given in, and whatever else a topic has", () => {
    const { name, partitions, incarnation } = TOPIC;
    const other = { placement: "x", incarnation, partitions, name };
    const of = (topic: typeof TOPIC): string =>
      encodeTopology({
        ...NOTHING_KEPT,
        repartitions: new Map([["a", topic]]),
        doomed: [{ source: topic, store: "b" }],
      });
    expect(of(other)).toBe(of(TOPIC));
  });

  it.each([
    ["no JSON", "{", /not JSON/],
    ["a list", "[]", /not JSON of an object/],
    ["null", "null", /not JSON of an object/],
    ["another format", JSON.stringify({ format: 2 }), /of format 2, and this version of Millrace reads 1/],
    ["no format", "{}", /of format undefined/],
    ["no stores", JSON.stringify({ format: 1, resets: 0, repartitions: {}, doomed: [] }), /missing/],
    ["no topics", JSON.stringify({ format: 1, resets: 0, stores: {}, doomed: [] }), /missing/],
    ["no list of the doomed", JSON.stringify({ format: 1, resets: 0, stores: {}, repartitions: {} }), /missing/],
    ["no count of resets", JSON.stringify({ format: 1, stores: {}, repartitions: {}, doomed: [] }), /missing/],
    [
      "a store without a source",
      JSON.stringify({
        format: 1,
        resets: 0,
        stores: { a: { keeps: "", version: 1, oldest: 1, since: 0 } },
        repartitions: {},
        doomed: [],
      }),
      /missing/,
    ],
  ])("is not guessed from a text that is %s", (_, text, reason) => {
    const decoded = decodeTopology(text);
    expect(E.isLeft(decoded) ? decoded.left : "").toMatch(reason);
  });
});

describe("a store's name", () => {
  it("is the plan's until the first reset, and none that a plan can give from then on", () => {
    expect(physicalName("totals", 0)).toBe("totals");
    expect(physicalName("totals", 3)).toBe("totals~3");
    expect(updatesName(physicalName("totals", 3))).toBe("totals~3~updates");
  });
});
