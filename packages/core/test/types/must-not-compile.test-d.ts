/**
 * What must not compile. `tsc -b` reads this file, nothing runs it; an error that is no longer one fails the build.
 */
import {
  aggregate,
  count,
  deduplicate,
  every,
  filter,
  fold,
  hopping,
  json,
  map,
  mapOrdered,
  max,
  pipeline,
  type StandardSchema,
  session,
  sink,
  sliding,
  stream,
  sum,
  topic,
  tumbling,
  window,
} from "@millrace/core";
import * as t from "io-ts";
import * as rx from "rxjs";
import { anything, type Order, orders } from "../support/topics.ts";

const names = topic("names", { codec: json(t.string), key: null });
const numbers = topic("numbers", { codec: json(t.number), key: null });
declare function schema<A>(): StandardSchema<unknown, A>;

export function sinks(): void {
  // @ts-expect-error: a stream without a sink is no pipeline.
  pipeline("p", stream(orders));

  pipeline(
    "p",
    stream(orders).pipe(sink(orders)),
    // @ts-expect-error: not even beside one that has a sink.
    stream(orders).pipe(filter((order) => order.total > 0)),
  );

  // @ts-expect-error: a pipeline has at least one stream.
  pipeline("p");

  stream(orders).pipe(
    sink(orders),
    // @ts-expect-error: behind a sink there is no order any more.
    map((order) => order.id),
  );

  stream(orders).pipe(
    sink(orders),
    // @ts-expect-error: nor a second sink.
    sink(orders),
  );
}

/** The error is reported at the operator that does not fit, not at the one in front of it. */
export function whatDoesNotFit(): void {
  stream(orders).pipe(
    map((order) => order.id),
    map((id) => id.length),
    // @ts-expect-error: the topic takes names, not their lengths.
    sink(names),
  );

  stream(orders).pipe(
    // @ts-expect-error: the first operator is no exception.
    sink(names),
  );

  const ready: rx.OperatorFunction<string, number> = map((text) => text.length);
  stream(orders).pipe(
    map((order) => order.total),
    // @ts-expect-error: a ready-made operator for names does not take totals.
    ready,
    sink(numbers),
  );

  stream(orders).pipe(
    rx.map((order) => order.total),
    // @ts-expect-error: neither behind a foreign operator.
    ready,
  );

  stream(orders).pipe(
    // @ts-expect-error: there is no such property.
    map((order) => order.price),
  );

  // @ts-expect-error: the total is a number.
  orders.of({ id: "o-1", customer: "c-1", region: "north", total: "10", at: 0 });

  // @ts-expect-error: there is no such property in an order.
  orders.of({ id: "o-1", customer: "c-1", region: "north", total: 10, at: 0, price: 1 });

  // @ts-expect-error: the region is missing.
  orders.of({ id: "o-1", customer: "c-1", total: 10, at: 0 });
}

export function pipes(): void {
  const same = map((order: Order) => order);
  const many = [same, same];
  // @ts-expect-error: there is something to put behind the stream.
  stream(orders).pipe();

  // biome-ignore format: one line, for the error.
  // @ts-expect-error: 20 operators are the most; more go into a composite.
  stream(orders).pipe(same, same, same, same, same, same, same, same, same, same, same, same, same, same, same, same, same, same, same, same, same);

  // @ts-expect-error: which operators there are must be known to the compiler.
  stream(orders).pipe(...many);

  // @ts-expect-error: a stream is no Observable: it would run without acknowledgement.
  rx.merge(stream(orders), rx.of(1));

  // @ts-expect-error: for the same reason nobody subscribes to it.
  stream(orders).subscribe();

  // @ts-expect-error: nor is it a source of an operator.
  rx.map((order: Order) => order.id)(stream(orders));
}

export function topics(): void {
  // @ts-expect-error: whether there is a key is said, if only by null.
  topic("orders", { codec: json(t.string) });

  // @ts-expect-error: a key is text.
  topic("orders", { codec: json(t.number), key: (value) => value });

  // @ts-expect-error: an event time is a number.
  topic("orders", { codec: json(t.string), key: null, timestamp: (value) => value });

  // @ts-expect-error: a duration has a unit.
  topic("orders", { codec: json(t.string), key: null, outOfOrderness: 10 });

  // @ts-expect-error: also as text.
  topic("orders", { codec: json(t.string), key: null, idle: "10" });

  // @ts-expect-error: and one that exists.
  topic("orders", { codec: json(t.string), key: null, idle: "10 parsecs" });
}

export function windows(): void {
  // @ts-expect-error: a size has a unit.
  tumbling(60_000);

  // @ts-expect-error: grace has no default.
  window(tumbling("1 h"), { n: count() }, {});

  // @ts-expect-error: grace has a unit.
  window(tumbling("1 h"), { n: count() }, { grace: 10 });

  // @ts-expect-error: a third argument is needed to say it.
  window(tumbling("1 h"), { n: count() });

  stream(orders).pipe(
    // @ts-expect-error: an order has no price.
    window(tumbling("1 h"), { total: sum((order) => order.price) }, { grace: "0 s" }),
  );

  stream(orders).pipe(
    // @ts-expect-error: a region is no number.
    window(tumbling("1 h"), { most: max((order) => order.region) }, { grace: "0 s" }),
  );

  stream(orders).pipe(
    // @ts-expect-error: a key is text.
    window(tumbling("1 h"), { n: count() }, { grace: "0 s", by: (order) => order.total }),
  );

  stream(orders).pipe(
    window(tumbling("1 h"), { n: count() }, { grace: "0 s" }),
    // @ts-expect-error: there is no aggregate of this name.
    map((result) => result.value.total),
  );
}

