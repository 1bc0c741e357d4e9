/**
 * What must not compile in the fp door. `tsc -b` reads this file, nothing runs it; an error that is no longer one fails the
 * build.
 */

import type { Pipeline } from "@millrace/core";
import { map, sink, stream } from "@millrace/core";
import { mapEitherK, mapOrderedTE, runTE, sinkTE } from "@millrace/core/fp";
import type * as E from "fp-ts/lib/Either.js";
import type * as TE from "fp-ts/lib/TaskEither.js";
import { type Order, orders } from "../support/topics.ts";

interface Busy {
  readonly _tag: "Busy";
}
declare function charge(order: Order): TE.TaskEither<Busy, string>;
declare function priced(order: Order): E.Either<Busy, number>;

export function functions(): void {
  stream(orders).pipe(
    // @ts-expect-error: a promise is no TaskEither: mapOrdered of the plain door takes it.
    mapOrderedTE(async (order) => order.id),
  );

  stream(orders).pipe(
    // @ts-expect-error: nor is an Either.
    mapOrderedTE((order) => priced(order)),
  );

  stream(orders).pipe(
    // @ts-expect-error: and what may be asynchronous is no Either.
    mapEitherK((order) => charge(order)),
  );

  stream(orders).pipe(
    mapEitherK(priced),
    // @ts-expect-error: the price, not the order, goes on.
    map((price) => price.id),
  );

  stream(orders).pipe(
    mapEitherK(priced),
    // @ts-expect-error: orders do not hold prices.
    sink(orders),
  );
}

export function decisions(): void {
  // @ts-expect-error: there is no such decision.
  mapOrderedTE(charge, { onLeft: "ignore" });

  // @ts-expect-error: nor may a function make one up.
  mapOrderedTE(charge, { onLeft: () => "ignore" });

  // @ts-expect-error: a decision is not a promise of one.
  mapOrderedTE(charge, { onLeft: async () => "skip" });

  // @ts-expect-error: a Left of charge has no other tag.
  mapOrderedTE(charge, { onLeft: (left) => (left._tag === "Declined" ? "skip" : "fail") });

  const ofDeclined = (left: { readonly _tag: "Declined" }): "skip" | "fail" =>
    left._tag === "Declined" ? "skip" : "fail";
  // @ts-expect-error: it decides about another Left than that of charge.
  mapOrderedTE(charge, { onLeft: ofDeclined });

  // @ts-expect-error: nothing says how often.
  mapOrderedTE(charge, { onLeft: "retry" });

  // @ts-expect-error: neither where a function decides.
  mapOrderedTE(charge, { onLeft: (left) => (left._tag === "Busy" ? "retry" : "skip") });

  // @ts-expect-error: what is never repeated is never exhausted.
  mapOrderedTE(charge, { onExhausted: "skip" });

  // @ts-expect-error: in the end something else must become of the value.
  mapOrderedTE(charge, { onLeft: "retry", retry: { attempts: 2 }, onExhausted: "retry" });

  // @ts-expect-error: a defect is repeated where retry.when says so.
  mapOrderedTE(charge, { onError: "retry", retry: { attempts: 2 } });

  // @ts-expect-error: what is synchronous is not repeated in its place.
  mapEitherK(priced, { onLeft: "retry" });

  // @ts-expect-error: neither where a function decides.
  mapEitherK(priced, { onLeft: () => "retry" });

  // @ts-expect-error: and there is no schedule.
  mapEitherK(priced, { retry: { attempts: 2 } });
}

declare function insert(orders: readonly Order[]): TE.TaskEither<Busy, void>;

export function sinks(): void {
  stream(orders).pipe(
    sinkTE(insert),
    // @ts-expect-error: behind a sink there is no order any more.
    map((order) => order.id),
  );

  stream(orders).pipe(
    map((order) => order.id),
    // @ts-expect-error: it takes orders, not their ids.
    sinkTE(insert),
  );

  stream(orders).pipe(
    // @ts-expect-error: a promise is no TaskEither: sink of the plain door takes it.
    sinkTE(async () => {}),
  );

  // @ts-expect-error: nothing says how often.
  sinkTE(insert, { onLeft: "retry" });

  // @ts-expect-error: there is no such decision.
  sinkTE(insert, { onLeft: () => "ignore" });
}

export function runs(job: Pipeline): void {
  // @ts-expect-error: a pipeline runs in an app.
  runTE(job);
}
