import {
  count,
  createApp,
  filter,
  json,
  map,
  pipeline,
  sink,
  stream,
  sum,
  topic,
  tumbling,
  window,
} from "@millrace/core";
import { memoryAdapter } from "@millrace/testing";
import * as t from "io-ts";
import { expect, it } from "vitest";

it("runs", async () => {
  const Order = t.type({ customer: t.string, region: t.string, total: t.number, at: t.number });
  const Total = t.type({ region: t.string, from: t.number, orders: t.number, total: t.number });
  const orders = topic("orders", { codec: json(Order), key: (o) => o.customer, timestamp: (o) => o.at, partitions: 3 });
  const totals = topic("totals", { codec: json(Total), key: (o) => o.region, partitions: 2 });
  const p = pipeline(
    "region-totals",
    stream(orders).pipe(
      filter((o) => o.total > 0),
      window(
        tumbling("1 minute"),
        { orders: count(), total: sum((o) => o.total) },
        { by: (o) => o.region, grace: "10 s" },
      ),
      map((w) => totals.of({ region: w.key, from: w.start, ...w.value })),
      sink(totals),
    ),
  );
  console.log(p.toText());
  console.log(p.toMermaid());
  const app = createApp({ name: "billing", adapter: memoryAdapter() });
  app.events$.subscribe((e) => console.log(JSON.stringify(e)));
  const producer = await app.producer(orders);
  await producer.sendAll(
    Array.from({ length: 1000 }, (_, i) => ({
      customer: `c${i % 17}`,
      region: `r${i % 3}`,
      total: i % 5,
      at: i * 1000,
    })),
  );
  await producer.end();
  const running = await app.run(p);
  await running.done;
  const rows: unknown[] = [];
  await new Promise<void>((resolve, reject) => {
    app
      .observe(totals, { from: "start", untilEnd: true })
      .subscribe({ next: (r) => rows.push(r.value), error: reject, complete: resolve });
  });
  console.log(running.status());
  expect(rows.length).toBe(17 * 3);
  expect(rows.reduce((s: number, r) => s + (r as { orders: number }).orders, 0)).toBe(800);
  await app.close();
}, 20_000);
