import { EncodeError, json, sink, topic } from "@millrace/core";
import * as t from "io-ts";
import { of } from "rxjs";
import { describe, expect, it } from "vitest";
import { collect } from "../support/collect.ts";
import { type Order, orderOf, orders } from "../support/topics.ts";

describe("sink on an ordinary Observable", () => {
  it("passes on what the topic could hold", () => {
    const [a, b] = [orderOf({ id: "a" }), orderOf({ id: "b" })];
    expect(collect(of(a, b).pipe(sink(orders))).values).toEqual([a, b]);
  });

  it.each<[string, Order, string]>([
    ["the value", orderOf({ total: Number.NaN }), "total"],
    ["the key", orderOf({ customer: "\ud800" }), "key"],
    ["the event time", orderOf({ at: 0.5 }), "timestamp"],
  ])("ends with an EncodeError where the topic cannot hold %s", (_what, order, path) => {
    const { values, end } = collect(of(orderOf(), order).pipe(sink(orders)));
    expect(values).toHaveLength(1);
    const { error } = end as { readonly error: EncodeError };
    expect(error).toBeInstanceOf(EncodeError);
    expect([error.topic, error.issues[0]?.path]).toEqual(["orders", path]);
  });

  it("needs no event time where the topic has none", () => {
    const plain = topic("plain", { codec: json(t.string), key: null });
    expect(collect(of("a").pipe(sink(plain))).end).toBe("completed");
  });
});
