/** G5: what a task and a producer hold, and what one commit carries, is bounded, whatever the records are like. */
import {
  type App,
  type Commit,
  count,
  deduplicate,
  flatMap,
  hopping,
  json,
  type Limits,
  map,
  mapOrdered,
  type Pipeline,
  pipeline,
  sink,
  stream,
  type Topic,
  topic,
  window,
} from "@millrace/core";
import { memoryAdapter } from "@millrace/testing";
import * as t from "io-ts";
import { describe, expect, it } from "vitest";
import { type Bench, bench, Item, items, sequence } from "../runtime/support/bench-top.ts";
import { faultyAdapter } from "../runtime/support/faulty-adapter.ts";
import { spyAdapter } from "../runtime/support/random-pipelines/spy-adapter.ts";

const MEBIBYTE = 1_048_576;
const LARGE = "x".repeat(100_000);

const source = items("source", { partitions: 1 });
const texts = (name: string): Topic<string> => topic(name, { codec: json(t.string), key: () => "", partitions: 1 });
const input = texts("input");
const output = texts("output");

describe("a task reads no more", () => {
  it("when the records that its handlers work on take as many bytes as it may hold", async () => {
    const { app, send, settle, clock } = bench();
    const begun: string[] = [];
    const hanging = mapOrdered(
      (text: string) => {
        begun.push(text);
        return new Promise<string>(() => {});
      },
      { lane: "none", concurrency: 1_000 },
    );
    await send(
      input,
      Array.from({ length: 100 }, () => LARGE),
    );
    const plan = pipeline("copy", stream(input).pipe(hanging, sink(output)));
    const running = await settle(app("app", { limits: { maxBytes: 1 } }).run(plan));
    await clock.advance(5_000);
    expect(begun.length).toBeGreaterThan(5);
    expect(begun.length * LARGE.length).toBeLessThan(MEBIBYTE + 2 * LARGE.length);
    await settle(running.stop({ within: "0 s" }));
  });

  it("when what it has written and cannot commit takes as many bytes as it may hold", async () => {
    const top = bench();
    const adapter = faultyAdapter(top.adapter, { seed: 1, rate: 0 });
    let pushed = 0;
    const plan = pipeline(
      "grow",
      stream(source).pipe(
        map(() => {
          pushed += 1;
          return LARGE;
        }),
        sink(output),
      ),
    );
    const running = await top.settle(top.app("app", { adapter, limits: { maxBytes: 1 } }).run(plan));
    await top.clock.advance(500);
    adapter.cut("tasks");
    // One read brings a part of it only: what was read is pushed in any case.
    for (let n = 0; n < 400; n += 1) {
      await top.send(source, sequence(1), { end: false });
      await top.clock.advance(1);
    }
    expect(pushed).toBeGreaterThan(5);
    expect(pushed * LARGE.length).toBeLessThan(2 * MEBIBYTE);
    adapter.mend();
    await top.settle(running.stop());
  });

  it("when the values that wait for their state take as many bytes as it may hold", async () => {
    const top = bench();
    const adapter = faultyAdapter(top.adapter, { seed: 1, rate: 0 });
    let pushed = 0;
    const plan = pipeline(
      "wait",
      stream(source).pipe(
        flatMap((item) => {
          pushed += 1;
          return Array.from({ length: 10 }, (_, n) => ({ ...item, n: 10 * item.n + n }));
        }),
        deduplicate(({ n }) => `${n}${LARGE.slice(0, 5_000)}`, { within: "1 h" }),
        sink(topic("passed", { codec: json(Item), key: () => "", partitions: 1 })),
      ),
    );
    const app = top.app("app", { adapter, limits: { maxBytes: 1, maxStateBytes: 1 } });
    const running = await top.settle(app.run(plan));
    await top.send(source, sequence(1), { end: false });
    await top.caughtUp(running, 1);
    // What the first one needed is forgotten by now: the store is known in part only.
    adapter.cut("state");
    for (let n = 1; n < 60; n += 1) {
      await top.send(source, [{ key: "k", n, at: 0 }], { end: false });
    }
    expect(pushed).toBeGreaterThan(5);
    expect(pushed * 100_000).toBeLessThan(2 * MEBIBYTE);
    adapter.mend();
    await top.settle(running.stop());
  });
});

