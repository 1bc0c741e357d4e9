import { createApp, json, pipeline, stream, topic } from "@millrace/core";
import { doneTE, mapEitherK, mapOrderedTE, runTE, sinkTE } from "@millrace/core/fp";
import { memoryAdapter } from "@millrace/testing";
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import * as t from "io-ts";

const Order = t.type({ id: t.string, customer: t.string, cents: t.number });
type Order = t.TypeOf<typeof Order>;
const orders = topic("orders", { codec: json(Order), key: (order) => order.customer });

/** What may go wrong, as data. */
interface Free {
  readonly _tag: "Free";
}
interface Busy {
  readonly _tag: "Busy";
}
interface Declined {
  readonly _tag: "Declined";
  readonly card: string;
}

/** An order has a price. */
const priced = (order: Order): E.Either<Free, Order> => (order.cents > 0 ? E.right(order) : E.left({ _tag: "Free" }));

/** A payment service that is busy at times, and declines what is too much. */
const charge = (order: Order, attempt: number): TE.TaskEither<Busy | Declined, string> => {
  if (order.cents > 10_000) {
    return TE.left({ _tag: "Declined", card: "4111 1111 1111 1111" });
  }
  return attempt === 1 ? TE.left({ _tag: "Busy" }) : TE.right(`receipt of ${order.id}`);
};

/** A table. */
export const receipts: string[] = [];
const insert = (rows: readonly string[]): TE.TaskEither<never, number> => TE.fromIO(() => receipts.push(...rows));

const payments = pipeline(
  "payments",
  stream(orders).pipe(
    mapEitherK(priced, { onLeft: "skip" }),
    mapOrderedTE((order, _record, { attempt }) => charge(order, attempt), {
      concurrency: 8,
      retry: { attempts: 3, backoff: "10 ms" },
      // `left` is Busy | Declined: nobody had to say so.
      onLeft: (left) => (left._tag === "Busy" ? "retry" : "deadLetter"),
      onExhausted: "park",
    }),
    sinkTE((rows) => insert(rows), { maxBatch: 50 }),
  ),
);

await using app = createApp({ name: "shop", adapter: memoryAdapter() });
const producer = await app.producer(orders);
await producer.sendAll([
  { id: "o-1", customer: "ann", cents: 500 },
  { id: "o-2", customer: "bob", cents: 0 },
  { id: "o-3", customer: "cid", cents: 99_900 },
  { id: "o-4", customer: "ann", cents: 700 },
]);
await producer.end();

export const outcome: string = await pipe(
  runTE(app, payments),
  TE.chain(doneTE),
  TE.match(
    (error) => `stopped: ${error.code}`,
    () => "done",
  ),
)();
