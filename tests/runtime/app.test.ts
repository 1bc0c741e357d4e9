import {
  createApp,
  DecodeError,
  json,
  mapOrdered,
  pipeline,
  type StreamRecord,
  sink,
  stream,
  topic,
} from "@millrace/core";
import { memoryAdapter } from "@millrace/testing";
import * as t from "io-ts";
import { describe, expect, it } from "vitest";
import { bench, type Item, items, rejection, sequence } from "./support/bench-top.ts";
import { faultyAdapter } from "./support/faulty-adapter.ts";

const source = items("source", { partitions: 2 });
const copy = items("copy", { partitions: 1 });
const plan = pipeline("copy", stream(source).pipe(sink(copy)));

describe("an app", () => {
  it.each(["", "a b", "{a}", "ä", "x".repeat(201)])("refuses the name %j", (name) => {
    expect(() => createApp({ name, adapter: memoryAdapter() })).toThrow(
      expect.objectContaining({ _tag: "InvalidName" }),
    );
  });

  it("refuses a group name that is too long, before any I/O", async () => {
    const { adapter, clock } = bench();
    let opened = 0;
    const app = createApp({
      name: "a".repeat(198),
      clock,
      adapter: {
        name: "watched",
        open: () => {
          opened += 1;
          return adapter.open();
        },
      },
    });
    expect(await rejection(app.run(plan))).toMatchObject({ _tag: "InvalidName" });
    expect(opened).toBe(0);
  });

  it("refuses to run two pipelines of one name", async () => {
    const { app } = bench();
    expect(await rejection(app().run([plan, plan]))).toMatchObject({ _tag: "InvalidPipeline" });
  });

  it("tells how far its tasks are", async () => {
    const { app, send, settle, clock } = bench();
    await send(source, sequence(100, 7), { end: false });
    const running = await settle(app().run(plan));
    await clock.advance(1_000);
    const status = running.status();
    expect(status.map(({ task }) => task)).toEqual(["app.copy/source/0", "app.copy/source/1"]);
    expect(status.reduce((sum, { processed }) => sum + processed, 0)).toBe(100);
    expect(status.map(({ lag }) => lag)).toEqual([0, 0]);
    await settle(running.stop());
  });

  it("drains when it stops: what was read is committed, nothing is done twice, and the next one goes on there", async () => {
    const { app, send, settle, clock, read } = bench();
    const called: number[] = [];
    const slowly = (item: Item): Promise<Item> =>
      new Promise((resolve) => {
        called.push(item.n);
        clock.after(5, () => resolve(item));
      });
    const slow = pipeline("copy", stream(source).pipe(mapOrdered(slowly, { concurrency: 2 }), sink(copy)));
    await send(source, sequence(400, 20));
    const running = await settle(app("app", { limits: { maxRecords: 512 } }).run(slow));
    await clock.advance(200);
    await settle(running.stop());
    await settle(running.done);
    await settle((await settle(app().run(slow))).done);
    expect(called).toHaveLength(400);
    expect(await read(copy)).toHaveLength(400);
  });

  it("gives up at the deadline when a handler hangs; its record is processed again", async () => {
    const { app, send, settle, clock, read } = bench();
    const signals: AbortSignal[] = [];
    const hanging = pipeline(
      "copy",
      stream(source).pipe(
        mapOrdered((_item: Item, _record, { signal }) => {
          signals.push(signal);
          return new Promise<Item>(() => {});
        }),
        sink(copy),
      ),
    );
    await send(source, sequence(10));
    const running = await settle(app().run(hanging));
    await clock.advance(100);
    const from = clock.now();
    await settle(running.stop({ within: "2 s" }));
    expect(clock.now() - from).toBeLessThanOrEqual(2_200);
    expect(signals.length).toBeGreaterThan(0);
    expect(signals.every(({ aborted }) => aborted)).toBe(true);
    await settle((await settle(app().run(plan))).done);
    expect(await read(copy)).toHaveLength(10);
  });

  it("gives up at the deadline when the store does not answer, and leaves nothing behind that goes on trying", async () => {
    const { app, adapter, send, settle, clock, read, events } = bench();
    await send(source, sequence(10), { end: false });
    const down = faultyAdapter(adapter, { seed: 1, rate: 0 });
    const running = await settle(app("app", { adapter: down }).run(plan));
    await clock.advance(100);
    down.cut();
    await send(source, sequence(10), { end: false });
    await clock.advance(1_000);
    await settle(running.stop({ within: "2 s" }));
    await settle(running.done);
    const { length } = events;
    await clock.advance(60_000);
    expect(events).toHaveLength(length);
    expect(await read(copy)).toHaveLength(10);
  });

  it("stops when the signal aborts, and when its app is closed", async () => {
    const { app, send, settle, events } = bench();
    await send(source, sequence(10), { end: false });
    const given = new AbortController();
    const first = await settle(app().run(plan, { signal: given.signal }));
    given.abort();
    await settle(first.done);
    const disposed = app();
    const second = await settle(disposed.run(plan));
    await settle(disposed.close());
    await settle(second.done);
    expect(events.filter(({ _tag }) => _tag === "Stopped")).toHaveLength(2);
    expect(await rejection(disposed.run(plan))).toMatchObject({ _tag: "Closed" });
  });
});