export function lengthsOfTime(): void {
  // @ts-expect-error: both have a unit.
  hopping("1 h", 60_000);

  // @ts-expect-error: a gap has one.
  session(10);

  // @ts-expect-error: a text has one, too.
  sliding("10");

  // @ts-expect-error: a pause has one.
  every(5);

  // @ts-expect-error: an offset has one.
  tumbling("1 h", 0);

  // @ts-expect-error: so has the time to live.
  aggregate({ n: count() }, { ttl: 1_000 });

  // @ts-expect-error: and within.
  deduplicate((order: Order) => order.id, { within: 1_000 });
}

export function statefulOperators(): void {
  // @ts-expect-error: for how long is to be said.
  deduplicate((order: Order) => order.id, {});

  stream(orders).pipe(
    // @ts-expect-error: an identity is text.
    deduplicate((order) => order.total, { within: "1 s" }),
  );

  stream(orders).pipe(
    // @ts-expect-error: an order is no name.
    window(tumbling("1 h"), { n: count() }, { grace: "0 s", lateTo: names }),
  );

  stream(orders).pipe(
    // @ts-expect-error: nor does a function for names take one.
    window(tumbling("1 h"), { n: count() }, { grace: "0 s", lateTo: (name: string) => name }),
  );

  // @ts-expect-error: results come in one of three ways.
  window(tumbling("1 h"), { n: count() }, { grace: "0 s", emit: "late" });

  // @ts-expect-error: how often is said by every.
  window(tumbling("1 h"), { n: count() }, { grace: "0 s", emit: "5 s" });

  // @ts-expect-error: every is no window.
  window(every("5 s"), { n: count() }, { grace: "0 s" });

  // @ts-expect-error: an aggregate has no grace, as nothing is late.
  aggregate({ n: count() }, { grace: "0 s" });

  stream(orders).pipe(
    // @ts-expect-error: a key is text.
    aggregate({ n: count() }, { by: (order) => order.total }),
  );

  stream(orders).pipe(
    // @ts-expect-error: an order has no price.
    aggregate({ total: sum((order) => order.price) }),
  );

  stream(orders).pipe(
    window(session("1 s"), { n: count() }, { grace: "0 s", emit: "updates" }),
    // @ts-expect-error: an update of a session may take back what was said.
    map((result) => result.value.n),
  );

  stream(orders).pipe(
    aggregate({ list: fold<Order, readonly string[]>([], (ids, order) => [...ids, order.id]) }),
    // @ts-expect-error: there is no aggregate of this name.
    map((result) => result.value.n),
  );
}

export function handlers(): void {
  stream(orders).pipe(
    // @ts-expect-error: what is not asynchronous belongs into map.
    mapOrdered((order) => order.id),
  );

  stream(orders).pipe(
    // @ts-expect-error: there is no lane of this name.
    mapOrdered(async (order) => order.id, { lane: "value" }),
  );

  stream(orders).pipe(
    // @ts-expect-error: a lane is text.
    mapOrdered(async (order) => order.id, { lane: (order) => order.total }),
  );
}

/** A Standard Schema says how to read its output, not how to write it. */
export function codecs(): void {
  // @ts-expect-error: JSON has no dates.
  json(schema<Date>());

  // @ts-expect-error: not inside of objects either.
  json(schema<{ readonly id: string; readonly at: Date }>());

  // @ts-expect-error: nor where they are optional.
  json(schema<{ readonly at?: Date }>());

  // @ts-expect-error: nor in lists.
  json(schema<readonly { readonly at: Date }[]>());

  // @ts-expect-error: nor in one member of a union.
  json(schema<{ readonly at: string } | { readonly at: Date }>());

  // @ts-expect-error: JSON has no BigInt.
  json(schema<{ readonly amount: bigint }>());

  // @ts-expect-error: no Map.
  json(schema<ReadonlyMap<string, number>>());

  // @ts-expect-error: no Set.
  json(schema<{ readonly tags: Set<string> }>());

  // @ts-expect-error: no bytes.
  json(schema<Uint8Array>());

  // @ts-expect-error: no functions.
  json(schema<{ readonly f: () => number }>());

  // @ts-expect-error: encode takes the schema's output.
  json(schema<Date>(), { encode: (value: string) => value });

  // @ts-expect-error: the topic holds what the codec does.
  stream(topic("dates", { codec: json(schema<Date>(), { encode: String }), key: null })).pipe(sink(names));

  stream(anything).pipe(
    // @ts-expect-error: nothing is known of an unknown value.
    map((value) => value.id),
  );
}
