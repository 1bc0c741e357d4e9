import { type Aggregates, count, type Duration, tumbling, window } from "@millrace/core";
import { describe, expect, it } from "vitest";
import { BAD_NAMES } from "../support/bad-names.ts";
import type { Order } from "../support/topics.ts";

/** Declares a window as a program without types could. */
function declare(options: object, aggregates: object = { n: count() }): unknown {
  return window(tumbling("1 h"), aggregates as Aggregates<Order, { n: number }>, { grace: "0 s", ...options });
}

const invalid = (message: RegExp): Error =>
  expect.objectContaining({ _tag: "InvalidOption", message: expect.stringMatching(message) as string }) as Error;

describe("a tumbling window is refused", () => {
  it("without a length", () => {
    for (const size of ["0 s", "0 ms", "0.0 d"] as const) {
      expect(() => tumbling(size)).toThrow(invalid(/^tumbling: size must be at least 1 ms, and whole, not "0/));
    }
  });

  it.each(["", "-1 s", "10", "1 fortnight", 60_000, undefined])("with a length of %j", (size) => {
    expect(() => tumbling(size as Duration)).toThrow(invalid(/^tumbling: .* is not a duration/));
  });
});

describe("a window is refused", () => {
  it.each([undefined, null, "", "10", "-1 s", 10])("with a grace of %j", (grace) => {
    expect(() => declare({ grace })).toThrow(invalid(/^window: grace: .* is not a duration/));
  });

  it("without aggregates", () => {
    expect(() => declare({}, {})).toThrow(invalid(/^window: name at least one aggregate, such as \{ n: count\(\) \}$/));
  });

  it.each(BAD_NAMES.filter(([, name]) => name !== undefined))("with %s as its name", (_what, name) => {
    expect(() => declare({ name })).toThrow(expect.objectContaining({ _tag: "InvalidName" }) as Error);
  });

  it.each([0, -1, 1.5, 1e9, Number.NaN, "4"])("with %j partitions for its repartition topic", (partitions) => {
    expect(() => declare({ partitions, by: () => "" })).toThrow(
      invalid(/partitions must be a whole number from 1 to 4096/),
    );
  });
});
