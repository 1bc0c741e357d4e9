import {
  count,
  createApp,
  DecodeError,
  fold,
  json,
  map,
  mapOrdered,
  native,
  partitionBy,
  pipeline,
  sink,
  stream,
  topic,
  tumbling,
  window,
} from "@millrace/core";
import * as t from "io-ts";
import * as rx from "rxjs";
import { describe, expect, it } from "vitest";
import { bench, type Item, items, rejection, sequence } from "./support/bench-top.ts";
import { faultyAdapter } from "./support/faulty-adapter.ts";

const source = items("source", { partitions: 1 });
const copy = items("copy", { partitions: 1 });
const plan = pipeline("copy", stream(source).pipe(sink(copy)));

it("an empty key is a key: its records stay together behind a change of key", async () => {
  const Count = t.type({ key: t.string, count: t.number });
  const counts = topic("counts", { codec: json(Count), key: (c) => c.key, partitions: 1 });
  const { app, send, complete, read } = bench();
  await send(source, sequence(20));
  const counting = pipeline(
    "count",
    stream(source).pipe(
      window(tumbling("1 hour"), { count: count() }, { by: () => "", grace: "0 s", partitions: 4 }),
      map((w) => counts.of({ key: w.key, ...w.value })),
      sink(counts),
    ),
  );
  await complete(app(), counting);
  expect((await read(counts)).map(({ value }) => value)).toEqual([{ key: "", count: 20 }]);
});

it("time in which nothing could be read is not idle: records that came meanwhile are in time", async () => {
  const live = items("live", { partitions: 1, idle: "30 s" });
  const { app, adapter, send, settle, clock, events } = bench();
  const counting = pipeline(
    "count",
    stream(live).pipe(
      window(tumbling("10 s"), { last: fold(0, (_, item: Item) => item.n) }, { grace: "0 s" }),
      map((w) => ({ key: w.key, n: w.value.last, at: w.start })),
      sink(copy),
    ),
  );
  await send(live, sequence(2, 1), { end: false });
  const network = faultyAdapter(adapter, { seed: 1, rate: 0 });
  const running = await settle(app("app", { adapter: network }).run(counting));
  await clock.advance(2_000);
  network.cut();
  for (let n = 2; n < 82; n++) {
    await send(live, [{ key: "k0", n, at: n * 1_000 }], { end: false });
    await clock.advance(1_000);
  }
  network.mend();
  await clock.advance(5_000);
  expect(events.filter(({ _tag }) => _tag === "LateRecord")).toEqual([]);
  await settle(running.stop());
});

describe("stopping at once after starting", () => {
  it("stops: nothing is processed afterwards, and done resolves", async () => {
    const { app, send, settle, clock, read } = bench();
    const running = await settle(app().run(plan));
    await settle(running.stop());
    await settle(running.done);
    await send(source, sequence(5), { end: false });
    await clock.advance(5_000);
    expect(await read(copy)).toEqual([]);
  });

  it("does so for a signal that has aborted before", async () => {
    const { app, settle } = bench();
    const running = await settle(app().run(plan, { signal: AbortSignal.abort() }));
    await settle(running.done);
  });

  it("a producer whose signal has aborted before sends nothing", async () => {
    const { app, settle, read } = bench();
    const producer = await settle(app().producer(source, { signal: AbortSignal.abort() }));
    expect(await settle(rejection(producer.send({ key: "k", n: 1, at: 0 })))).toMatchObject({ _tag: "Closed" });
    expect(await read(source)).toEqual([]);
  });

  it("a second stop with less time hastens the first", async () => {
    const { app, send, settle, clock } = bench();
    const hanging = pipeline(
      "copy",
      stream(source).pipe(
        mapOrdered(() => new Promise<Item>(() => {})),
        sink(copy),
      ),
    );
    await send(source, sequence(5));
    const running = await settle(app().run(hanging));
    await clock.advance(100);
    const from = clock.now();
    const first = running.stop();
    await settle(running.stop({ within: "0 s" }));
    await settle(first);
    expect(clock.now() - from).toBeLessThan(1_000);
  });
});

describe("foreign operators at the end of an input", () => {
  it.each<[string, rx.OperatorFunction<Item, Item>, number[]]>([
    ["that drop the last record", rx.filter((item) => item.n < 3), [0, 1, 2]],
    ["that wait for the end", rx.last(), [4]],
    [
      "that hold a rest",
      rx.pipe(
        rx.bufferCount(2),
        rx.map((batch) => batch[0] as Item),
      ),
      [0, 2, 4],
    ],
  ])("%s come to their end with it", async (_name, op, expected) => {
    const { app, send, complete, read } = bench();
    await send(source, sequence(5, 1));
    await complete(app(), pipeline("copy", stream(source).pipe(op, sink(copy))));
    expect((await read(copy)).map(({ value }) => value.n)).toEqual(expected);
    // Everything is acknowledged: a second run has nothing to do.
    await complete(app(), pipeline("copy", stream(source).pipe(op, sink(copy))));
    expect(await read(copy)).toHaveLength(expected.length);
  });

  it("do not keep a record that does not decode from being reported", async () => {
    const Other = t.type({ key: t.string });
    const loose = topic("source", { codec: json(Other), key: (x) => x.key, partitions: 1 });
    const { app, send, complete } = bench();
    await send(source, sequence(4, 1), { end: false });
    await send(loose, [{ key: "poison" }], { end: false });
    const held = pipeline(
      "copy",
      stream(source).pipe(
        mapOrdered((item) => Promise.resolve(item)),
        native("pairs", rx.pairwise<Item>()),
        native("threes", rx.bufferCount<[Item, Item]>(3)),
        map(() => ({ key: "k", n: 0, at: 0 })),
        sink(copy),
      ),
    );
    expect(await rejection(complete(app(), held))).toBeInstanceOf(DecodeError);
  });

  it("that hold all a task may read are an error, not silence", async () => {
    const { app, send, complete } = bench();
    await send(source, sequence(2_000, 1), { end: false });
    const buffers = pipeline(
      "copy",
      stream(source).pipe(
        native("thirty", rx.bufferCount<Item>(30)),
        native("of thirty", rx.bufferCount<Item[]>(30)),
        map(() => ({ key: "k", n: 0, at: 0 })),
        sink(copy),
      ),
    );
    const error = await rejection(complete(app("app", { limits: { maxRecords: 1 } }), buffers));
    expect((error as { cause?: unknown }).cause ?? error).toMatchObject({ _tag: "NativeOperatorError" });
  });
});

it("what a handler does with operators of its own is no part of the task", async () => {
  const { app, send, complete, read } = bench();
  const aside = items("aside", { partitions: 1 });
  await send(aside, [], { end: false });
  await send(source, sequence(3));
  const nosy = pipeline(
    "copy",
    stream(source).pipe(
      mapOrdered((item) => {
        rx.of(item).pipe(sink(aside)).subscribe();
        return Promise.resolve(item);
      }),
      partitionBy((item) => `${item.n}`),
      sink(copy),
    ),
  );
  await complete(app(), nosy);
  expect(await read(copy)).toHaveLength(3);
  expect(await read(aside)).toEqual([]);
});

it("an observer until the end completes also when it begins there", async () => {
  const { adapter, clock, send, settle } = bench();
  await send(source, sequence(3), { end: false });
  const app = createApp({ name: "reader", adapter, clock });
  const seen = await settle(rx.lastValueFrom(app.observe(source, { untilEnd: true }).pipe(rx.toArray())));
  expect(seen).toEqual([]);
});
