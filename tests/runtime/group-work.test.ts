/** What sharing must not change: time, completion, limits; and what the workers tell of it. */
import { count, map, mapOrdered, pipeline, sink, stream, tumbling, window } from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";
import { bench, type Item, items, sequence } from "./support/bench-top.ts";
import { pick, slow, workerOf } from "./support/workers.ts";

const source = items("source", { partitions: 8 });
const copy = items("copy", { partitions: 1 });
const plain = pipeline("copy", stream(source).pipe(sink(copy)));

describe("a worker that leaves", () => {
  it("goes on with its tasks until the others are to have them, and then hands them over (M9)", async () => {
    const top = bench();
    const plan = pipeline("copy", stream(source).pipe(slow(top, 20), sink(copy)));
    await top.send(source, sequence(4_000, 40));
    const [first, second] = [workerOf(top), workerOf(top)];
    await top.settle(Promise.all([first.app.run(plan), second.app.run(plan)]));
    await top.clock.advance(500);
    await top.settle(first.app.close());
    await top.clock.advance(100);
    expect(pick(first.events, "RebalanceStarted").at(-1)?.given).toHaveLength(4);
    expect(pick(first.events, "Lost")).toEqual([]);
    const pauses = pick(second.events, "Assigned")
      .slice(4)
      .map(({ pausedMs }) => pausedMs);
    expect(pauses).toHaveLength(4);
    expect(Math.max(...pauses.map((pausedMs) => pausedMs ?? Number.POSITIVE_INFINITY))).toBeLessThan(200);
  });
});

describe("a task with event time that is given up before it has read anything", () => {
  it("is given up at once", async () => {
    const top = bench();
    const counted = window<Item, { n: number }>(tumbling("10 s"), { n: count() }, { by: () => "all", grace: "0 s" });
    const plan = pipeline(
      "copy",
      stream(source).pipe(
        counted,
        map((w) => copy.of({ key: "all", n: w.value.n, at: w.start })),
        sink(copy),
      ),
    );
    await top.send(source, sequence(100, 40), { end: false });
    const first = await top.settle(workerOf(top).app.run(plan));
    await top.clock.advance(2_000);
    await top.settle(first.stop());
    const again = workerOf(top);
    const running = await top.settle(again.app.run(plan));
    while (pick(again.events, "Assigned").length === 0) {
      await top.clock.advance(1);
    }
    const startMs = top.clock.now();
    await top.settle(running.stop());
    expect(top.clock.now() - startMs).toBeLessThan(500);
    expect(pick(again.events, "Lost")).toEqual([]);
  });
});

describe("a group whose workers know different parts", () => {
  it("is complete when all parts are, not when those of one worker are", async () => {
    const top = bench();
    const extra = items("extra", { partitions: 2 });
    const wider = pipeline("copy", stream(source).pipe(sink(copy)), stream(extra).pipe(sink(copy)));
    await top.send(source, sequence(50, 20));
    await top.send(extra, sequence(10, 20), { end: false });
    const [old, young] = [workerOf(top), workerOf(top)];
    const runs = await top.settle(Promise.all([old.app.run(plain), young.app.run(wider)]));
    await top.clock.advance(30_000);
    expect([...pick(old.events, "Finished"), ...pick(young.events, "Finished")]).toEqual([]);
    await top.send(extra, [], { end: true });
    await top.settle(Promise.all(runs.map(({ done }) => done)));
    expect(await top.read(copy)).toHaveLength(60);
  });
});

describe("a task that was taken by somebody who does not ask", () => {
  it("is noticed at the next commit, taken back, and loses nothing (H9)", async () => {
    const top = bench();
    const plan = pipeline("copy", stream(source).pipe(slow(top, 20), sink(copy)));
    await top.send(source, sequence(4_000, 40));
    const { app, events } = workerOf(top);
    const running = await top.settle(app.run(plan));
    await top.clock.advance(500);
    const ports = await top.settle(top.adapter.open()());
    if (E.isLeft(ports)) {
      throw new Error(ports.left.message);
    }
    const { log, tasks } = ports.right;
    const topic = await top.settle(log.ensureTopic({ name: "source", partitions: null, defaultPartitions: 1 })());
    if (E.isLeft(topic)) {
      throw new Error(topic.left.message);
    }
    const { generation } = await top.settle(app.describeGroup("copy"));
    await top.settle(tasks.acquire({ group: "app.copy", topic: topic.right, partition: 0 }, generation)());
    await top.settle(running.done);
    expect(pick(events, "Fenced")).toMatchObject([{ task: "app.copy/source/0" }]);
    expect(pick(events, "Assigned").filter(({ task }) => task === "app.copy/source/0")).toHaveLength(2);
    const written = (await top.read(copy)).map(({ value }) => value.n);
    expect(written.toSorted((a, b) => a - b)).toEqual(sequence(4_000).map(({ n }) => n));
  });
});

describe("a worker's limits", () => {
  it("are shared by the tasks that it has", async () => {
    const top = bench();
    const never = pipeline(
      "copy",
      stream(source).pipe(
        mapOrdered(() => new Promise<Item>(() => {}), { lane: "none" }),
        sink(copy),
      ),
    );
    await top.send(source, sequence(24_000, 400));
    const worker = workerOf(top, {}, { limits: { maxRecords: 8_000 } });
    const running = await top.settle(worker.app.run(never));
    await top.clock.advance(2_000);
    const read = running.status().reduce((sum, { processed }) => sum + processed, 0);
    expect(read).toBeGreaterThan(7_000);
    expect(read).toBeLessThanOrEqual(8_000 + 8 * 500);
    await top.settle(running.stop({ within: "100 ms" }));
  });
});

describe("windows behind a writer that has stepped aside", () => {
  it("are not held back by a worker that joins", async () => {
    const top = bench();
    // Of two partitions one has a record now and then, the other one never had.
    const quiet = items("quiet", { partitions: 2, key: () => "one", idle: "5 s" });
    const middle = items("middle", { partitions: 1 });
    const first = pipeline("first", stream(quiet).pipe(sink(middle)));
    const counted = window<Item, { n: number }>(tumbling("10 s"), { n: count() }, { by: () => "all", grace: "0 s" });
    const totals = items("totals", { partitions: 1 });
    const second = pipeline(
      "second",
      stream(middle).pipe(
        counted,
        map((w) => totals.of({ key: "all", n: w.value.n, at: w.start })),
        sink(totals),
      ),
    );
    const one = workerOf(top);
    await top.settle(one.app.run([first, second]));
    await top.send(quiet, sequence(25, 1), { end: false });
    await top.clock.advance(20_000);
    const closed = (await top.read(totals)).length;
    expect(closed).toBeGreaterThan(0);
    await top.settle(workerOf(top).app.run([first, second]));
    await top.clock.advance(2_000);
    await top.send(quiet, sequence(60, 1).slice(25), { end: false, id: "later" });
    await top.clock.advance(20_000);
    expect((await top.read(totals)).length).toBeGreaterThan(closed);
  });
});
