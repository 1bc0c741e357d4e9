import { distinct } from "@millrace/core";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NO_RECORD } from "../../src/topology/record.ts";

type Value = string | number | boolean;

const itself = (value: Value): Value => value;

function distinctOf(values: readonly Value[], max?: number): readonly Value[] {
  const aggregate = distinct(itself, max === undefined ? {} : { max });
  return aggregate.out(
    values.reduce<unknown>((state, value) => aggregate.add(state, value, NO_RECORD), aggregate.init()),
  );
}

const invalid = (message: string | RegExp): Error =>
  expect.objectContaining({ _tag: "InvalidOperator", message: expect.stringMatching(message) as string }) as Error;

describe("distinct", () => {
  it("sorts booleans, then numbers by size, then strings by code unit", () => {
    const given = ["b", 10, true, "B", -1, "10", "ä", 9, false, 1.5, "", "\u{1F600}", "\uFFFD"];
    const sorted = [false, true, -1, 1.5, 9, 10, "", "10", "B", "b", "ä", "\u{1F600}", "\uFFFD"];
    expect(distinctOf(given)).toEqual(sorted);
    expect(distinctOf(given.toReversed())).toEqual(sorted);
  });

  it("has each value once, and 1 and its text are two", () => {
    expect(distinctOf([1, "1", 1, "1", true, "true", 0, -0])).toEqual([true, 0, 1, "1", "true"]);
    const value = fc.oneof(fc.string({ maxLength: 2 }), fc.integer({ min: -9, max: 9 }), fc.boolean());
    fc.assert(
      fc.property(fc.array(value), (values) => {
        const found = distinctOf(values);
        expect(found).toHaveLength(new Set(values).size);
        expect(new Set(found)).toEqual(new Set(values));
      }),
    );
  });

  it("keeps its state as it is, the same object, for a value that it has", () => {
    const aggregate = distinct(itself);
    const state = Object.freeze(["a", "b"]);
    expect(aggregate.add(state, "b", NO_RECORD)).toBe(state);
    expect(aggregate.add(state, "c", NO_RECORD)).toEqual(["a", "b", "c"]);
  });

  it("refuses more values than it may keep, and says what to do", () => {
    const aggregate = distinct(itself, { max: 3 });
    expect(distinctOf([3, 1, 2, 1, 3], 3)).toEqual([1, 2, 3]);
    const full = invalid(/^distinct\(\) has found more than 3 different values of one key: raise its option max/);
    expect(() => aggregate.add([1, 2, 3], 4, NO_RECORD)).toThrow(full);
    expect(() => aggregate.merge?.([1, 2], [3, 4])).toThrow(full);
    expect(aggregate.merge?.([1, 2], [2, 3])).toEqual([1, 2, 3]);
  });

  it("keeps 10,000 by default", () => {
    const aggregate = distinct(itself);
    const state = Array.from({ length: 10_000 }, (_, i) => i);
    expect(aggregate.add(state.slice(1), 0, NO_RECORD)).toEqual(state);
    expect(() => aggregate.add(state, -1, NO_RECORD)).toThrow(invalid("more than 10000 different"));
  });

  it.each([
    [Number.NaN, "distinct\\(\\) takes finite numbers, not NaN"],
    [Number.POSITIVE_INFINITY, "distinct\\(\\) takes finite numbers, not Infinity"],
    [undefined, "distinct\\(\\) takes strings, booleans and finite numbers, not nothing"],
    [null, "distinct\\(\\) takes strings, booleans and finite numbers, not null"],
    [7n, "distinct\\(\\) takes strings, booleans and finite numbers, not a bigint"],
    [["payload"], "distinct\\(\\) takes strings, booleans and finite numbers, not an array"],
  ])("refuses %s", (bad, message) => {
    expect(() => distinctOf([bad as Value])).toThrow(invalid(`^${message}$`));
  });

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "5"])("refuses to keep %s", (max) => {
    expect(() => distinct(itself, { max: max as number })).toThrow(
      expect.objectContaining({
        _tag: "InvalidOption",
        message: `distinct: max must be a whole number >= 1, not ${max}`,
      }) as Error,
    );
  });

  it("refuses options that it does not have", () => {
    expect(() => distinct(itself, { most: 3 } as object)).toThrow(/there is no option "most"/);
    expect(() => distinct("name" as never)).toThrow(/distinct must be a function, not a string/);
  });
});
