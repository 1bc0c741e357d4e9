/** Every kind of window from a topic to a topic: final results, and records that are late for them. */
import {
  aggregate,
  count,
  distinct,
  fold,
  hopping,
  json,
  map,
  pipeline,
  session,
  sink,
  sliding,
  stream,
  topic,
  tumbling,
  unlimited,
  type WindowSpec,
  window,
} from "@millrace/core";
import * as t from "io-ts";
import { describe, expect, it } from "vitest";
import { bench, type Item, items } from "./support/bench-top.ts";
import { at, readings, rows, texts, windowed } from "./support/window-bench.ts";
import { pick } from "./support/workers.ts";

const n = { n: count() };

describe.each([
  ["in memory", {}],
  ["in the store", { limits: { maxStateBytes: 1 } }],
])("final results of state that is %s", (_where, options) => {
  it.each<readonly [string, WindowSpec, readonly Item[], readonly string[]]>([
    [
      "tumbling windows, before 1970 and after it",
      tumbling("10 s"),
      [at(-15), at(-10), at(0), at(9.999), at(10), at(12, "b")],
      ['a -20--10 {"n":1}', 'a -10-0 {"n":1}', 'a 0-10 {"n":2}', 'a 10-20 {"n":1}', 'b 10-20 {"n":1}'],
    ],
    [
      "tumbling windows with an offset",
      tumbling("10 s", "3 s"),
      [at(2.999), at(3), at(12.999), at(13)],
      ['a -7-3 {"n":1}', 'a 3-13 {"n":2}', 'a 13-23 {"n":1}'],
    ],
    [
      "hopping windows",
      hopping("10 s", "5 s"),
      [at(1), at(6), at(11)],
      ['a -5-5 {"n":1}', 'a 0-10 {"n":2}', 'a 5-15 {"n":2}', 'a 10-20 {"n":1}'],
    ],
    [
      "sliding windows",
      sliding("10 s"),
      [at(0), at(8), at(20)],
      ['a -10-0.001 {"n":1}', 'a -2-8.001 {"n":2}', 'a 0.001-10.002 {"n":1}', 'a 10-20.001 {"n":1}'],
    ],
    [
      "sessions, of which one record makes two one",
      session("10 s"),
      [at(0), at(20), at(10), at(31, "b"), at(31)],
      ['a 0-20.001 {"n":3}', 'a 31-31.001 {"n":1}', 'b 31-31.001 {"n":1}'],
    ],
    [
      "one window for all time",
      unlimited(),
      [at(-9), at(5), at(7, "b")],
      ['a -8640000000000-8640000000000 {"n":2}', 'b -8640000000000-8640000000000 {"n":1}'],
    ],
    ["one window from an instant on", unlimited(5_000), [at(4.999), at(5), at(9)], ['a 5-8640000000000 {"n":2}']],
  ])("of %s come once, by end and then by key", async (_what, spec, input, expected) => {
    const top = bench();
    await top.send(readings, input);
    await top.complete(top.app("app", options), windowed(window(spec, n, { grace: "20 s" })));
    const found = texts(await top.read(rows));
    expect(found).toEqual(expected);
  });

  it("of unlimited windows have the time of their last record", async () => {
    const top = bench();
    await top.send(readings, [at(1), at(7), at(3)]);
    await top.complete(top.app("app", options), windowed(window(unlimited(), n, { grace: "1 h" })));
    expect((await top.read(rows)).map(({ timestamp }) => timestamp)).toEqual([7_000]);
  });

  it.each([
    ["sessions", session("2 s"), [at(0), at(10), at(20), at(10, "b"), at(20, "b"), at(40)]],
    ["sliding windows", sliding("2 s"), [at(0), at(10), at(20), at(10, "b"), at(20, "b"), at(40)]],
    ["tumbling windows", tumbling("2 s"), [at(0), at(10), at(20), at(10, "b"), at(20, "b"), at(60)]],
  ])(
    "of %s that close at the same time come by end, then by key, also of keys with several",
    async (_, spec, input) => {
      const top = bench();
      await top.send(readings, input.slice(0, -1), { end: false });
      const running = await top.settle(top.app("app", options).run(windowed(window(spec, n, { grace: "20 s" }))));
      await top.caughtUp(running, input.length - 1);
      await top.send(readings, input.slice(-1));
      await top.settle(running.done);
      const found = (await top.read(rows)).map(({ value }) => [value.end, value.key] as const);
      expect(found).toEqual(found.toSorted(([x, a], [y, b]) => x - y || (a < b ? -1 : 1)));
      expect(found).toHaveLength(input.length);
    },
  );

  it.each([tumbling("10 s"), session("1 s")])(
    "of 1,200 windows that close at once come in several commits, in order ($kind)",
    async (spec) => {
      const top = bench();
      const many = Array.from({ length: 1_200 }, (_, i) => at(1, `k${String(i).padStart(4, "0")}`));
      await top.send(readings, many.toReversed(), { end: false });
      const running = await top.settle(top.app("app", options).run(windowed(window(spec, n, { grace: "0 s" }))));
      await top.caughtUp(running, many.length);
      const before = top.events.length;
      await top.send(readings, [at(60)]);
      await top.settle(running.done);
      const keys = (await top.read(rows)).map(({ value }) => value.key);
      expect(keys).toEqual([...many.map(({ key }) => key), "a"]);
      const commits = pick(top.events.slice(before), "Committed").map(({ outputs }) => outputs);
      expect(Math.max(...commits)).toBeLessThanOrEqual(501);
      expect(commits.reduce((sum, outputs) => sum + outputs, 0)).toBe(1_201);
    },
  );

  it("of a hot key hold all of its records, whatever memory holds", async () => {
    const top = bench();
    const input = Array.from({ length: 8_000 }, (_, i) => at(Math.floor(i / 1_000), i % 100 === 0 ? `k${i}` : "hot"));
    await top.send(readings, input);
    await top.complete(top.app("app", options), windowed(window(tumbling("1 day"), n, { grace: "0 s" })));
    const found = await top.read(rows);
    expect(found).toHaveLength(81);
    expect(found.find(({ value }) => value.key === "hot")?.value.value).toEqual({ n: 7_920 });
  });
});

