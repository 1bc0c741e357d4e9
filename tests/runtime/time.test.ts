import {
  type AppEvent,
  count,
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
import * as t from "io-ts";
import { describe, expect, it } from "vitest";
import { bench, type Item, items, sequence } from "./support/bench-top.ts";

const Count = t.type({ key: t.string, start: t.number, count: t.number });
const counts = topic("counts", { codec: json(Count), key: (c) => c.key, partitions: 1 });
const MINUTE = 60_000;

/** Counts by key and minute. */
const counting = (source: ReturnType<typeof items>, grace: "0 s" | "10 s" = "0 s") =>
  pipeline(
    "count",
    stream(source).pipe(
      window(tumbling("1 minute"), { count: count() }, { grace }),
      map((w) => counts.of({ key: w.key, start: w.start, ...w.value })),
      sink(counts),
    ),
  );

const late = (events: readonly AppEvent[]): number => events.filter(({ _tag }) => _tag === "LateRecord").length;

describe("the last windows of an input", () => {
  it("close when the producer ends it", async () => {
    const source = items("source", { partitions: 2 });
    const { app, send, complete, read } = bench();
    await send(source, sequence(90, 2));
    await complete(app(), counting(source));
    const rows = (await read(counts)).map(({ value, timestamp }) => ({ ...value, timestamp }));
    expect(rows).toHaveLength(4);
    expect(rows).toContainEqual({ key: "k1", start: MINUTE, count: 15, timestamp: 2 * MINUTE - 1 });
  });

  it("stay open while the input is quiet, unless the topic says for how long", async () => {
    const source = items("source", { partitions: 1 });
    const { app, send, settle, clock, read } = bench();
    await send(source, sequence(30, 1), { end: false });
    await settle(app().run(counting(source)));
    await clock.advance(600_000);
    expect(await read(counts)).toEqual([]);
  });

  it("close by the clock when a topic with `idle` is quiet, and what comes later is late", async () => {
    const source = items("source", { partitions: 1, idle: "30 s" });
    const { app, send, settle, clock, read, events } = bench();
    await send(source, sequence(30, 1), { end: false });
    const running = await settle(app().run(counting(source)));
    await clock.advance(29_000);
    expect(await read(counts)).toEqual([]);
    await clock.advance(4_000);
    expect((await read(counts)).map(({ value }) => value)).toEqual([{ key: "k0", start: 0, count: 30 }]);
    await send(source, [{ key: "k0", n: 1, at: 59_000 }], { end: false });
    await clock.advance(1_000);
    expect(late(events)).toBe(1);

    // The promise outlives the worker: the same window does not open again.
    await settle(running.stop());
    await send(source, [{ key: "k0", n: 2, at: 59_500 }]);
    await settle((await settle(app().run(counting(source)))).done);
    expect(late(events)).toBe(2);
    expect(await read(counts)).toHaveLength(1);
  });

  it("are not held back by a partition that never had a record, when the topic says `idle`", async () => {
    const source = items("source", { partitions: 8, idle: "5 s" });
    const { app, send, settle, clock, read } = bench();
    const chained = pipeline(
      "chained",
      stream(source).pipe(
        window(tumbling("1 minute"), { count: count() }, { by: () => "all", grace: "0 s" }),
        map((w) => counts.of({ key: w.key, start: w.start, ...w.value })),
        sink(counts),
      ),
    );
    const running = await settle(app().run(chained));
    await send(source, sequence(30, 1), { end: false });
    await clock.advance(70_000);
    expect((await read(counts)).map(({ value }) => value)).toEqual([{ key: "all", start: 0, count: 30 }]);
    await settle(running.stop());
  });
});

describe("records that come late", () => {
  it("count as long as the grace lasts, then are dropped and reported", async () => {
    const source = items("source", { partitions: 1 });
    const { app, send, complete, read, events } = bench();
    const at = (ms: number, n: number): Item => ({ key: "k", n, at: ms });
    await send(source, [at(1_000, 0), at(69_999, 1), at(2_000, 2), at(70_000, 3), at(3_000, 4), at(61_000, 5)]);
    await complete(app(), counting(source, "10 s"));
    expect((await read(counts)).map(({ value }) => value)).toEqual([
      { key: "k", start: 0, count: 2 },
      { key: "k", start: MINUTE, count: 3 },
    ]);
    const reported = events.filter((event) => event._tag === "LateRecord");
    expect(reported).toHaveLength(1);
    expect(reported[0]).toMatchObject({ task: "app.count/source/0", node: "window source.window" });
  });

  it("are fewer where the topic allows for disorder", async () => {
    const source = items("source", { partitions: 1, outOfOrderness: "1 h" });
    const { app, send, complete, events } = bench();
    await send(source, sequence(200, 1).toReversed());
    await complete(app(), counting(source));
    expect(late(events)).toBe(0);
  });
});

it("many windows that close at once are emitted over several commits, each window once, also across a restart", async () => {
  const source = items("source", { partitions: 1 });
  const { app, send, settle, read, events } = bench();
  await send(
    source,
    sequence(2_600, 2_600).map((item) => ({ ...item, at: item.n % 1_000 })),
  );
  const running = await settle(app().run(counting(source)));
  await settle(running.done);
  const rows = (await read(counts)).map(({ value }) => value.key);
  expect(rows).toHaveLength(2_600);
  expect(new Set(rows).size).toBe(2_600);
  const largest = Math.max(...events.flatMap((event) => (event._tag === "Committed" ? [event.outputs] : [])));
  expect(largest).toBeLessThanOrEqual(500);
});

it("a topic that one task writes through two sinks is promised no more than the slower sink has reached", async () => {
  const source = items("source", { partitions: 1 });
  const { app, send, settle, read, clock } = bench();
  const minutes = topic("minutes", { codec: json(Count), key: (c) => c.key, partitions: 1 });
  const from = stream(source);
  const first = pipeline(
    "first",
    // Passes records on at once; its watermark is ahead of the window's by the grace.
    from.pipe(
      filter(() => false),
      map((item) => minutes.of({ key: item.key, start: item.at, count: 1 })),
      sink(minutes),
    ),
    from.pipe(
      window(tumbling("1 minute"), { count: count() }, { grace: "10 minutes" }),
      map((w) => minutes.of({ key: w.key, start: w.start, ...w.value })),
      sink(minutes),
    ),
  );
  const second = pipeline(
    "second",
    stream(minutes).pipe(
      window(tumbling("1 minute"), { count: sum((c) => c.count) }, { grace: "0 s" }),
      map((w) => counts.of({ key: w.key, start: w.start, ...w.value })),
      sink(counts),
    ),
  );
  const running = await settle(app().run([first, second]));
  const values = sequence(900, 1);
  for (let from10 = 0; from10 < values.length; from10 += 90) {
    await send(source, values.slice(from10, from10 + 90), { end: false });
    await clock.advance(1_000);
  }
  await send(source, []);
  await settle(running.done);
  const rows = (await read(counts)).map(({ value }) => value);
  expect(rows.reduce((total, { count: n }) => total + n, 0)).toBe(900);
});
