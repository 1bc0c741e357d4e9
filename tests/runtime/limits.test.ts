import { mapOrdered, pipeline, sink, stream } from "@millrace/core";
import { expect, it } from "vitest";
import { bench, type Item, items, sequence } from "./support/bench-top.ts";

const source = items("source", { partitions: 1 });
const copy = items("copy", { partitions: 1 });

it("G5: a task never holds more records than its limit, however large the backlog and however slow the handlers", async () => {
  const { app, send, settle, clock, events } = bench();
  const held: number[] = [];
  let pushed = 0;
  const committed = (): number =>
    events.reduce((sum, event) => sum + (event._tag === "Committed" ? event.records : 0), 0);
  const lane = (item: Item): string => {
    pushed += 1;
    held.push(pushed - committed());
    return item.key;
  };
  const slowly = (item: Item): Promise<Item> =>
    new Promise((resolve) => {
      clock.after(1, () => resolve(item));
    });
  await send(source, sequence(5_000, 50));
  const plan = pipeline("copy", stream(source).pipe(mapOrdered(slowly, { lane }), sink(copy)));
  const running = await settle(app("app", { limits: { maxRecords: 600 } }).run(plan));
  await settle(running.done);
  expect(committed()).toBe(5_000);
  expect(Math.max(...held)).toBeLessThanOrEqual(600);
});

it("G5: a topic in memory that nobody has committed makes its producer wait, and go on when there is room", async () => {
  const { app, settle, clock, adapter } = bench();
  const wide = items("wide", { partitions: 1 });
  const tools = app("loader");
  const producer = await settle(tools.producer(wide));
  const value = { key: "x".repeat(10_000), n: 1, at: 0 };
  const total = 4_000;
  let isDone = false;
  const sent = producer.sendAll(Array.from({ length: total }, (_, n) => ({ ...value, n }))).then((count) => {
    isDone = true;
    return count;
  });
  await clock.advance(1_000);
  expect(isDone).toBe(false);
  // 16 MiB, one append beyond it, and what the copy holds.
  expect(adapter.bytes()).toBeLessThan(24 * 1_048_576);

  let seen = 0;
  const plan = pipeline(
    "count",
    stream(wide).pipe(
      mapOrdered((item) => {
        seen += 1;
        return Promise.resolve({ ...item, key: "" });
      }),
      sink(copy),
    ),
  );
  const running = await settle(app().run(plan));
  expect(await settle(sent)).toBe(total);
  await settle(producer.end());
  await settle(running.done);
  expect(seen).toBe(total);
});

it("slow handlers still commit often: a unit takes about 100 ms", async () => {
  const { app, send, settle, clock, events } = bench();
  const slowly = (item: Item): Promise<Item> =>
    new Promise((resolve) => {
      clock.after(50, () => resolve(item));
    });
  await send(source, sequence(400, 400));
  const plan = pipeline("copy", stream(source).pipe(mapOrdered(slowly, { concurrency: 1 }), sink(copy)));
  const running = await settle(app().run(plan));
  await settle(running.done);
  const sizes = events.flatMap((event) => (event._tag === "Committed" && event.records > 0 ? [event.records] : []));
  expect(sizes.length).toBeGreaterThan(150);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(4);
});

it("fast handlers commit many records at once", async () => {
  const { app, send, settle, events } = bench();
  await send(source, sequence(5_000, 50));
  const running = await settle(app().run(pipeline("copy", stream(source).pipe(sink(copy)))));
  await settle(running.done);
  const sizes = events.flatMap((event) => (event._tag === "Committed" && event.records > 0 ? [event.records] : []));
  expect(Math.max(...sizes)).toBeGreaterThanOrEqual(400);
});
