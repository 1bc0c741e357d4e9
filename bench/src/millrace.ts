/** What the Millrace sides share. */
import {
  type App,
  createApp,
  json,
  type Limits,
  type MemberOptions,
  type Pipeline,
  type Topic,
  topic,
} from "@millrace/core";
import { redisAdapter } from "@millrace/redis-adapter";
import { first, firstValueFrom, scan } from "rxjs";
import { Invoice, makeOrders, Order, PARTITIONS } from "./orders.ts";

export const NAMESPACE = "bench";

export function orderTopic(name: string): Topic<Order> {
  return topic(name, {
    codec: json(Order),
    key: (order) => order.customerId,
    timestamp: (order) => order.createdAtMs,
    partitions: PARTITIONS,
  });
}

export function invoiceTopic(name: string): Topic<Invoice> {
  return topic(name, {
    codec: json(Invoice),
    key: (invoice) => invoice.customerId,
    timestamp: (invoice) => invoice.createdAtMs,
    partitions: PARTITIONS,
  });
}

/** An app of its own for each run: its groups begin at the beginning. */
export function appOf(url: string, id: string, member: MemberOptions = {}, limits: Limits = {}): App {
  return createApp({ name: id, adapter: redisAdapter({ url, namespace: NAMESPACE }), member, limits });
}

/** The streams behind a topic. */
export function logsOf<A>({ name, partitions }: Topic<A>): string[] {
  const length = partitions ?? PARTITIONS;
  return Array.from({ length }, (_, partition) => `${NAMESPACE}:{${name}/${partition}}:log`);
}

/** Creates a topic, and has the app connect. */
export async function createTopic<A>(app: App, created: Topic<A>): Promise<void> {
  const producer = await app.producer(created);
  await producer.close();
}

/** Writes the input of a benchmark. */
export async function fill(url: string, to: Topic<Order>, records: number): Promise<void> {
  await using app = appOf(url, "fill");
  const producer = await app.producer(to);
  await producer.sendAll(makeOrders(records));
}

/** Runs a pipeline, joining its group included, until `records` were committed. Rejects with what stopped it before. */
export async function runUntilCommitted(app: App, pipeline: Pipeline, records: number): Promise<void> {
  const counted = app.events$.pipe(
    scan((sum, event) => (event._tag === "Committed" ? sum + event.records : sum), 0),
    first((sum) => sum >= records),
  );
  const committed = firstValueFrom(counted);
  const running = await app.run(pipeline);
  await Promise.race([committed, running.done]);
}
