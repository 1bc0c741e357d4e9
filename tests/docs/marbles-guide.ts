import {
  count,
  json,
  map,
  mapOrdered,
  type Pipeline,
  pipeline,
  sink,
  stream,
  sum,
  topic,
  tumbling,
  window,
} from "@millrace/core";
import * as t from "io-ts";

/** An order that is to be paid. `at`: when it was made, in ms since 1970. */
export const Order = t.type({ id: t.string, customer: t.string, cents: t.Int, at: t.Int });
export type Order = t.TypeOf<typeof Order>;
export const orders = topic("orders", {
  codec: json(Order),
  key: (order) => order.customer,
  timestamp: (order) => order.at,
  outOfOrderness: "5 s",
});

const Receipt = t.type({ order: t.string, customer: t.string });
export const receipts = topic("receipts", { codec: json(Receipt), key: (receipt) => receipt.customer });

/** Charges the card of each order, then writes a receipt. */
export const charging = (charge: (order: Order) => Promise<void>): Pipeline =>
  pipeline(
    "charging",
    stream(orders).pipe(
      mapOrdered(async (order) => {
        await charge(order);
        return receipts.of({ order: order.id, customer: order.customer });
      }),
      sink(receipts),
    ),
  );

const Turnover = t.type({ customer: t.string, minute: t.number, orders: t.number, cents: t.number });
export type Turnover = t.TypeOf<typeof Turnover>;
export const turnovers = topic("turnovers", { codec: json(Turnover), key: (turnover) => turnover.customer });

/** What each customer has spent, minute by minute. */
export const turnover = pipeline(
  "turnover",
  stream(orders).pipe(
    window(tumbling("1 minute"), { orders: count(), cents: sum((order) => order.cents) }, { grace: "0 s" }),
    map(({ key, start, value }) => turnovers.of({ customer: key, minute: start, ...value })),
    sink(turnovers),
  ),
);
