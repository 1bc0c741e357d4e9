import { count, json, map, type Pipeline, pipeline, sink, stream, topic, tumbling, window } from "@millrace/core";
import * as t from "io-ts";

/** What most tests send. */
const Order = t.type({ customer: t.string, total: t.number, at: t.number });
export type Order = t.TypeOf<typeof Order>;

/** Its partitions are those that the driver gives it. */
export const orders = topic("orders", { codec: json(Order), key: (o) => o.customer, timestamp: (o) => o.at });

/** Numbers by customer. */
const Row = t.type({ customer: t.string, n: t.number });
export type Row = t.TypeOf<typeof Row>;
export const totals = topic("totals", { codec: json(Row), key: (row) => row.customer });
export const perMinute = topic("per-minute", { codec: json(Row), key: (row) => row.customer });
export const rankings = topic("rankings", { codec: json(Row), key: (row) => row.customer });

/** One record in, one out. */
export const copies: Pipeline = pipeline(
  "copies",
  stream(orders).pipe(
    map(({ customer, total }) => totals.of({ customer, n: total })),
    sink(totals),
  ),
);

/** Orders of a customer in a minute. */
export const byMinute = window(tumbling("1 minute"), { orders: count() }, { grace: "10 s" });
export const minutes: Pipeline = pipeline(
  "minutes",
  stream(orders).pipe(
    byMinute,
    map(({ key, value }) => perMinute.of({ customer: key, n: value.orders })),
    sink(perMinute),
  ),
);

/** Customers with orders in a minute: another key, so through a topic of its own. */
export const byAll = window(tumbling("1 minute"), { customers: count() }, { by: () => "all", grace: "0 s" });
export const ranks: Pipeline = pipeline(
  "ranks",
  stream(perMinute).pipe(
    byAll,
    map(({ key, value }) => rankings.of({ customer: key, n: value.customers })),
    sink(rankings),
  ),
);

/** An order at a second. */
export function order(customer: string, atSecond = 0, total = 1): Order {
  return { customer, total, at: atSecond * 1_000 };
}

/** `count` orders of `customers` customers, one a second; the total is the number of the order. */
export function sequence(length: number, customers = 5): Order[] {
  return Array.from({ length }, (_, n) => order(`c${n % customers}`, n, n));
}

/** What a promise rejects with; throws when it does not. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("expected a rejection");
}
