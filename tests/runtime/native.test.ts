import { mapOrdered, native, pipeline, sink, stream } from "@millrace/core";
import * as fc from "fast-check";
import * as rx from "rxjs";
import { describe, expect, it } from "vitest";
import { bench, type Item, items, rejection, sequence } from "./support/bench-top.ts";
import { faultyAdapter } from "./support/faulty-adapter.ts";

const source = items("source", { partitions: 1 });
const copy = items("copy", { partitions: 1 });

async function outputsOf(op: rx.OperatorFunction<Item, Item>, input: readonly Item[]): Promise<readonly number[]> {
  const { app, send, complete, read } = bench();
  await send(source, input);
  await complete(app(), pipeline("copy", stream(source).pipe(op, sink(copy))));
  return (await read(copy)).map(({ value }) => value.n);
}

describe("a foreign operator that works synchronously", () => {
  it.each<[string, rx.OperatorFunction<Item, Item>]>([
    ["map", rx.map((item) => ({ ...item, n: item.n * 2 }))],
    ["filter", rx.filter((item) => item.n % 3 === 0)],
    ["scan", rx.scan((sum, item) => ({ ...item, n: sum.n + item.n }))],
    ["distinctUntilChanged", rx.distinctUntilChanged((a, b) => a.n % 2 === b.n % 2)],
    [
      "pairwise",
      rx.pipe(
        rx.pairwise(),
        rx.map(([a, b]) => ({ ...b, n: a.n + b.n })),
      ),
    ],
    ["a synchronous mergeMap", rx.mergeMap((item) => [item, { ...item, n: 1_000 - item.n }])],
    ["concatMap of a range", rx.concatMap((item) => rx.range(0, 2).pipe(rx.map((n) => ({ ...item, n }))))],
    ["a custom one", (from) => new rx.Observable((to) => from.subscribe(to))],
  ])("gives what it gives on an Observable: %s", async (_name, op) => {
    const input = sequence(40);
    const expected = await rx.lastValueFrom(
      rx.from(input).pipe(
        op,
        rx.map((item) => item.n),
        rx.toArray(),
      ),
    );
    expect(await outputsOf(op, input)).toEqual(expected);
  });

  it("that holds records back commits them only together with what they became (N2)", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 2, max: 6 }),
        fc.integer({ min: 0, max: 40 }),
        fc.array(fc.integer({ min: 0, max: 600 }), { maxLength: 3 }),
        fc.integer(),
        async (size, count, crashes, seed) => {
          const { app, adapter, clock, send, settle, read } = bench();
          const pack = rx.pipe(
            rx.bufferCount<Item>(size),
            rx.map((batch): Item => ({ key: batch.map(({ n }) => n).join(), n: batch.length, at: 0 })),
          );
          const slowly = (item: Item): Promise<Item> =>
            new Promise((resolve) => {
              clock.after(10, () => resolve(item));
            });
          const plan = pipeline("copy", stream(source).pipe(native("pack", pack), mapOrdered(slowly), sink(copy)));
          await send(source, sequence(count, 1), { end: false });
          for (const [index, afterMs] of crashes.entries()) {
            const worker = faultyAdapter(adapter, { seed: seed + index, rate: 0 });
            await settle(app("app", { adapter: worker }).run(plan));
            await clock.advance(afterMs);
            worker.crash();
          }
          await settle(app().run(plan));
          // Longer than the session of the one that crashed last.
          await clock.advance(15_000);
          const batches = (await read(copy)).map(({ value }) => value.key.split(",").map(Number));
          const whole = Math.floor(count / size);
          expect(batches).toEqual(
            Array.from({ length: whole }, (_, batch) => Array.from({ length: size }, (__, i) => batch * size + i)),
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  it("that only drops may say so, and then holds nothing", async () => {
    const { app, send, complete, read } = bench();
    await send(source, sequence(1_000));
    const rare = native(
      "rare",
      rx.filter<Item>((item) => item.n % 500 === 499),
      { stateless: true },
    );
    await complete(app(), pipeline("copy", stream(source).pipe(rare, sink(copy))));
    expect((await read(copy)).map(({ value }) => value.n)).toEqual([499, 999]);
  });

  it("throws as any handler does", async () => {
    const { app, send, complete, read } = bench();
    await send(source, sequence(10));
    const failing = rx.map((item: Item) => {
      if (item.n === 5) {
        throw new Error("no");
      }
      return item;
    });
    const error = await rejection(complete(app(), pipeline("copy", stream(source).pipe(failing, sink(copy)))));
    expect(error).toMatchObject({ _tag: "HandlerError", at: { topic: "source" } });
    expect((await read(copy)).map(({ value }) => value.n)).toEqual([0, 1, 2, 3, 4]);
  });
});

describe("a foreign operator that cannot be acknowledged stops the task, names itself, and loses nothing:", () => {
  it.each<[string, rx.OperatorFunction<Item, Item>, RegExp]>([
    ["delay", rx.delay(1), /works on behind the push/],
    ["mergeMap of a promise", rx.mergeMap((item) => Promise.resolve(item)), /works on behind the push/],
    [
      "mergeMap, now of a promise, now of a value",
      rx.mergeMap((item) => (item.n % 2 === 0 ? rx.of(item) : Promise.resolve(item))),
      /works on behind the push/,
    ],
    ["take", rx.take(3), /completed/],
    ["startWith", rx.startWith({ key: "", n: -1, at: 0 }), /before the first record/],
    ["a silent one", rx.ignoreElements(), /yielded nothing for 256 records/],
    [
      "one that emits on its own",
      (from) =>
        new rx.Observable((to) => {
          queueMicrotask(() => to.next({ key: "", n: -1, at: 0 }));
          return from.subscribe(to);
        }),
      /while no record was pushed/,
    ],
  ])("%s", async (_name, op, reason) => {
    const { app, send, settle, read } = bench();
    await send(source, sequence(400));
    const running = await settle(app().run(pipeline("copy", stream(source).pipe(native("strange", op), sink(copy)))));
    const error = await settle(rejection(running.done));
    const told = (error as { cause?: unknown }).cause ?? error;
    expect(told).toMatchObject({ _tag: "NativeOperatorError" });
    expect((told as Error).message).toContain("strange");
    expect((told as Error).message).toMatch(reason);

    // Whoever runs the repaired pipeline finds everything that was not committed.
    const done = await read(copy);
    const repaired = await settle(app().run(pipeline("copy", stream(source).pipe(sink(copy)))));
    await settle(repaired.done);
    const rest = (await read(copy)).slice(done.length).map(({ value }) => value.n);
    expect([...done.map(({ value }) => value.n), ...rest]).toEqual(sequence(400).map(({ n }) => n));
  });
});
