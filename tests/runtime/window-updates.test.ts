/** Results of windows that are still open, told with each change or now and then, from a topic to a topic. */
import {
  type Clock,
  count,
  createApp,
  type Emit,
  every,
  map,
  pipeline,
  session,
  sink,
  stream,
  tumbling,
  type WindowSpec,
  window,
} from "@millrace/core";
import { describe, expect, it } from "vitest";
import { bench, type Item, items } from "./support/bench-top.ts";
import { at, readings, rows, texts, watched, windowed } from "./support/window-bench.ts";
import { pick } from "./support/workers.ts";

const n = { n: count() };
const PLACES = [
  ["in memory", {}],
  ["in the store", { limits: { maxStateBytes: 1 } }],
] as const;

describe.each(PLACES)('results with emit "updates" of state that is %s', (_where, options) => {
  it("come with each change, count them, and are not said again at the close", async () => {
    const top = bench();
    await top.send(readings, [at(1), at(2, "b"), at(3), at(11), at(4), at(30)]);
    const plan = windowed(window(tumbling("10 s"), n, { grace: "5 s", emit: "updates" }));
    await top.complete(top.app("app", options), plan);
    expect(texts(await top.read(rows))).toEqual([
      'a 0-10 {"n":1}',
      'b 0-10 {"n":1}',
      'a 0-10 {"n":2} #2',
      'a 10-20 {"n":1}',
      'a 0-10 {"n":3} #3',
      'a 30-40 {"n":1}',
    ]);
  });

  it("of sessions take back the bounds that are no more", async () => {
    const top = bench();
    await top.send(readings, [at(0), at(1), at(20), at(10.5), at(10.6)]);
    const plan = windowed(window(session("10 s"), n, { grace: "1 h", emit: "updates" }));
    await top.complete(top.app("app", options), plan);
    const found = await top.read(rows);
    expect(texts(found)).toEqual([
      'a 0-0.001 {"n":1}',
      "a 0-0.001 null #2",
      'a 0-1.001 {"n":2} #2',
      'a 20-20.001 {"n":1}',
      "a 0-1.001 null #3",
      "a 20-20.001 null #2",
      'a 0-20.001 {"n":4} #3',
      'a 0-20.001 {"n":5} #4',
    ]);
    expect(new Set(found.map(({ value }) => value.id)).size).toBe(found.length);
  });
});

