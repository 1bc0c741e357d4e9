/** Corners of sharing that were once wrong. */
import { count, filter, limiter, map, mapOrdered, pipeline, sink, stream, tumbling, window } from "@millrace/core";
import { describe, expect, it } from "vitest";
import { type Bench, bench, type Item, items, rejection, sequence } from "./support/bench-top.ts";
import { faultyAdapter } from "./support/faulty-adapter.ts";
import { pick, workerOf } from "./support/workers.ts";

const source = items("source", { partitions: 4 });
const extra = items("extra", { partitions: 2 });
const copy = items("copy", { partitions: 1 });
const plain = pipeline("copy", stream(source).pipe(sink(copy)));
const wider = pipeline("copy", stream(source).pipe(sink(copy)), stream(extra).pipe(sink(copy)));

function wait(top: Bench, ms: number) {
  return mapOrdered(
    (item: Item) =>
      new Promise<Item>((resolve) => {
        top.clock.after(ms, () => resolve(item));
      }),
  );
}

describe("stopping", () => {
  it.each(["Assigned", "RebalanceFinished"] as const)("from a listener of %s ends, and stops the task", async (tag) => {
    const top = bench();
    await top.send(source, sequence(40, 8), { end: false });
    const { app, events } = workerOf(top);
    let closing: Promise<void> | null = null;
    app.events$.subscribe((event) => {
      if (event._tag === tag) {
        closing ??= app.close();
      }
    });
    const running = await top.settle(app.run(plain));
    await top.settle(running.done);
    expect(closing).not.toBeNull();
    expect(events.at(-1)).toMatchObject({ _tag: "Stopped" });
  });

  it("a task that has read all it may and begun nothing is no failure", async () => {
    const top = bench();
    const one = items("one", { partitions: 1 });
    const two = items("two", { partitions: 1 });
    const limit = limiter(1);
    await top.send(one, sequence(1, 1), { end: false });
    const hold = mapOrdered(() => new Promise<Item>(() => {}), { limit });
    await top.settle(workerOf(top).app.run(pipeline("holder", stream(one).pipe(hold, sink(copy)))));
    await top.clock.advance(500);
    await top.send(two, sequence(2_000, 2_000), { end: false });
    const waiting = mapOrdered(async (item: Item) => item, { limit });
    const worker = workerOf(top, {}, { limits: { maxRecords: 512 } });
    const running = await top.settle(worker.app.run(pipeline("waits", stream(two).pipe(waiting, sink(copy)))));
    await top.clock.advance(2_000);
    await top.settle(running.stop());
    await top.settle(running.done);
  });

  it("takes no longer than what was begun, behind two operators that wait", async () => {
    const top = bench();
    const even = filter((item: Item) => item.n % 2 === 0);
    const plan = pipeline("copy", stream(source).pipe(even, wait(top, 500), wait(top, 500), sink(copy)));
    const { app, events } = workerOf(top);
    const running = await top.settle(app.run(plan));
    await top.clock.advance(300);
    for (const n of [0, 1]) {
      await top.send(source, [{ key: "a", n, at: n }], { end: false });
    }
    await top.clock.advance(100);
    const startMs = top.clock.now();
    await top.settle(running.stop());
    expect(top.clock.now() - startMs).toBeLessThan(1_500);
    expect(pick(events, "Lost")).toEqual([]);
  });

  it("while it starts leaves no member behind", async () => {
    const top = bench();
    for (let ms = 0; ms < 40; ms += 2) {
      const latency = { clock: top.clock, maxMs: 20 };
      const adapter = faultyAdapter(top.adapter, { seed: ms, rate: 0, latency });
      const { app } = workerOf(top, {}, { adapter });
      const starting = app.run(plain);
      starting.catch(() => {});
      await top.clock.advance(ms);
      await top.settle(app.close());
      await top.settle(Promise.allSettled([starting]));
    }
    expect((await top.settle(top.app().describeGroup(plain))).members).toEqual([]);
  });

  it("twice resolves when the app is closed, both times", async () => {
    const top = bench();
    await top.send(source, [{ key: "a", n: 0, at: 0 }], { end: false });
    const { app, events } = workerOf(top);
    await top.settle(app.run(pipeline("copy", stream(source).pipe(wait(top, 2_000), sink(copy)))));
    await top.clock.advance(500);
    void app.close();
    await top.settle(app.close());
    expect(pick(events, "Stopped")).toHaveLength(1);
  });
});

