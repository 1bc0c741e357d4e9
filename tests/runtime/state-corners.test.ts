/** State in odd situations: failures at the close, another `emit`, a tampered store, one hot key, many values of one record. */
import {
  type Adapter,
  aggregate,
  count,
  deduplicate,
  every,
  filter,
  flatMap,
  map,
  type Ports,
  pipeline,
  session,
  sink,
  sleep,
  stream,
  tap,
  tumbling,
  window,
} from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";
import { bench, type Item, items, rejection } from "./support/bench-top.ts";
import { tagged } from "./support/breakable.ts";
import { at, readings, rows, windowed } from "./support/window-bench.ts";

/** The adapter with another state store. */
function withState(inner: Adapter, change: (state: Ports["state"]) => Partial<Ports["state"]>): Adapter {
  return {
    name: inner.name,
    open: () => async () =>
      E.map((ports: Ports) => ({ ...ports, state: { ...bound(ports.state), ...change(ports.state) } }))(
        await inner.open()(),
      ),
  };
}

function bound(state: Ports["state"]): Ports["state"] {
  return {
    scan: (task, store, cursor) => state.scan(task, store, cursor),
    get: (task, store, keys) => state.get(task, store, keys),
    due: (task, store, range) => state.due(task, store, range),
    drop: (task, store) => state.drop(task, store),
  };
}

const failsFor = (bad: string) => ({
  name: "fails",
  init: () => "",
  add: (_: string, { key }: Item) => key,
  out: (key: string) => {
    if (key === bad) {
      throw new RangeError("no result");
    }
    return key;
  },
});

describe("a result that cannot be made when its window closes", () => {
  const three = [at(1, "a"), at(1, "b"), at(1, "c"), at(30, "z")];

  it("is left out under skip, and told; the others come", async () => {
    const top = bench();
    await top.send(readings, three);
    const op = window(tumbling("10 s"), { key: failsFor("b") }, { grace: "0 s", onError: "skip", name: "per-ten" });
    await top.complete(top.app(), windowed(op));
    expect((await top.read(rows)).map(({ value }) => value.key)).toEqual(["a", "c", "z"]);
    expect(tagged(top.events, "Skipped")).toMatchObject([{ node: "per-ten", id: "per-ten/b/0" }]);
  });

  it("has the task wait under quarantine, until it is repaired", async () => {
    const top = bench();
    await top.send(readings, three);
    let bad = "b";
    const fails = { ...failsFor("b"), out: (key: string) => failsFor(bad).out(key) };
    const op = window(tumbling("10 s"), { key: fails }, { grace: "0 s", onError: "quarantine", name: "per-ten" });
    const plan = windowed(op);
    const app = top.app();
    const running = await top.settle(app.run(plan));
    await top.clock.advance(5_000);
    expect(tagged(top.events, "Quarantined")).toHaveLength(1);
    expect(await top.read(rows)).toEqual([]);
    bad = "";
    await top.settle(app.resume(plan));
    await top.settle(running.done);
    expect((await top.read(rows)).map(({ value }) => value.key)).toEqual(["a", "b", "c", "z"]);
  });
});

it.each([
  ["final", "updates"],
  ["updates", "final"],
  ["every", "final"],
  ["every", "updates"],
] as const)(
  "open windows of emit %s are not taken over by %s: what was told of them would be doubled or lost",
  async (before, after) => {
    const top = bench();
    const plan = (emit: "final" | "updates" | "every"): ReturnType<typeof windowed> =>
      windowed(
        window(
          tumbling("1 h"),
          { n: count() },
          { grace: "0 s", name: "w", emit: emit === "every" ? every("1 h") : emit },
        ),
      );
    await top.send(readings, [at(1)], { end: false });
    const first = await top.settle(top.app().run(plan(before)));
    await top.caughtUp(first, 1);
    await top.settle(first.stop());
    expect(await rejection(top.settle(top.app().run(plan(after))))).toMatchObject({ _tag: "TopologyMismatch" });
  },
);

