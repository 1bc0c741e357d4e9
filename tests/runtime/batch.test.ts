import { batch, map, mapOrdered, pipeline, sink, sleep, stream } from "@millrace/core";
import { of } from "rxjs";
import { describe, expect, it } from "vitest";
import { bench, type Item, items, sequence } from "./support/bench-top.ts";

const source = items("source", { partitions: 1 });
const copy = items("copy", { partitions: 1 });

/** Each batch as one item whose key lists its numbers. */
const listed = map((batched: readonly Item[]) => ({
  key: batched.map(({ n }) => n).join(","),
  n: batched.length,
  at: batched.at(-1)?.at ?? 0,
}));

const batches = (records: readonly { readonly value: Item }[]): readonly number[][] =>
  records.map(({ value }) => value.key.split(",").map(Number));

describe("batch", () => {
  it("takes at most so many, in order, and the rest when its time is over", async () => {
    const { app, send, read, settle, caughtUp, clock } = bench();
    const running = await settle(
      app().run(pipeline("copy", stream(source).pipe(batch(4, { within: "1 s" }), listed, sink(copy)))),
    );
    const startMs = clock.now();
    await send(source, sequence(10), { end: false });
    await caughtUp(running, 10);
    const first = batches(await read(copy)).flat();
    expect(first).toEqual(sequence(8).map(({ n }) => n));
    await settle(sleep(clock, startMs + 1_200 - clock.now()));
    expect(batches(await read(copy)).flat()).toEqual(sequence(10).map(({ n }) => n));
    expect(batches(await read(copy)).every((one) => one.length <= 4)).toBe(true);
    await settle(running.stop());
  });

  it("fills from records that come one by one while it waits", async () => {
    const { app, send, read, settle, clock } = bench();
    const running = await settle(
      app().run(pipeline("copy", stream(source).pipe(batch(3, { within: "10 s" }), listed, sink(copy)))),
    );
    for (const item of sequence(7)) {
      await send(source, [item], { end: false });
      await settle(sleep(clock, 100));
    }
    await settle(sleep(clock, 100));
    expect(batches(await read(copy))).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ]);
    await settle(running.stop());
    expect(batches(await read(copy))).toEqual([[0, 1, 2], [3, 4, 5], [6]]);
  });

  it("is acknowledged as one: a crash before it has left repeats all of it", async () => {
    const { app, send, read, settle, clock } = bench();
    const seen: number[][] = [];
    let isStuck = true;
    const copying = pipeline(
      "copy",
      stream(source).pipe(
        batch(5, { within: "50 ms" }),
        mapOrdered(async (batched: readonly Item[]) => {
          seen.push(batched.map(({ n }) => n));
          if (isStuck && batched.some(({ n }) => n === 7)) {
            await new Promise(() => {});
          }
          return batched;
        }),
        listed,
        sink(copy),
      ),
    );
    await send(source, sequence(10), { end: false });
    const running = await settle(app().run(copying));
    await settle(sleep(clock, 500));
    await settle(running.stop({ within: "0 s" }));
    const before = batches(await read(copy)).flat();
    expect(before).not.toContain(7);
    isStuck = false;
    const again = await settle(app().run(copying));
    await settle(sleep(clock, 500));
    await settle(again.stop());
    expect(batches(await read(copy)).flat()).toEqual(sequence(10).map(({ n }) => n));
    expect(seen.filter((one) => one.includes(7)).length).toBeGreaterThan(1);
  });

  it("does not wait for records that the worker may not read", async () => {
    const { app, send, read, settle, clock } = bench();
    const running = await settle(
      app("app", { limits: { maxRecords: 1 } }).run(
        pipeline(
          "copy",
          stream(source).pipe(
            mapOrdered(async (item: Item) => item),
            batch(500, { within: "1 hour" }),
            listed,
            sink(copy),
          ),
        ),
      ),
    );
    await send(source, sequence(1_100), { end: false });
    await settle(sleep(clock, 5_000));
    expect(batches(await read(copy)).flat().length).toBeGreaterThan(500);
    await settle(running.stop());
    expect(batches(await read(copy)).flat()).toEqual(sequence(1_100).map(({ n }) => n));
  });

  it("ends with its input", async () => {
    const { app, send, read, complete } = bench();
    await send(source, sequence(5));
    await complete(app(), pipeline("copy", stream(source).pipe(batch(4, { within: "1 hour" }), listed, sink(copy))));
    expect(batches(await read(copy)).flat()).toEqual([0, 1, 2, 3, 4]);
  });

  it("works on an ordinary Observable", () => {
    const seen: (readonly number[])[] = [];
    of(1, 2, 3, 4, 5)
      .pipe(batch(2, { within: "1 s" }))
      .subscribe((one) => seen.push(one));
    expect(seen).toEqual([[1, 2], [3, 4], [5]]);
  });

  it.each([0, -1, 1.5, 501, Number.NaN])("refuses a size of %s", (size) => {
    expect(() => batch(size, { within: "1 s" })).toThrow(/batch: size must be a whole number from 1 to 500/);
  });

  it("refuses batches of batches that a unit cannot fill, with the sum", () => {
    const twice = stream(source).pipe(
      batch(300, { within: "1 s" }),
      map((batched: readonly Item[]) => batched[0] ?? { key: "", n: 0, at: 0 }),
      batch(201, { within: "1 s" }),
      listed,
      sink(copy),
    );
    expect(() => pipeline("copy", twice)).toThrow(/batches of 300 \+ 201 = 501 values/);
  });
});
