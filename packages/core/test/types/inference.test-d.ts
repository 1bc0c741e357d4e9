/**
 * What the compiler must find out by itself: no lambda here names the type of its parameter. `tsc -b` reads this file,
 * nothing runs it.
 */
import {
  type Aggregate,
  type Aggregated,
  aggregate,
  asRecords,
  type Codec,
  count,
  deduplicate,
  distinct,
  every,
  filter,
  flatMap,
  fold,
  hopping,
  json,
  map,
  mapOrdered,
  max,
  mean,
  min,
  native,
  type OutputOf,
  type Percentiles,
  partitionBy,
  percentile,
  percentiles,
  pipeline,
  type RecordInfo,
  type StandardSchema,
  type Stream,
  type Sunk,
  session,
  sink,
  sliding,
  stream,
  sum,
  tap,
  topic,
  tumbling,
  unlimited,
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

/** Every lambda of an operator with state, without a type at any of them. */
export function statefulLambdas(): void {
  const windows = stream(orders).pipe(
    deduplicate((order, record) => `${order.id} ${record.offset}`, { within: "1 h" }),
    window(
      hopping("1 h", "10 minutes"),
      {
        n: count(),
        total: sum((order) => order.total),
        least: min((order) => order.total),
        most: max((order) => order.total),
        mean: mean((order) => order.total),
        seen: distinct((order) => order.customer),
        p95: percentile((order) => order.total, 95),
        ps: percentiles((order) => order.total, [50, 99]),
      },
      {
        grace: "10 s",
        by: (order, record) => `${order.region} ${record.partition}`,
        lateTo: (order, record) => `${order.id} ${record.id}`,
        emit: every("5 s"),
        onError: (_error, record) => (record.key === "" ? "skip" : "park"),
        state: { version: 2, migrate: (states, version) => ({ ...states, n: version }) },
      },
    ),
  );
  type Stats = {
    n: number;
    total: number;
    least: number;
    most: number;
    mean: number;
    seen: readonly string[];
    p95: number;
    ps: Percentiles<50 | 99>;
  };
  expectTypeOf(windows).toEqualTypeOf<Stream<Windowed<Stats, `${string} ${number}`>>>();
  const running = stream(orders).pipe(
    aggregate(
      { n: count(), seen: distinct((order) => order.region) },
      { by: (order) => order.region, ttl: "1 day", codec: orders.codec },
    ),
  );
  expectTypeOf(running).toEqualTypeOf<Stream<Aggregated<{ n: number; seen: readonly string[] }>>>();
  const byKind = stream(events).pipe(aggregate({ n: count() }, { by: (event) => event.kind }));
  expectTypeOf(byKind).toEqualTypeOf<Stream<Aggregated<{ n: number }, "paid" | "sent">>>();
  const plain = stream(orders).pipe(aggregate({ n: count() }));
  expectTypeOf(plain).toEqualTypeOf<Stream<Aggregated<{ n: number }>>>();
  const same = stream(events).pipe(deduplicate((event) => event.kind, { within: "1 s", onError: "skip" }));
  expectTypeOf(same).toEqualTypeOf<Stream<Event>>();
}

/** Only updates of sessions can take back what was said. */
export function takenBack(): void {
  const grace = "0 s";
  const orders$ = stream(orders);
  type Final = Stream<Windowed<{ n: number }>>;
  type Retracting = Stream<Windowed<{ n: number } | null>>;
  expectTypeOf(orders$.pipe(window(session("1 s"), { n: count() }, { grace }))).toEqualTypeOf<Final>();
  expectTypeOf(orders$.pipe(window(session("1 s"), { n: count() }, { grace, emit: "final" }))).toEqualTypeOf<Final>();
  expectTypeOf(
    orders$.pipe(window(session("1 s"), { n: count() }, { grace, emit: "updates" })),
  ).toEqualTypeOf<Retracting>();
  expectTypeOf(
    orders$.pipe(window(session("1 s"), { n: count() }, { grace, emit: every("1 s") })),
  ).toEqualTypeOf<Retracting>();
  expectTypeOf(
    orders$.pipe(window(tumbling("1 s"), { n: count() }, { grace, emit: "updates" })),
  ).toEqualTypeOf<Final>();
  expectTypeOf(
    orders$.pipe(window(sliding("1 s"), { n: count() }, { grace, emit: every("1 s") })),
  ).toEqualTypeOf<Final>();
  expectTypeOf(orders$.pipe(window(unlimited(), { n: count() }, { grace, emit: "updates" }))).toEqualTypeOf<Final>();
  const byKind = stream(events).pipe(
    window(session("1 s"), { n: count() }, { grace, by: (event) => event.kind, emit: "updates" }),
  );
  expectTypeOf(byKind).toEqualTypeOf<Stream<Windowed<{ n: number } | null, "paid" | "sent">>>();
}

/** Values that are too late go where values of this kind go. */
export function tooLate(): void {
  stream(orders).pipe(
    window(tumbling("1 h"), { n: count() }, { grace: "0 s", lateTo: orders, by: (order) => order.region }),
    map((result) => {
      expectTypeOf(result.value.n).toEqualTypeOf<number>();
      return result.key;
    }),
  );
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
