import { type DeadLetter, map, mapOrdered, pipeline, sink, stream } from "@millrace/core";
import { describe, expect, it } from "vitest";
import { bench, type Item, items, sequence } from "./support/bench-top.ts";

const source = items("source", { partitions: 2 });
const copy = items("copy", { partitions: 2 });

/** An operator that fails for items whose number is in `bad`, until they are taken out of it. */
function failsFor(bad: Set<number>, called: number[] = []) {
  return (item: Item): Item => {
    called.push(item.n);
    if (bad.has(item.n)) {
      throw new RangeError(`no ${item.n}`);
    }
    return item;
  };
}

const numbers = (records: readonly { readonly value: Item }[]): number[] =>
  records.map(({ value }) => value.n).toSorted((a, b) => a - b);
const ids = (letters: readonly DeadLetter[]): string[] => letters.map(({ id }) => id);

describe.each([
  ["a synchronous operator", (f: (item: Item) => Item, onError: "deadLetter" | "park" | "skip") => map(f, { onError })],
  [
    "mapOrdered",
    (f: (item: Item) => Item, onError: "deadLetter" | "park" | "skip") =>
      mapOrdered(async (item: Item) => f(item), { onError }),
  ],
])("a value for which %s fails", (_, failing) => {
  it("is skipped and counted, and the rest goes on", async () => {
    const { app, send, complete, read, events } = bench();
    await send(source, sequence(10));
    await complete(app(), pipeline("copy", stream(source).pipe(failing(failsFor(new Set([4])), "skip"), sink(copy))));
    expect(numbers(await read(copy))).toEqual([0, 1, 2, 3, 5, 6, 7, 8, 9]);
    expect(events.filter(({ _tag }) => _tag === "Skipped")).toHaveLength(1);
  });

  it("becomes a dead letter with all that is known of it, once, and the rest goes on", async () => {
    const { app, send, read, settle, caughtUp } = bench();
    const worker = app();
    const copying = pipeline("copy", stream(source).pipe(failing(failsFor(new Set([4])), "deadLetter"), sink(copy)));
    await send(source, sequence(10), { end: false });
    const running = await settle(worker.run(copying));
    const letters = worker.deadLetters(copying);
    await caughtUp(running, 10);
    expect(await settle(letters.list())).toEqual([
      expect.objectContaining({
        isParked: false,
        isBehind: false,
        topic: "source",
        key: "k1",
        timestamp: 4_000,
        attempts: 1,
        errors: [{ name: "RangeError", message: "no 4", code: null }],
        input: JSON.stringify({ key: "k1", n: 4, at: 4_000 }),
      }),
    ]);
    await settle(running.stop());
    expect(numbers(await read(copy))).toEqual([0, 1, 2, 3, 5, 6, 7, 8, 9]);
    await settle(worker.close());
  });

  it("is processed when its letter is redriven, once", async () => {
    const { app, send, read, settle, caughtUp } = bench();
    const worker = app();
    const bad = new Set([4]);
    const called: number[] = [];
    const copying = pipeline("copy", stream(source).pipe(failing(failsFor(bad, called), "deadLetter"), sink(copy)));
    await send(source, sequence(10), { end: false });
    const running = await settle(worker.run(copying));
    const letters = worker.deadLetters(copying);
    await caughtUp(running, 10);
    expect(await settle(letters.redrive({ all: true }))).toEqual({ done: 0, remaining: 1, waiting: 0 });
    bad.clear();
    expect(await settle(letters.redrive({ all: true }))).toEqual({ done: 1, remaining: 0, waiting: 0 });
    expect(await settle(letters.redrive({ all: true }))).toEqual({ done: 0, remaining: 0, waiting: 0 });
    expect(await settle(letters.list())).toEqual([]);
    await settle(running.stop());
    expect(numbers(await read(copy))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(called.filter((n) => n === 4)).toHaveLength(3);
    await settle(worker.close());
  });

  it("is parked with every later value of its key, until they are redriven in order", async () => {
    const { app, send, read, settle, caughtUp } = bench();
    const worker = app();
    const bad = new Set([4]);
    const copying = pipeline("copy", stream(source).pipe(failing(failsFor(bad), "park"), sink(copy)));
    await send(source, sequence(12), { end: false });
    const running = await settle(worker.run(copying));
    const letters = worker.deadLetters(copying);
    await caughtUp(running, 12);
    expect(await settle(letters.redrive({ all: true }))).toEqual({ done: 0, remaining: 3, waiting: 0 });
    const parked = await settle(letters.list());
    expect(parked.map(({ isBehind, input }) => [isBehind, JSON.parse(input).n])).toEqual([
      [false, 4],
      [true, 7],
      [true, 10],
    ]);
    expect(numbers(await read(copy))).toEqual([0, 1, 2, 3, 5, 6, 8, 9, 11]);
    bad.clear();
    expect(await settle(letters.redrive({ ids: ids(parked).slice(1) }))).toEqual({ done: 0, remaining: 0, waiting: 2 });
    expect(await settle(letters.redrive({ all: true, limit: 2 }))).toEqual({ done: 2, remaining: 0, waiting: 0 });
    await send(source, [{ key: "k1", n: 13, at: 13_000 }], { end: false });
    expect(await settle(letters.redrive({ all: true }))).toMatchObject({ remaining: 0, waiting: 0 });
    await send(source, [{ key: "k1", n: 16, at: 16_000 }], { end: false });
    await settle(running.stop());
    const inOrder = (await read(copy)).filter(({ key }) => key === "k1").map(({ value }) => value.n);
    expect(inOrder.slice(0, 5)).toEqual([1, 4, 7, 10, 13]);
    await settle(worker.close());
  });
});