/** A worker whose commits are seen. */
function watched(limits: Limits): { readonly top: Bench; readonly commits: readonly Commit[]; readonly app: App } {
  const top = bench();
  const commits: Commit[] = [];
  const adapter = spyAdapter(top.adapter, (commit) => commits.push(commit));
  return { top, commits, app: top.app("app", { adapter, limits }) };
}

/** The commits of a pipeline that reads these values to their end. */
async function commitsOf(plan: Pipeline, values: readonly Item[]): Promise<readonly Commit[]> {
  const { top, commits, app } = watched({});
  await top.send(source, values);
  await top.complete(app, plan);
  return commits;
}

const most = (commits: readonly Commit[], of: (commit: Commit) => number): number => Math.max(...commits.map(of));
const written = ({ state }: Commit): number =>
  state.reduce((sum, { puts, deletes }) => sum + puts.length + deletes.length, 0);

describe("a commit carries no more than the store can take at once", () => {
  const many = items("many", { partitions: 1 });

  it("of outputs, where each record yields many", async () => {
    const plan = pipeline(
      "spread",
      stream(source).pipe(
        flatMap((item) => Array.from({ length: 50 }, (_, n) => ({ ...item, n }))),
        sink(many),
      ),
    );
    const commits = await commitsOf(plan, sequence(1_000));
    expect(
      most(commits, ({ outputs }) => outputs.reduce((sum, { records }) => sum + records.length, 0)),
    ).toBeLessThanOrEqual(500);
  });

  it("of changes of state, where each record changes many entries", async () => {
    const plan = pipeline(
      "windows",
      stream(source).pipe(
        window(hopping("50 s", "1 s"), { n: count() }, { grace: "1 h" }),
        map((w) => many.of({ key: w.key, n: w.value.n, at: w.start })),
        sink(many),
      ),
    );
    const values = Array.from({ length: 300 }, (_, n): Item => ({ key: `k${n}`, n, at: 0 }));
    expect(most(await commitsOf(plan, values), written)).toBeLessThanOrEqual(2_000);
  });

  it("of changes that had to wait for their state", async () => {
    const plan = pipeline(
      "identities",
      stream(source).pipe(
        flatMap((item) => Array.from({ length: 50 }, (_, n) => ({ ...item, n: 50 * item.n + n }))),
        deduplicate(({ n }) => String(n), { within: "1 h" }),
        sink(many),
      ),
    );
    const { top, commits, app } = watched({ maxStateBytes: 1 });
    const running = await top.settle(app.run(plan));
    const values = sequence(255, 1);
    // Units grow with what is done at once.
    for (let from = 0; from < values.length; from = 2 * from + 1) {
      await top.send(source, values.slice(from, 2 * from + 1), { end: false });
      await top.caughtUp(running, 2 * from + 1);
    }
    expect(most(commits, written)).toBeGreaterThan(500);
    expect(most(commits, written)).toBeLessThanOrEqual(2_000);
    await top.settle(running.stop());
  });
});

it("a producer takes no more than 10,000 values from its program while the store takes none", async () => {
  const { clock, app, settle } = bench();
  const full = memoryAdapter({ clock, maxBytesPerPartition: 1 });
  const producer = await settle(app("loader", { adapter: full }).producer(source));
  let taken = 0;
  function* values(): Iterable<Item> {
    for (const item of sequence(30_000)) {
      taken += 1;
      yield item;
    }
  }
  const sent = producer.sendAll(values()).catch(() => 0);
  await clock.advance(1_000);
  expect(taken).toBeGreaterThan(1_000);
  expect(taken).toBeLessThanOrEqual(11_000);
  expect(await Promise.race([sent, Promise.resolve("waits")])).toBe("waits");
});