it("an app that is closed while a run is starting leaves nothing running", async () => {
  const { app, send, settle, clock, read } = bench();
  for (let turns = 0; turns < 60; turns++) {
    const program = app();
    const started = program.run(plan).then(
      (running) => running.done,
      (error: unknown) => error,
    );
    for (let turn = 0; turn < turns; turn++) {
      await Promise.resolve();
    }
    await settle(program.close());
    await settle(started);
  }
  await send(source, sequence(5), { end: false });
  await clock.advance(5_000);
  expect(await read(copy)).toEqual([]);
});

describe("an app that is closed while the store does not answer", () => {
  it("gives up its producers and completes its observers", async () => {
    const { app, adapter, settle, clock } = bench();
    const down = faultyAdapter(adapter, { seed: 1, rate: 0 });
    const program = app("app", { adapter: down });
    const producer = await settle(program.producer(source));
    let isComplete = false;
    program.observe(source).subscribe({
      complete: () => {
        isComplete = true;
      },
    });
    await clock.advance(100);
    down.cut();
    const sent = rejection(producer.send({ key: "k", n: 1, at: 0 }));
    await clock.advance(5_000);
    await settle(program.close());
    expect(await settle(sent)).toMatchObject({ _tag: "Closed" });
    await clock.advance(2_000);
    expect(isComplete).toBe(true);
  });
});

describe("an observer", () => {
  const watch = (from: ReturnType<ReturnType<typeof bench>["app"]>["observe"]) => {
    const seen: StreamRecord<Item>[] = [];
    const errors: unknown[] = [];
    const subscription = from(source, { from: "start" }).subscribe({
      next: (record) => seen.push(record),
      error: (error) => errors.push(error),
    });
    return { seen, errors, subscription };
  };

  it("sees every record with its key, time and position, and those to come", async () => {
    const { app, send, clock } = bench();
    await send(source, sequence(4, 2), { end: false });
    const reader = app("reader");
    const { seen, subscription } = watch(reader.observe.bind(reader));
    await clock.advance(100);
    expect(seen).toHaveLength(4);
    expect(seen[0]).toMatchObject({
      topic: "source",
      key: expect.stringMatching(/^k/),
      value: { n: expect.any(Number) },
    });
    await send(source, sequence(2), { end: false });
    await clock.advance(2_000);
    expect(seen).toHaveLength(6);
    subscription.unsubscribe();
    await send(source, sequence(2), { end: false });
    await clock.advance(2_000);
    expect(seen).toHaveLength(6);
  });

  it("begins at the end unless told otherwise", async () => {
    const { app, send, clock } = bench();
    await send(source, sequence(4, 2), { end: false });
    const seen: Item[] = [];
    app("reader")
      .observe(source)
      .subscribe(({ value }) => seen.push(value));
    await clock.advance(1_000);
    await send(source, [{ key: "k", n: 77, at: 0 }], { end: false });
    await clock.advance(2_000);
    expect(seen.map(({ n }) => n)).toEqual([77]);
  });

  it("errors at a record that does not decode", async () => {
    const { app, send, clock } = bench();
    const Other = t.type({ key: t.string });
    await send(topic("source", { codec: json(Other), key: (x) => x.key, partitions: 2 }), [{ key: "a" }], {
      end: false,
    });
    const reader = app("reader");
    const { errors } = watch(reader.observe.bind(reader));
    await clock.advance(1_000);
    expect(errors).toEqual([expect.any(DecodeError)]);
  });
});
