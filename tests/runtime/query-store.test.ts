/** What stores say of a key, asked from outside. */
import {
  aggregate,
  count,
  deduplicate,
  filter,
  hopping,
  json,
  map,
  pipeline,
  session,
  sink,
  stream,
  sum,
  topic,
  tumbling,
  window,
} from "@millrace/core";
import * as t from "io-ts";
import { describe, expect, it } from "vitest";
import { bench, type Item, items } from "./support/bench-top.ts";

const Result = t.type({ key: t.string, n: t.number });
const results = topic("results", { codec: json(Result), key: (r) => r.key, partitions: 2 });
const source = items("source", { partitions: 3 });

const perKey = aggregate<Item, { n: number; total: number }>({ n: count(), total: sum((item) => item.n) });
const perMinute = window(tumbling("1 minute"), { n: count() }, { grace: "0 s", by: (item: Item) => `of ${item.key}` });
const overlapping = window(hopping("1 minute", "20 s"), { n: count() }, { grace: "0 s", name: "overlapping" });
const runs = window(session("10 s"), { n: count() }, { grace: "0 s", name: "runs" });
const once = deduplicate((item: Item) => String(item.n), { within: "1 h" });

const items$ = stream(source);
const asked = pipeline(
  "asked",
  items$.pipe(
    perKey,
    map(({ key, value }) => results.of({ key, n: value.n })),
    sink(results),
  ),
  items$.pipe(
    perMinute,
    map(({ key, value }) => results.of({ key, n: value.n })),
    sink(results),
  ),
  items$.pipe(
    overlapping,
    map(({ key, value }) => results.of({ key, n: value.n })),
    sink(results),
  ),
  items$.pipe(
    runs,
    map(({ key, value }) => results.of({ key, n: value.n })),
    sink(results),
  ),
  items$.pipe(
    once,
    filter(() => false),
    map(() => results.of({ key: "", n: 0 })),
    sink(results),
  ),
);

/** Three of "a" in a minute and one in the next, one of "b". */
const FIVE: readonly Item[] = [
  { key: "a", n: 1, at: 1_000 },
  { key: "a", n: 2, at: 2_000 },
  { key: "b", n: 10, at: 3_000 },
  { key: "a", n: 3, at: 30_000 },
  { key: "a", n: 4, at: 61_000 },
];

describe("a store that is asked from outside", () => {
  it("tells the newest results of a key, typed by its operator", async () => {
    const top = bench();
    await top.send(source, FIVE, { end: false });
    const running = await top.settle(top.app().run(asked));
    await top.caughtUp(running, FIVE.length);
    const app = top.app("app");
    const [a] = await top.settle(app.queryStore(asked, perKey, "a"));
    expect(a).toEqual({ key: "a", value: { n: 4, total: 10 } });
    const total: number | undefined = a?.value.total;
    expect(total).toBe(10);
    expect(await top.settle(app.queryStore(asked, perKey, "nobody"))).toEqual([]);
    await top.settle(running.stop());
    // Nobody runs, and the answer is the same.
    expect(await top.settle(app.queryStore(asked, perKey, "b"))).toEqual([{ key: "b", value: { n: 1, total: 10 } }]);
  });

  it("tells the open windows of a key, by start, behind a change of key, too", async () => {
    const top = bench();
    await top.send(source, FIVE, { end: false });
    const running = await top.settle(top.app().run(asked));
    await top.caughtUp(running, 2 * FIVE.length);
    // Windows that are over close when the times of the topic have been looked at.
    await top.clock.advance(3_000);
    const app = top.app("app");
    const open = await top.settle(app.queryStore(asked, perMinute, "of a"));
    expect(open.at(-1)).toEqual({ key: "of a", start: 60_000, end: 120_000, revision: 1, value: { n: 1 } });
    const starts = (await top.settle(app.queryStore(asked, overlapping, "a"))).map(({ start, value }) => [
      start,
      value.n,
    ]);
    expect(starts).toEqual([
      [20_000, 2],
      [40_000, 1],
      [60_000, 1],
    ]);
    expect(await top.settle(app.queryStore(asked, "runs", "a"))).toEqual([
      { key: "a", start: 61_000, end: 61_001, revision: 1, value: { n: 1 } },
    ]);
    await top.settle(running.stop());
  });

  it("is refused where there is no such store, or nothing to ask for", async () => {
    const top = bench();
    const app = top.app();
    const unused = aggregate<Item, { n: number }>({ n: count() });
    await expect(app.queryStore(asked, unused, "a")).rejects.toMatchObject({
      _tag: "InvalidOption",
      message: expect.stringContaining('has no store of that operator; it has "source.aggregate"') as string,
    });
    await expect(app.queryStore(asked, "nothing", "a")).rejects.toMatchObject({ _tag: "InvalidOption" });
    await expect(app.queryStore(asked, once, "a")).rejects.toMatchObject({
      message: expect.stringContaining("keeps nothing that could be asked for") as string,
    });
  });
});
