import { createApp, json, map, pipeline, sink, stream, topic } from "@millrace/core";
import { memoryAdapter } from "@millrace/testing";
import {
  checkHistory,
  contentsOf,
  copies,
  type Expectations,
  eventLine,
  type HistoryLine,
  machineClock,
  printVerdict,
  recordHistory,
  touchedBy,
} from "@millrace/testing/history";
import * as t from "io-ts";

const Order = t.type({ customer: t.string, total: t.number });
const orders = topic("orders", { codec: json(Order), key: ({ customer }) => customer, partitions: 2 });
const billed = topic("billed", { codec: json(Order), key: ({ customer }) => customer, partitions: 2 });
const billing = pipeline(
  "billing",
  stream(orders).pipe(
    map((order) => billed.of(order)),
    sink(billed),
  ),
);

const store = memoryAdapter(); // or your own adapter, the one that you want to know more about
const lines: HistoryLine[] = [];
const write = (line: HistoryLine): void => void lines.push(line);

const shop = createApp({ name: "shop", adapter: recordHistory(store, { process: "shop 1", write }) });
const clerk = createApp({ name: "clerk", adapter: recordHistory(store, { process: "clerk", write }) });
shop.events$.subscribe((event) => write(eventLine("shop 1", machineClock.now(), event)));

const running = await shop.run(billing);
const producer = await clerk.producer(orders);
await producer.sendAll(["ann", "bob", "cy", "ann"].map((customer, n) => ({ customer, total: n })));
await producer.end();
await running.done;
lines.push(...(await contentsOf(store, touchedBy(lines))));

const expected: Expectations = {
  flows: [copies({ group: "shop.billing", from: "orders", to: "billed" })],
  isDrained: true, // the input has ended, and the pipeline was waited for
};
export const verdict = checkHistory(lines, expected);
export const report = printVerdict(lines, verdict, expected);
await Promise.all([shop.close(), clerk.close()]);
