import { type Duration, json, MillraceError, topic } from "@millrace/core";
import * as t from "io-ts";
import { describe, expect, it } from "vitest";
import { BAD_NAMES } from "../support/bad-names.ts";
import { orderOf, orders } from "../support/topics.ts";

const codec = json(t.number);

/** Declares a topic as a program without types could. */
function declare(name: unknown, options: object = {}): unknown {
  return topic(name as string, { codec, key: null, ...options });
}

function errorOf(run: () => unknown): MillraceError {
  try {
    run();
  } catch (error) {
    if (error instanceof MillraceError) {
      return error;
    }
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("a topic's declaration", () => {
  it.each(BAD_NAMES)("refuses %s as its name", (_what, name) => {
    const error = errorOf(() => declare(name));
    expect([error._tag, error.code, error.retriable]).toEqual(["InvalidName", "MR_INVALID_NAME", false]);
    expect(error.message).toContain(
      "is not a topic name: use 1 to 200 letters, digits, '.', '_' or '-', beginning with a letter or a digit",
    );
    expect(error.message.length).toBeLessThan(500);
    expect(error.message).not.toMatch(/\p{Control}/u);
  });

  it.each([
    [0, "0"],
    [-1, "-1"],
    [1.5, "1.5"],
    [1e9, "1000000000"],
    [4_097, "4097"],
    [Number.NaN, "NaN"],
    [Number.POSITIVE_INFINITY, "Infinity"],
    ["4", '"4"'],
    [4n, "4"],
    [null, "null"],
    [{}, "a value of type object"],
    [Object.create(null), "a value of type object"],
  ])("refuses %o partitions", (partitions, shown) => {
    const error = errorOf(() => declare("orders", { partitions }));
    expect([error._tag, error.code]).toEqual(["InvalidOption", "MR_INVALID_OPTION"]);
    expect(error.message).toBe(`topic "orders": partitions must be a whole number from 1 to 4096, not ${shown}`);
  });

  it.each([1, 4_096])("takes %d partitions", (partitions) => {
    expect(declare("orders", { partitions })).toMatchObject({ partitions });
  });

  it.each(["outOfOrderness", "idle"])("refuses a text for %s that is no duration", (option) => {
    for (const text of ["", "10", "-1 s", "1.5 ms", "soon", 10, null]) {
      const error = errorOf(() => declare("orders", { [option]: text as Duration }));
      expect(error._tag).toBe("InvalidOption");
      expect(error.message).toMatch(new RegExp(`^topic "orders": ${option}: .* is not `));
    }
  });

  it("reads its durations", () => {
    expect(declare("orders", { outOfOrderness: "2 s", idle: "1 min" })).toMatchObject({
      time: { outOfOrdernessMs: 2_000, idleAfterMs: 60_000 },
    });
  });

  it.each(["clamp", "reject", "late"])("says what becomes of records that are ahead of time: %s", (policy) => {
    expect(declare("orders", { ahead: { by: "1 min", policy } })).toMatchObject({ ahead: { byMs: 60_000, policy } });
  });

  it.each<[unknown, RegExp]>([
    ["clamp", /^topic "orders": ahead: options must be an object, not /],
    [null, /^topic "orders": ahead: options must be an object, not null/],
    [{ policy: "late" }, /^topic "orders": ahead: by is missing/],
    [{ by: "1", policy: "late" }, /^topic "orders": ahead\.by: "1" is not a duration/],
    [{ by: "-1 s", policy: "late" }, /^topic "orders": ahead\.by: .* is not a duration/],
    [{ by: 1_000, policy: "late" }, /^topic "orders": ahead\.by: 1000 is not a duration/],
    [{ by: "1 s" }, /^topic "orders": ahead\.policy must be "clamp", "reject" or "late", not undefined$/],
    [{ by: "1 s", policy: "drop" }, /^topic "orders": ahead\.policy must be "clamp", "reject" or "late", not "drop"$/],
    [
      { by: "1 s", policy: "late", than: 1 },
      /^topic "orders": ahead: there is no option "than"; there are by, policy$/,
    ],
  ])("refuses %j for what is ahead of time", (ahead, text) => {
    const error = errorOf(() => declare("orders", { ahead }));
    expect([error._tag, error.code]).toEqual(["InvalidOption", "MR_INVALID_OPTION"]);
    expect(error.message).toMatch(text);
  });

  it("leaves partitions to what exists, trusts times, tolerates no disorder and is never idle, unless it says so", () => {
    expect(declare("orders")).toMatchObject({
      partitions: null,
      timestamp: null,
      time: { outOfOrdernessMs: 0, idleAfterMs: null },
      ahead: null,
    });
  });

  it("types a value without changing it", () => {
    const order = orderOf();
    expect(orders.of(order)).toBe(order);
  });
});
