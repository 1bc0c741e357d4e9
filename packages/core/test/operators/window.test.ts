import { asRecords, count, map, max, mean, min, sum, tumbling, type WindowOptions, window } from "@millrace/core";
import { of, Subject } from "rxjs";
import { describe, expect, it } from "vitest";
import { collect } from "../support/collect.ts";
import { type Order, orderOf, orders } from "../support/topics.ts";

const perMinute = (options: Partial<WindowOptions<Order, string>> = {}) =>
  window(tumbling("1 minute"), { n: count(), total: sum((order: Order) => order.total) }, { grace: "0 s", ...options });

function at(seconds: number, what: Partial<Order> = {}): Order {
  return orderOf({ at: seconds * 1_000, ...what });
}

describe("window on an ordinary Observable", () => {
  it("gives one result for each key and window when the source completes", () => {
    const input = of(at(1), at(59), at(60), at(61, { customer: "c-2", total: 5 }));
    expect(collect(input.pipe(asRecords(orders), perMinute())).values).toEqual([
      { key: "c-1", start: 0, end: 60_000, revision: 1, value: { n: 2, total: 20 } },
      { key: "c-1", start: 60_000, end: 120_000, revision: 1, value: { n: 1, total: 10 } },
      { key: "c-2", start: 60_000, end: 120_000, revision: 1, value: { n: 1, total: 5 } },
    ]);
  });

  it("gives a result when the first record behind the window's end and grace has passed", () => {
    const source = new Subject<Order>();
    const results = collect(source.pipe(asRecords(orders), perMinute({ grace: "10 s" })));
    const numbers = [0, 59, 69, 69, 70, 70].map((seconds) => {
      source.next(at(seconds));
      return results.values.length;
    });
    expect(numbers).toEqual([0, 0, 0, 0, 0, 1]);
    expect(results.values[0]).toMatchObject({ start: 0, value: { n: 2 } });
  });

  it("drops a record whose window has closed, and takes one whose window is in its grace", () => {
    const input = of(at(0), at(69), at(59), at(70), at(58), at(71), at(57));
    const counts = collect(input.pipe(asRecords(orders), perMinute({ grace: "10 s" }))).values;
    expect(counts.map(({ start, value }) => [start, value.n])).toEqual([
      [0, 2],
      [60_000, 3],
    ]);
  });

  it("groups by another key where it is told to", () => {
    const input = of(at(1, { region: "north" }), at(2, { region: "south" }), at(3, { region: "north" }));
    const byRegion = input.pipe(asRecords(orders), perMinute({ by: (order) => order.region }));
    expect(collect(byRegion).values.map(({ key, value }) => [key, value.n])).toEqual([
      ["north", 2],
      ["south", 1],
    ]);
  });

  it("passes a record on with each result: its key, the window's last instant, an id of its own", () => {
    const records = of(at(1), at(61)).pipe(
      asRecords(orders),
      perMinute({ name: "per-minute" }),
      map((_result, record) => record),
    );
    expect(collect(records).values).toMatchObject([
      { key: "c-1", timestamp: 59_999, id: "per-minute/c-1/0" },
      { key: "c-1", timestamp: 119_999, id: "per-minute/c-1/60000" },
    ]);
  });

  it("feeds a second window behind it: no result of the first is late there", () => {
    const input = of(...Array.from({ length: 180 }, (_, minute) => at(minute * 60)));
    const hours = input.pipe(
      asRecords(orders),
      perMinute({ grace: "30 s" }),
      window(tumbling("1 h"), { n: sum((minute) => minute.value.n) }, { grace: "0 s" }),
    );
    expect(collect(hours).values.map(({ value }) => value.n)).toEqual([60, 60, 60]);
  });

  it("closes any number of windows at once", () => {
    const many = Array.from({ length: 1_201 }, (_, n) => at(0, { customer: `c-${String(n).padStart(4, "0")}` }));
    const results = collect(of(...many, at(60), at(60)).pipe(asRecords(orders), perMinute())).values;
    expect(results.map(({ key }) => key)).toEqual([...many.map(({ customer }) => customer), "c-1"]);
  });

  it("computes every aggregate of the same records", () => {
    const total = (order: Order): number => order.total;
    const all = { n: count(), sum: sum(total), min: min(total), max: max(total), mean: mean(total) };
    const input = of(at(1, { total: 4 }), at(2, { total: -2 }), at(3, { total: 7 }));
    const [result] = collect(input.pipe(asRecords(orders), window(tumbling("1 d"), all, { grace: "0 s" }))).values;
    expect(result?.value).toEqual({ n: 3, sum: 9, min: -2, max: 7, mean: 3 });
  });

  it("ends with the error of an aggregate, and names what it does not take", () => {
    const results = collect(of(at(1, { total: Number.NaN })).pipe(asRecords(orders), perMinute()));
    expect(results.end).toMatchObject({
      error: { _tag: "InvalidOperator", message: "sum() takes finite numbers, not NaN" },
    });
  });

  it("ends with the error of by", () => {
    const boom = new Error("boom");
    const by = (): never => {
      throw boom;
    };
    expect(collect(of(at(1)).pipe(asRecords(orders), perMinute({ by }))).end).toEqual({ error: boom });
  });

  it("says what is missing where values have no event time", () => {
    expect(collect(of(at(1)).pipe(perMinute())).end).toMatchObject({
      error: {
        _tag: "InvalidOperator",
        message: "window needs event times: on an ordinary Observable put asRecords(topic) in front of it",
      },
    });
  });

  it("keeps its windows for each subscriber apart", () => {
    const windows = of(at(1)).pipe(asRecords(orders), perMinute());
    expect(collect(windows).values).toEqual(collect(windows).values);
  });
});