describe("a record that is late for all of its windows", () => {
  const late = items("late", { partitions: 2 });
  const input = [at(1), at(5, "b"), at(61), at(2, "a", 7), at(3, "b", 8), at(62)];

  it("goes to a topic, with its key and its time, where windows of another kind take it", async () => {
    const top = bench();
    await top.send(readings, input);
    const first = windowed(window(tumbling("10 s"), n, { grace: "0 s", lateTo: late }));
    const Late = t.type({ key: t.string, n: t.number });
    const lateRows = topic("late-rows", { codec: json(Late), key: null, partitions: 1 });
    const second = pipeline(
      "second",
      stream(late).pipe(
        window(tumbling("1 h"), { ns: distinct((item) => String(item.n)) }, { grace: "0 s" }),
        map(({ key, value }) => lateRows.of({ key, n: Number(value.ns.join("")) })),
        sink(lateRows),
      ),
    );
    await top.complete(top.app(), [first, second]);
    const found = await top.read(late);
    expect(found.map(({ key, timestamp, value }) => `${key} ${timestamp} ${value.n}`).toSorted()).toEqual([
      "a 2000 7",
      "b 3000 8",
    ]);
    expect((await top.read(lateRows)).map(({ value }) => `${value.key} ${value.n}`).toSorted()).toEqual(["a 7", "b 8"]);
    expect(pick(top.events, "LateRecord").map(({ windows }) => windows)).toEqual([1, 1]);
    // Each record is an output of the commit that acknowledges it: none is lost, none comes twice.
    expect(texts(await top.read(rows))).toEqual(['a 0-10 {"n":1}', 'b 0-10 {"n":1}', 'a 60-70 {"n":2}']);
  });

  it("is given to a function, with what is known of it", async () => {
    const top = bench();
    await top.send(readings, input);
    const given: string[] = [];
    const lateTo = (item: Item, { key, timestamp }: { key: string; timestamp: number }): void => {
      given.push(`${key} ${timestamp} ${item.n}`);
    };
    await top.complete(top.app(), windowed(window(tumbling("10 s"), n, { grace: "0 s", lateTo })));
    expect(given).toEqual(["a 2000 7", "b 3000 8"]);
  });

  it.each([
    ["skip", 1, []],
    ["deadLetter", 0, ["a 2000"]],
  ] as const)("for which that function throws, under %j", async (onError, skipped, letters) => {
    const top = bench();
    await top.send(readings, input);
    const lateTo = (item: Item): void => {
      if (item.key === "a") {
        throw new RangeError("no");
      }
    };
    const app = top.app();
    const plan = windowed(window(tumbling("10 s"), n, { grace: "0 s", lateTo, onError }));
    await top.complete(app, plan);
    expect(texts(await top.read(rows))).toEqual(['a 0-10 {"n":1}', 'b 0-10 {"n":1}', 'a 60-70 {"n":2}']);
    // It is not counted as late: it was not told.
    expect(pick(top.events, "LateRecord")).toHaveLength(1);
    expect(pick(top.events, "Skipped")).toHaveLength(skipped);
    const found = onError === "skip" ? [] : await top.settle(app.deadLetters(plan).list());
    expect(found.map(({ key, timestamp }) => `${key} ${timestamp}`)).toEqual(letters);
  });

  it("of one window is counted in the next", async () => {
    const top = bench();
    await top.send(readings, [at(9), at(12), at(8), at(9.5)]);
    await top.complete(top.app(), windowed(window(hopping("10 s", "5 s"), n, { grace: "0 s" })));
    expect(texts(await top.read(rows))).toEqual(['a 0-10 {"n":1}', 'a 5-15 {"n":4}', 'a 10-20 {"n":1}']);
    expect(pick(top.events, "LateRecord").map(({ windows }) => windows)).toEqual([1, 1]);
  });
});

describe("a running aggregate", () => {
  it("forgets a key that has had no record for its ttl, and begins anew", async () => {
    const top = bench();
    await top.send(readings, [at(1), at(2), at(30, "b"), at(40), at(41)]);
    const results: string[] = [];
    const all = fold<Item, number>(0, (sum, item) => sum + item.n);
    const plan = pipeline(
      "p",
      stream(readings).pipe(
        aggregate({ all }, { ttl: "20 s" }),
        map(({ key, value }) => {
          results.push(`${key} ${value.all}`);
          return at(0);
        }),
        sink(items("told")),
      ),
    );
    await top.complete(top.app(), plan);
    expect(results).toEqual(["a 1", "a 2", "b 1", "a 1", "a 2"]);
  });
});
