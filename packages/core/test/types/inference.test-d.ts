/**
 * What the compiler must find out by itself: no lambda here names the type of its parameter. `tsc -b` reads this file,
 * nothing runs it.
 */
import {
  type Aggregate,
  asRecords,
  type Codec,
  count,
  filter,
  flatMap,
  fold,
  json,
  map,
  mapOrdered,
  mean,
  native,
  type OutputOf,
  partitionBy,
  pipeline,
  type RecordInfo,
  type StandardSchema,
  type Stream,
  type Sunk,
  sink,
  stream,
  sum,
  tap,
  topic,
  tumbling,
  type Windowed,
  window,
} from "@millrace/core";
import * as t from "io-ts";
import * as rx from "rxjs";
import { expectTypeOf } from "vitest";
import { type Order, orders } from "../support/topics.ts";

const totals = topic("totals", {
  codec: json(
    t.type({ region: t.string, from: t.number, n: t.number, kind: t.union([t.literal("a"), t.literal("b")]) }),
  ),
  key: (total) => total.region,
});
declare function schema<A>(): StandardSchema<unknown, A>;

export function lambdas(): void {
  const end = stream(orders).pipe(
    filter((order) => order.total > 0),
    tap((order, record) => {
      expectTypeOf(order).toEqualTypeOf<Order>();
      expectTypeOf(record).toEqualTypeOf<RecordInfo>();
    }),
    mapOrdered(async (order, record, { signal, attempt }) => {
      expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
      expectTypeOf(attempt).toEqualTypeOf<number>();
      return { ...order, at: record.timestamp };
    }),
    flatMap((order) => [order.id, order.region]),
    map((text) => ({ text, length: text.length })),
    partitionBy((it) => it.text),
    filter((it) => it.length > 1),
    window(tumbling("1 h"), { n: count(), length: mean((it) => it.length) }, { grace: "0 s" }),
    map((result) => {
      expectTypeOf(result).toEqualTypeOf<Windowed<{ n: number; length: number }>>();
      return totals.of({ region: result.key, from: result.start, n: result.value.n, kind: "a" });
    }),
    sink(totals),
  );
  expectTypeOf(end).toEqualTypeOf<Stream<Sunk>>();
  pipeline("p", end);
}

/** An operator that was made elsewhere, for one type, behind and in front of lambdas. */
export function readyMadeOperators(): void {
  const cents: rx.OperatorFunction<Order, number> = map((order) => order.total * 100);
  const large = rx.pipe(
    filter((order: Order) => order.total > 1_000),
    tap((order) => expectTypeOf(order).toEqualTypeOf<Order>()),
  );
  const audited = (source: rx.Observable<Order>): rx.Observable<Order> => source.pipe(tap((order) => order.id));
  const numbers = stream(orders).pipe(
    tap((order) => order.id),
    audited,
    filter((order) => order.total > 0),
    large,
    map((order) => ({ ...order, seen: true })),
    cents,
    map((value) => value.toFixed(2)),
  );
  expectTypeOf(numbers).toEqualTypeOf<Stream<string>>();
}

export function foreignOperators(): void {
  const pairs = stream(orders).pipe(
    rx.filter((order) => order.total > 0),
    rx.map((order) => order.total),
    native("pairs", rx.pairwise()),
    map(([before, now]) => now - before),
  );
  expectTypeOf(pairs).toEqualTypeOf<Stream<number>>();
}

type Event = { readonly kind: "paid"; readonly amount: number } | { readonly kind: "sent" };
const events = topic("events", { codec: json(schema<Event>()), key: null });

export function typeGuards(): void {
  const isPaid = (event: Event): event is Extract<Event, { kind: "paid" }> => event.kind === "paid";
  const amounts = stream(events).pipe(
    filter(isPaid),
    map((event) => event.amount),
  );
  expectTypeOf(amounts).toEqualTypeOf<Stream<number>>();
  const inline = stream(events).pipe(
    filter((event): event is Extract<Event, { kind: "sent" }> => event.kind === "sent"),
    map((event) => event.kind),
  );
  expectTypeOf(inline).toEqualTypeOf<Stream<"sent">>();
}

export function keysOfWindows(): void {
  const byText = stream(orders).pipe(
    window(tumbling("1 h"), { total: sum((order) => order.total) }, { by: (order) => order.region, grace: "0 s" }),
  );
  expectTypeOf(byText).toEqualTypeOf<Stream<Windowed<{ total: number }>>>();
  const byKind = stream(events).pipe(
    window(tumbling("1 h"), { n: count() }, { by: (event) => event.kind, grace: "0 s" }),
    map((result) => result.key),
  );
  expectTypeOf(byKind).toEqualTypeOf<Stream<"paid" | "sent">>();
}

export function aggregates(): void {
  const longest: Aggregate<Order, string> = fold("", (longestSoFar, order) =>
    order.id.length > longestSoFar.length ? order.id : longestSoFar,
  );
  const results = stream(orders).pipe(
    window(
      tumbling("1 h"),
      { longest, ids: fold<Order, readonly string[]>([], (ids, order) => [...ids, order.id]) },
      { grace: "0 s" },
    ),
    map((result) => result.value),
  );
  expectTypeOf(results).toEqualTypeOf<Stream<{ longest: string; ids: readonly string[] }>>();
}

/** `topic.of` types a literal where it is written: without it, `"a"` would be any string. */
export function literals(): void {
  stream(orders).pipe(
    map((order) => totals.of({ region: order.region, from: 0, n: 1, kind: "a" })),
    sink(totals),
  );
}

export function ordinaryObservables(): void {
  const lengths = rx.of("a", "b").pipe(
    map((text) => text.length),
    filter((length) => length > 0),
    mapOrdered(async (length) => `${length}`),
  );
  expectTypeOf(lengths).toEqualTypeOf<rx.Observable<string>>();
  const windows = rx.EMPTY.pipe(
    rx.map((): Order => orders.of({ id: "", customer: "", region: "", total: 0, at: 0 })),
    asRecords(orders),
    window(tumbling("1 h"), { n: count() }, { grace: "0 s" }),
  );
  expectTypeOf(windows).toEqualTypeOf<rx.Observable<Windowed<{ n: number }>>>();
}

/** Types that carry themselves as JSON need no encode, and may have one. */
export function codecs(): void {
  const Instant = {} as t.Type<Date, string, unknown>;
  expectTypeOf(json(Instant)).toEqualTypeOf<Codec<Date>>();
  expectTypeOf(json(t.type({ id: t.string }))).toEqualTypeOf<Codec<{ id: string }>>();
  expectTypeOf(json(schema<{ readonly id: string; readonly tags?: readonly string[] | null }>())).toEqualTypeOf<
    Codec<{ readonly id: string; readonly tags?: readonly string[] | null }>
  >();
  expectTypeOf(json(schema<Date>(), { encode: (date) => date.toISOString() })).toEqualTypeOf<Codec<Date>>();
  expectTypeOf(json(schema<string>(), { encode: (text) => text.trim() })).toEqualTypeOf<Codec<string>>();
  expectTypeOf(json(schema<unknown>())).toEqualTypeOf<Codec<unknown>>();
  expectTypeOf<OutputOf<StandardSchema<string, number>>>().toEqualTypeOf<number>();
}
