/**
 * What the compiler must find out by itself about the fp door: no lambda here names the type of its parameter. `tsc -b`
 * reads this file, nothing runs it.
 */

import type { App, MillraceError, Pipeline } from "@millrace/core";
import { map, type RecordInfo, type Running, type Stream, type Sunk, sink, stream } from "@millrace/core";
import {
  doneTE,
  type LeftError,
  type MapOrderedTEOptions,
  mapEitherK,
  mapOrderedTE,
  runTE,
  sinkTE,
} from "@millrace/core/fp";
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import * as rx from "rxjs";
import { expectTypeOf } from "vitest";
import { anything, type Order, orders } from "../support/topics.ts";

interface Busy {
  readonly _tag: "Busy";
  readonly retryAfterMs: number;
}
interface Declined {
  readonly _tag: "Declined";
}
interface Receipt {
  readonly id: string;
}
declare function charge(order: Order, signal: AbortSignal): TE.TaskEither<Busy | Declined, Receipt>;
declare function priced(order: Order): E.Either<Declined, number>;

export function taskEithers(): void {
  const receipts = stream(orders).pipe(
    mapOrderedTE(
      (order, record, { signal, attempt, idempotencyKey }) => {
        expectTypeOf(order).toEqualTypeOf<Order>();
        expectTypeOf(record).toEqualTypeOf<RecordInfo>();
        expectTypeOf(attempt).toEqualTypeOf<number>();
        expectTypeOf(idempotencyKey).toEqualTypeOf<string>();
        return charge(order, signal);
      },
      {
        concurrency: 4,
        lane: (order) => order.region,
        timeout: "2 s",
        retry: { attempts: 5, when: (defect) => defect instanceof TypeError },
        onLeft: (left, record) => {
          expectTypeOf(left).toEqualTypeOf<Busy | Declined>();
          expectTypeOf(record).toEqualTypeOf<RecordInfo>();
          return left._tag === "Busy" ? "retry" : "deadLetter";
        },
        onExhausted: "park",
        onError: (defect) => {
          expectTypeOf(defect).toEqualTypeOf<unknown>();
          return "quarantine";
        },
      },
    ),
    map((receipt) => receipt.id),
  );
  expectTypeOf(receipts).toEqualTypeOf<Stream<string>>();
}

/** Without `retry`, `onLeft` is typed just the same. */
export function withoutRetry(): void {
  const end = stream(orders).pipe(
    mapOrderedTE((order, _record, { signal }) => charge(order, signal), {
      onLeft: (left) => (left._tag === "Busy" ? "fail" : "skip"),
    }),
    mapOrderedTE((receipt) => TE.right({ ...receipt, isPaid: true })),
    map((paid) => {
      expectTypeOf(paid).toEqualTypeOf<{ isPaid: boolean; id: string }>();
      return paid;
    }),
    sink(anything),
  );
  expectTypeOf(end).toEqualTypeOf<Stream<Sunk>>();
}

export function eithers(): void {
  const prices = stream(orders).pipe(
    mapEitherK((order) => priced(order), {
      onLeft: (left) => {
        expectTypeOf(left).toEqualTypeOf<Declined>();
        return "skip";
      },
    }),
    map((price) => price.toFixed(2)),
  );
  expectTypeOf(prices).toEqualTypeOf<Stream<string>>();
}

/** What fp-ts composes, with and without the value in view. */
export function composed(): void {
  const priceOf = stream(orders).pipe(
    mapEitherK(priced),
    mapOrderedTE(
      (price) =>
        pipe(
          TE.fromEither(price > 0 ? E.right(price) : E.left({ _tag: "Free" as const })),
          TE.map((paid) => ({ paid })),
        ),
      {
        onLeft: (left) => {
          expectTypeOf(left).toEqualTypeOf<{ _tag: "Free" }>();
          return "skip";
        },
      },
    ),
  );
  expectTypeOf(priceOf).toEqualTypeOf<Stream<{ paid: number }>>();
  const first = mapOrderedTE((order: Order, _record, { signal }) => charge(order, signal), {
    lane: (order) => order.region,
    onLeft: (left) => (left._tag === "Busy" ? "fail" : "skip"),
  });
  expectTypeOf(first).toEqualTypeOf<rx.OperatorFunction<Order, Receipt>>();
}

declare const chargeOptions: MapOrderedTEOptions<Order, Busy | Declined>;

/** Options and functions that were made elsewhere, behind a lambda whose parameters have no types yet. */
export function readyMade(): void {
  const decide = (left: Busy | Declined): "skip" | "fail" => (left._tag === "Busy" ? "fail" : "skip");
  const region = (order: Order): string => order.region;
  const twice = stream(orders).pipe(
    mapOrderedTE(
      (order, _record, { signal }) =>
        pipe(
          charge(order, signal),
          TE.map(() => order),
        ),
      {
        lane: region,
        onLeft: decide,
      },
    ),
    mapEitherK(
      (order) =>
        pipe(
          priced(order),
          E.map(() => order),
        ),
      { onLeft: decide },
    ),
    mapOrderedTE((order, _record, { signal }) => charge(order, signal), chargeOptions),
    map((receipt) => receipt.id),
  );
  expectTypeOf(twice).toEqualTypeOf<Stream<string>>();
  expectTypeOf(mapOrderedTE((order: Order, _record, { signal }) => charge(order, signal), chargeOptions)).toEqualTypeOf<
    rx.OperatorFunction<Order, Receipt>
  >();
}

declare function insert(orders: readonly Order[], keys: readonly string[]): TE.TaskEither<Busy | Declined, number>;

export function sinks(): void {
  const end = stream(orders).pipe(
    mapEitherK((order) => E.right(order)),
    sinkTE(
      (values, { records, idempotencyKeys }) => {
        expectTypeOf(values).toEqualTypeOf<readonly Order[]>();
        expectTypeOf(records[0]).toEqualTypeOf<RecordInfo>();
        return insert(values, idempotencyKeys);
      },
      {
        maxBatch: 10,
        idempotencyKey: (order) => order.id,
        retry: { attempts: 3 },
        onLeft: (left) => {
          expectTypeOf(left).toEqualTypeOf<Busy | Declined>();
          return left._tag === "Busy" ? "retry" : "park";
        },
      },
    ),
  );
  expectTypeOf(end).toEqualTypeOf<Stream<Sunk>>();
  const toNothing = stream(orders).pipe(sinkTE(() => TE.right(undefined)));
  expectTypeOf(toNothing).toEqualTypeOf<Stream<Sunk>>();
}

export function ordinaryObservables(): void {
  const lengths = rx.of("a", "b").pipe(
    mapEitherK((text) => E.right(text.length)),
    mapOrderedTE((length) => TE.right(`${length}`)),
  );
  expectTypeOf(lengths).toEqualTypeOf<rx.Observable<string>>();
  expectTypeOf<LeftError<Busy>["left"]>().toEqualTypeOf<Busy>();
}

export function runs(app: App, job: Pipeline): void {
  const running = runTE(app, job, { signal: AbortSignal.timeout(1_000) });
  expectTypeOf(running).toEqualTypeOf<TE.TaskEither<MillraceError, Running>>();
  expectTypeOf(pipe(running, TE.chain(doneTE))).toEqualTypeOf<TE.TaskEither<MillraceError, void>>();
  expectTypeOf(pipe(running, TE.chainFirst(doneTE))).toEqualTypeOf<TE.TaskEither<MillraceError, Running>>();
  expectTypeOf(runTE(app, [job, job])).toEqualTypeOf<TE.TaskEither<MillraceError, Running>>();
}