describe.each(PLACES)("results with emit every(…) of state that is %s", (_where, options) => {
  const perTenMinutes = windowed(window(tumbling("10 minutes"), n, { grace: "0 s", emit: every("5 s") }));

  it("come so long after a change, one for all changes until then, by the clock alone", async () => {
    const top = bench();
    const seen = watched(top, rows);
    const running = await top.settle(top.app("app", options).run(perTenMinutes));
    await top.send(readings, [at(1), at(2), at(3, "b")], { end: false });
    await top.clock.advance(4_000);
    expect(texts(seen)).toEqual([]);
    await top.clock.advance(2_000);
    expect(texts(seen)).toEqual(['a 0-600 {"n":2} #2', 'b 0-600 {"n":1}']);
    // Nothing has changed: nothing is said.
    await top.clock.advance(60_000);
    expect(seen).toHaveLength(2);
    await top.send(readings, [at(4)], { end: false });
    await top.clock.advance(6_000);
    expect(texts(seen).slice(2)).toEqual(['a 0-600 {"n":3} #3']);
    await top.settle(running.stop());
  });

  it("are not forgotten when the worker ends before they are due", async () => {
    const top = bench();
    const seen = watched(top, rows);
    const first = await top.settle(top.app("app", options).run(perTenMinutes));
    await top.send(readings, [at(1), at(2), at(3, "b")], { end: false });
    await top.clock.advance(1_000);
    await top.settle(first.stop());
    expect(seen).toEqual([]);
    const second = await top.settle(top.app("app", options).run(perTenMinutes));
    await top.clock.advance(6_000);
    expect(texts(seen)).toEqual(['a 0-600 {"n":2} #2', 'b 0-600 {"n":1}']);
    await top.settle(second.stop());
    // What was said is not said again by whoever comes next.
    const third = await top.settle(top.app("app", options).run(perTenMinutes));
    await top.clock.advance(20_000);
    expect(seen).toHaveLength(2);
    await top.settle(third.stop());
  });

  it("come when the window closes first, and not a second time", async () => {
    const top = bench();
    const seen = watched(top, rows);
    const running = await top.settle(top.app("app", options).run(perTenMinutes));
    await top.send(readings, [at(1), at(2), at(601)], { end: false });
    await top.clock.advance(1_000);
    expect(texts(seen)).toEqual(['a 0-600 {"n":2} #2']);
    await top.clock.advance(30_000);
    expect(texts(seen)).toEqual(['a 0-600 {"n":2} #2', 'a 600-1200 {"n":1}']);
    await top.settle(running.stop());
  });

  it("of sessions take back what was told and is no more, and only that", async () => {
    const top = bench();
    const seen = watched(top, rows);
    const told = windowed(window(session("10 s"), n, { grace: "1 h", emit: every("5 s") }));
    const running = await top.settle(top.app("app", options).run(told));
    await top.send(readings, [at(0), at(20)], { end: false });
    await top.clock.advance(7_000);
    expect(texts(seen)).toEqual(['a 0-0.001 {"n":1}', 'a 20-20.001 {"n":1}']);
    await top.send(readings, [at(5), at(12)], { end: false });
    await top.clock.advance(7_000);
    expect(texts(seen).slice(2)).toEqual(["a 0-0.001 null #2", "a 20-20.001 null #2", 'a 0-20.001 {"n":4} #3']);
    await top.settle(running.stop());
  });

  it("come for 1,200 keys in several commits", async () => {
    const top = bench();
    const seen = watched(top, rows);
    const running = await top.settle(top.app("app", options).run(perTenMinutes));
    const many = Array.from({ length: 1_200 }, (_, i) => at(1, `k${i}`));
    await top.send(readings, many, { end: false });
    await top.clock.advance(10_000);
    expect(new Set(seen.map(({ value }) => value.key)).size).toBe(1_200);
    expect(seen).toHaveLength(1_200);
    expect(Math.max(...pick(top.events, "Committed").map(({ outputs }) => outputs))).toBeLessThanOrEqual(501);
    await top.settle(running.stop());
  });
});

describe("a clock that goes back", () => {
  it("does not keep what has changed untold for as long as it went back", async () => {
    const top = bench();
    const seen = watched(top, rows);
    const plan = windowed(window(tumbling("10 minutes"), n, { grace: "0 s", emit: every("5 s") }));
    const first = await top.settle(top.app().run(plan));
    await top.send(readings, [at(1)], { end: false });
    await top.clock.advance(1_000);
    await top.settle(first.stop());
    // The next worker's clock is an hour behind.
    const clock: Clock = { now: () => top.clock.now() - 3_600_000, after: (ms, act) => top.clock.after(ms, act) };
    const second = await top.settle(createApp({ name: "app", adapter: top.adapter, clock }).run(plan));
    await top.clock.advance(20_000);
    expect(texts(seen)).toEqual(['a 0-600 {"n":1}']);
    await top.settle(second.stop());
  });
});

describe("a session that never ends", () => {
  it("tells its length, while its entry stays small", async () => {
    const top = bench();
    const total = 100_000;
    const app = top.app("app", { limits: { maxStateBytes: 1_000 } });
    const endless = window<Item, { n: number }, string, WindowSpec, Emit>(session("10 s"), n, {
      grace: "0 s",
      name: "endless",
      emit: every("5 s"),
    });
    const ends: string[] = [];
    const telling = pipeline(
      "windowed",
      stream(readings).pipe(
        endless,
        map((result) => {
          ends.push(`${result.end} ${result.value?.n ?? "over"}`);
          return at(0);
        }),
        sink(items("told")),
      ),
    );
    const running = await top.settle(app.run(telling));
    const input = Array.from({ length: total }, (_, i) => at(i));
    await top.send(readings, input, { end: false });
    await top.caughtUp(running, total);
    const open = await top.settle(app.queryStore(telling, "endless", "a"));
    expect(open).toEqual([{ key: "a", start: 0, end: (total - 1) * 1_000 + 1, revision: total, value: { n: total } }]);
    await top.clock.advance(6_000);
    expect(ends.at(-1)).toBe(`${(total - 1) * 1_000 + 1} ${total}`);
    await top.settle(running.stop());
  }, 20_000);
});
