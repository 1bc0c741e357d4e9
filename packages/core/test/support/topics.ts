import { json, type Topic, topic } from "@millrace/core";
import * as t from "io-ts";

/** What the topics of these tests hold. */
export interface Order {
  readonly id: string;
  readonly customer: string;
  readonly region: string;
  readonly total: number;
  readonly at: number;
}

const OrderType = t.type({ id: t.string, customer: t.string, region: t.string, total: t.number, at: t.number });

/** Partitioned by customer, with an event time. */
export const orders: Topic<Order> = topic("orders", {
  codec: json(OrderType),
  key: (order) => order.customer,
  timestamp: (order) => order.at,
  partitions: 4,
});

/** Takes anything: for plans whose end does not matter. */
export const anything: Topic<unknown> = topic("anything", { codec: json(t.unknown), key: null });

/** An order with what matters to a test. */
export function orderOf(what: Partial<Order> = {}): Order {
  return { id: "o-1", customer: "c-1", region: "north", total: 10, at: 1_000, ...what };
}
