/**
 * Whether a record is late, a duplicate, or the first of a key that was forgotten is a property of the record (T5, S16): not of what
 * happens to be in a store, nor of whether a worker has started anew in between.
 */
import {
  aggregate,
  count,
  deduplicate,
  map,
  mapOrdered,
  type Pipeline,
  pipeline,
  sink,
  stream,
  tumbling,
  window,
} from "@millrace/core";
import { describe, expect, it } from "vitest";
import { type Bench, bench, type Item, items } from "../runtime/support/bench-top.ts";

const source = items("source", { partitions: 1 });
const results = items("results", { partitions: 1 });
const AMONG = 64;

/** Items of one key, `at` seconds, behind so many others that the last ones are in one unit, and time moves on behind them. */
const lastOf = (...at: readonly number[]): Item[] => [
  ...Array.from({ length: AMONG }, (): Item => ({ key: "other", n: 0, at: 0 })),
  ...at.map((seconds, n): Item => ({ key: "k", n, at: seconds * 1_000 })),
];

/** What comes out, of the key `k`; `splits`: the last item is read by a worker of its own. */
async function numbersOf(plan: Pipeline, input: readonly Item[], splits: boolean): Promise<readonly number[]> {
  const top: Bench = bench();
  const { app, send, settle, complete, caughtUp, read } = top;
  if (splits) {
    await send(source, input.slice(0, -1), { end: false });
    const running = await settle(app().run(plan));
    await caughtUp(running, input.length - 1);
    await settle(running.stop());
    await send(source, input.slice(-1));
  } else {
    await send(source, input);
  }
  await complete(app(), plan);
  return (await read(results)).filter(({ value }) => value.key === "k").map(({ value }) => value.n);
}

describe.each([
  ["in one unit with those before it", false],
  ["behind a restart", true],
])("a record that is read %s", (_, splits) => {
  it("G8: is late for a window that has closed by the records in front of it", async () => {
    const plan = pipeline(
      "windows",
      stream(source).pipe(
        window(tumbling("10 s"), { n: count() }, { grace: "0 s" }),
        map((w) => results.of({ key: w.key, n: w.value.n, at: w.start })),
        sink(results),
      ),
    );
    expect(await numbersOf(plan, lastOf(1, 100, 2), splits)).toEqual([1, 1]);
  });

  it("G8: is no duplicate of one that is forgotten by the time in front of it", async () => {
    const plan = pipeline(
      "identities",
      stream(source).pipe(
        deduplicate(({ n }) => (n === 1 ? "another" : "same"), { within: "10 s" }),
        sink(results),
      ),
    );
    expect(await numbersOf(plan, lastOf(1, 100, 2), splits)).toEqual([0, 1, 2]);
  });

  it("G8: begins a key anew whose time to live is over", async () => {
    const plan = pipeline(
      "running",
      stream(source).pipe(
        aggregate({ n: count() }, { ttl: "10 s" }),
        map(({ key, value: { n } }) => results.of({ key, n, at: 0 })),
        sink(results),
      ),
    );
    expect(await numbersOf(plan, lastOf(1, 2, 100), splits)).toEqual([1, 2, 1]);
  });
});

it("G8: a record is late for a window that the clock has closed, also behind a restart", async () => {
  const live = items("live", { partitions: 1, idle: "30 s" });
  const { app, send, settle, clock, read } = bench();
  const plan = pipeline(
    "windows",
    stream(live).pipe(
      window(tumbling("10 s"), { n: count() }, { grace: "0 s" }),
      map((w) => results.of({ key: w.key, n: w.value.n, at: w.start })),
      sink(results),
    ),
  );
  await send(live, [{ key: "k", n: 0, at: 1_000 }], { end: false });
  const first = await settle(app().run(plan));
  await clock.advance(60_000);
  expect(await read(results)).toHaveLength(1);
  await settle(first.stop());
  await send(live, [{ key: "k", n: 1, at: 2_000 }]);
  await settle((await settle(app().run(plan))).done);
  expect((await read(results)).map(({ value }) => value.n)).toEqual([1]);
});

it("G8: time in which a handler works on what has come is not time without records", async () => {
  const live = items("live", { partitions: 1, idle: "30 s" });
  const { app, send, settle, clock, read } = bench();
  const plan = pipeline(
    "windows",
    stream(live).pipe(
      mapOrdered(
        (item: Item) =>
          new Promise<Item>((resolve) => {
            clock.after(item.n === 0 ? 60_000 : 1, () => resolve(item));
          }),
      ),
      window(tumbling("10 s"), { n: count() }, { grace: "0 s" }),
      map((w) => results.of({ key: w.key, n: w.value.n, at: w.start })),
      sink(results),
    ),
  );
  await send(live, [{ key: "k", n: 0, at: 1_000 }], { end: false });
  const running = await settle(app().run(plan));
  await clock.advance(50_000);
  await send(live, [{ key: "k", n: 1, at: 2_000 }]);
  await settle(running.done);
  expect((await read(results)).map(({ value }) => value.n)).toEqual([2]);
});