describe("the same pipeline twice in one app", () => {
  it("is refused while it runs, and waits for one that stops", async () => {
    const top = bench();
    await top.send(source, sequence(40, 8), { end: false });
    const { app } = workerOf(top);
    const plan = pipeline("copy", stream(source).pipe(wait(top, 1_000), sink(copy)));
    const first = await top.settle(app.run(plan));
    await top.clock.advance(500);
    expect(await top.settle(rejection(app.run(plan)))).toMatchObject({ _tag: "InvalidPipeline" });
    void first.stop();
    const second = await top.settle(app.run(plan));
    await top.settle(first.done);
    await top.clock.advance(10_000);
    expect((await top.read(copy)).map(({ value }) => value.n).toSorted((a, b) => a - b)).toEqual(
      sequence(40).map(({ n }) => n),
    );
    await top.settle(second.stop());
  });
});

describe("a part of a pipeline that no worker has any more", () => {
  it("keeps the others from ending no longer, and may come back as something else", async () => {
    const top = bench();
    await top.send(source, sequence(40, 8));
    await top.send(extra, sequence(10, 8), { end: false });
    const old = workerOf(top);
    await top.settle(old.app.run(wider));
    const young = workerOf(top);
    const running = await top.settle(young.app.run(plain));
    await top.clock.advance(500);
    await top.settle(old.app.close());
    const stays = workerOf(top);
    await top.settle(running.done);
    const elsewhere = items("elsewhere", { partitions: 1 });
    const newer = pipeline("copy", stream(source).pipe(sink(copy)), stream(extra).pipe(sink(elsewhere)));
    await top.settle(stays.app.run(newer));
  });

  it("and one that joins while the others end is processed to its end", async () => {
    const top = bench();
    await top.send(source, sequence(40, 8));
    await top.send(extra, sequence(40, 8));
    const latency = { clock: top.clock, maxMs: 600 };
    const old = workerOf(top, {}, { adapter: faultyAdapter(top.adapter, { seed: 3, rate: 0, latency }) });
    const first = await top.settle(old.app.run(plain));
    while (pick(old.events, "Finished").length === 0) {
      await top.clock.advance(10);
    }
    const slow = pipeline("copy", stream(source).pipe(sink(copy)), stream(extra).pipe(wait(top, 500), sink(copy)));
    const second = await top.settle(workerOf(top).app.run(slow));
    await top.settle(Promise.all([first.done, second.done]));
    expect(await top.read(copy)).toHaveLength(80);
  });
});

describe("a task that comes to a worker in the middle of closing many windows", () => {
  it("goes on, also where what they become takes all that the task may hold", async () => {
    const top = bench();
    const one = items("one", { partitions: 1 });
    const big = items("big", { partitions: 1 });
    const plan = pipeline(
      "copy",
      stream(one).pipe(
        window(tumbling("1 minute"), { n: count() }, { grace: "0 s" }),
        map((w) => big.of({ key: `${w.key}${"x".repeat(3_000)}`, n: w.value.n, at: w.start })),
        sink(big),
      ),
    );
    const limits = { maxBytes: 1_048_576 };
    await top.send(
      one,
      sequence(2_600, 2_600).map((item) => ({ ...item, at: item.n % 1_000 })),
    );
    const adapter = faultyAdapter(top.adapter, { seed: 1, rate: 0 });
    const first = workerOf(top, { id: "w" }, { adapter, limits });
    first.app.events$.subscribe((event) => {
      if (event._tag === "Committed" && event.outputs > 0) {
        adapter.crash();
      }
    });
    await top.settle(first.app.run(plan));
    await top.clock.advance(3_000);
    const running = await top.settle(workerOf(top, { id: "w" }, { limits }).app.run(plan));
    await top.settle(running.done);
    expect(await top.read(big)).toHaveLength(2_600);
  });
});

describe("limits", () => {
  it.each([Number.NaN, 0, -1, "x" as unknown as number])("of %s records are refused", (maxRecords) => {
    expect(() => bench().app("app", { limits: { maxRecords } })).toThrow(/maxRecords/);
  });
});