describe("a store that somebody has tampered with", () => {
  const many = Array.from({ length: 2_500 }, (_, n) => ({ key: `k${n}`, n, at: n }));
  const plan = windowed(window(tumbling("1 h"), { n: count() }, { grace: "0 s", name: "w" }));
  const started = async (change: (state: Ports["state"]) => Partial<Ports["state"]>): Promise<unknown> => {
    const top = bench();
    await top.send(readings, many, { end: false });
    const first = await top.settle(top.app().run(plan));
    await top.caughtUp(first, many.length);
    await top.settle(first.stop());
    const second = await top.settle(top.app("app", { adapter: withState(top.adapter, change) }).run(plan));
    return await rejection(top.settle(second.done));
  };

  it("so that no entry is found by its time is refused: windows would never close", async () => {
    const error = await started(() => ({ due: () => async () => E.right({ entries: [], nextMs: null }) }));
    expect(error).toMatchObject({
      _tag: "StateMismatch",
      message: expect.stringContaining('store "w" has entries') as string,
    });
  });

  it("so that an entry's key is that of no window names store and key", async () => {
    const error = await started((state) => ({
      scan: (task, store, cursor) => async () =>
        E.map((page: { readonly entries: readonly (readonly [string, string])[]; readonly cursor: string | null }) => ({
          ...page,
          entries: store === "w" ? [...page.entries, ["nonsense", "[1,{}]"] as const] : page.entries,
        }))(await state.scan(task, store, cursor)()),
    }));
    expect(error).toMatchObject({
      _tag: "DecodeError",
      message: 'store "w": the state of "nonsense" does not decode: its key names no window',
    });
  });
});

it.each([67_108_864, 1])(
  "2,000 sessions of one key close in their order, 500 in a commit (%i bytes of memory)",
  async (maxStateBytes) => {
    const top = bench();
    const source = items("old", { partitions: 1, outOfOrderness: "1 h" });
    const values = Array.from({ length: 2_000 }, (_, n) => ({ key: "hot", n, at: n * 10 }));
    await top.send(source, values);
    const plan = windowed(window(session("5 ms"), { n: count() }, { grace: "0 s", name: "s" }), stream(source));
    await top.complete(top.app("app", { limits: { maxStateBytes } }), plan);
    expect((await top.read(rows)).map(({ value }) => value.start)).toEqual(values.map((value) => value.at));
    expect(Math.max(...tagged(top.events, "Committed").map(({ outputs }) => outputs))).toBeLessThanOrEqual(500);
  },
);

it("windows that close while memory is short are read about once", async () => {
  const top = bench();
  const found = { entries: 0 };
  const adapter = withState(top.adapter, (state) => ({
    due: (task, store, range) => async () => {
      const page = await state.due(task, store, range)();
      found.entries += E.isRight(page) ? page.right.entries.length : 0;
      return page;
    },
  }));
  const values = Array.from({ length: 6_000 }, (_, n) => ({ key: `k${n}`, n, at: n }));
  await top.send(readings, values);
  const plan = windowed(window(tumbling("1 h"), { n: count() }, { grace: "0 s" }));
  await top.complete(top.app("app", { adapter, limits: { maxStateBytes: 1 } }), plan);
  expect(await top.read(rows)).toHaveLength(values.length);
  expect(found.entries).toBeLessThan(3 * values.length);
});

it("values that wait for state keep records from being read: memory stays within its limits", async () => {
  const top = bench();
  let most = 0;
  const adapter = withState(top.adapter, (state) => ({
    get: (task, store, keys) => async () => {
      most = Math.max(most, keys.length);
      await sleep(top.clock, 20);
      return await state.get(task, store, keys)();
    },
  }));
  let read = 0;
  let committed = 0;
  let ahead = 0;
  const values = Array.from({ length: 4_000 }, (_, n) => ({ key: "k", n, at: n }));
  await top.send(readings, values);
  const passed = items("passed", { partitions: 1 });
  const plan = pipeline(
    "spread",
    stream(readings).pipe(
      tap(() => {
        read += 1;
        ahead = Math.max(ahead, read - committed);
      }),
      flatMap((item) => Array.from({ length: 30 }, (_, part) => ({ ...item, key: `${item.n}/${part}` }))),
      deduplicate((item) => item.key, { within: "1 h" }),
      aggregate({ n: count() }),
      filter(({ value }) => value.n > 200_000),
      map(({ key, value }) => passed.of({ key, n: value.n, at: 0 })),
      sink(passed),
    ),
  );
  const app = top.app("app", { adapter, limits: { maxStateBytes: 1, maxBytes: 1 } });
  app.events$.subscribe((event) => {
    committed += event._tag === "Committed" ? event.records : 0;
  });
  await top.complete(app, plan);
  expect(committed).toBe(values.length);
  // What one read brings, and what came while the first values of it were read: not all 4,000.
  expect(ahead).toBeLessThan(1_100);
  // So many wait, and commits are on the same connection.
  expect(most).toBeGreaterThan(2_000);
  expect(most).toBeLessThanOrEqual(5_000);
});

it("deduplicate refuses an identity that would come back from the store as another one", async () => {
  const top = bench();
  await top.send(readings, [at(1)]);
  const passed = items("passed", { partitions: 1 });
  const half = deduplicate<Item>(() => "\ud83d", { within: "1 h" });
  const error = await rejection(top.complete(top.app(), pipeline("half", stream(readings).pipe(half, sink(passed)))));
  expect(error).toMatchObject({ message: expect.stringContaining("half of a surrogate pair") as string });
});
