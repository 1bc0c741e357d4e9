import {
  asRecords,
  filter,
  json,
  map,
  mapOrdered,
  partitionBy,
  partitionOf,
  type RecordInfo,
  topic,
} from "@millrace/core";
import * as t from "io-ts";
import { type OperatorFunction, of } from "rxjs";
import { describe, expect, it, vi } from "vitest";
import { collect, settled } from "../support/collect.ts";
import { type Order, orderOf, orders } from "../support/topics.ts";

const a = orderOf({ id: "a", customer: "ann", at: 100 });
const b = orderOf({ id: "b", customer: "bob", at: 50 });

/** The records beneath the values, behind an operator. */
function recordsOf(operator: OperatorFunction<Order, unknown>, ...values: readonly Order[]): readonly RecordInfo[] {
  return collect(
    of(...values).pipe(
      operator,
      map((_value, record) => record),
    ),
  ).values;
}

describe("the record beneath a value", () => {
  it("is that of the topic behind asRecords: key, event time and partition", () => {
    expect(recordsOf(asRecords(orders), a, b)).toMatchObject([
      { topic: "orders", partition: partitionOf("ann", 4), key: "ann", timestamp: 100, headers: {} },
      { topic: "orders", partition: partitionOf("bob", 4), key: "bob", timestamp: 50, headers: {} },
    ]);
  });

  it("has an offset and an id of its own", () => {
    const [first, second] = recordsOf(asRecords(orders), a, a);
    expect([first?.offset, second?.offset]).toEqual(["0-1/0", "0-2/0"]);
    expect(first?.id).toBe(`orders/${first?.partition}/0-1/0`);
    expect(second?.id).not.toBe(first?.id);
  });

  it("has the time of arrival where the topic has no event time, and no key where it has none", () => {
    const plain = topic("plain", { codec: json(t.unknown), key: null });
    const now = vi.spyOn(Date, "now").mockReturnValue(123_456);
    const [record] = recordsOf(asRecords(plain), a);
    now.mockRestore();
    expect(record).toMatchObject({ topic: "plain", partition: 0, key: "", timestamp: 123_456 });
  });

  it("says nothing without asRecords", () => {
    expect(
      recordsOf(
        map((order) => order),
        a,
      ),
    ).toMatchObject([{ topic: "", key: "", timestamp: Number.NaN, id: "" }]);
  });

  it("is the same for every operator behind asRecords, also when a value becomes another", () => {
    const seen: string[] = [];
    const note = (name: string, record: RecordInfo): true => seen.push(`${name} ${record.key}`) > 0 || true;
    collect(
      of(a, b).pipe(
        asRecords(orders),
        filter((_order, record) => note("filter", record)),
        map((order, record) => note("map", record) && order.id),
        map((id, record) => note("map again", record) && id),
      ),
    );
    expect(seen).toEqual(["filter ann", "map ann", "map again ann", "filter bob", "map bob", "map again bob"]);
  });

  it("is still that of its value behind an asynchronous operator", async () => {
    const keys = collect(
      of(a, b).pipe(
        asRecords(orders),
        mapOrdered(async (order) => order.id),
        map((id, record) => `${id} ${record.key}`),
      ),
    );
    await settled();
    expect(keys.values).toEqual(["a ann", "b bob"]);
  });

  it("is gone when the value has left: one Observable inside another keeps its own", () => {
    const keys = collect(
      of(a).pipe(
        asRecords(orders),
        map((_order, outer) => {
          const [inner] = recordsOf(asRecords(orders), b);
          return [outer.key, inner?.key];
        }),
        map((pair, record) => [...pair, record.key]),
      ),
    );
    expect(keys.values).toEqual([["ann", "bob", "ann"]]);
    expect(
      recordsOf(
        map((order) => order),
        a,
      )[0]?.key,
    ).toBe("");
  });

  it("has no key that the topic could not carry", () => {
    const bad = topic("bad", { codec: json(t.unknown), key: () => 7 as unknown as string });
    expect(collect(of(a).pipe(asRecords(bad))).end).toMatchObject({ error: { _tag: "EncodeError" } });
  });
});

describe("partitionBy", () => {
  it("gives the record another key, and nothing else", () => {
    const [before] = recordsOf(asRecords(orders), a);
    const rekeyed = recordsOf(
      (source) =>
        source.pipe(
          asRecords(orders),
          partitionBy((order) => order.region),
        ),
      a,
    );
    expect(rekeyed).toEqual([expect.objectContaining({ ...before, id: before?.id, key: "north" })]);
  });

  it("sees the record with its old key", () => {
    const twice = (source: Parameters<OperatorFunction<Order, Order>>[0]) =>
      source.pipe(
        asRecords(orders),
        partitionBy((_order, record) => `${record.key}!`),
        partitionBy((_order, record) => `${record.key}?`),
      );
    expect(recordsOf(twice, a)[0]?.key).toBe("ann!?");
  });

  it("leaves no key behind for values of other Observables", () => {
    collect(of(a).pipe(partitionBy((order) => order.region)));
    expect(
      recordsOf(
        map((order) => order),
        a,
      )[0]?.key,
    ).toBe("");
  });

  it.each([7, undefined, "\ud800"])("refuses the key %j, which no topic could carry", (key) => {
    const rekeyed = of(a).pipe(partitionBy(() => key as string));
    expect(collect(rekeyed).end).toMatchObject({ error: { _tag: "EncodeError" } });
  });

  it("passes on what its function throws", () => {
    const boom = new Error("boom");
    const rekeyed = of(a).pipe(
      partitionBy(() => {
        throw boom;
      }),
    );
    expect(collect(rekeyed).end).toEqual({ error: boom });
  });

  it("refuses bad options when it is declared", () => {
    const key = (order: Order): string => order.region;
    expect(() => partitionBy(key, { name: "{x}" })).toThrow(/is not a node name/);
    expect(() => partitionBy(key, { partitions: 1.5 })).toThrow(/whole number from 1 to 4096, not 1.5/);
  });
});
