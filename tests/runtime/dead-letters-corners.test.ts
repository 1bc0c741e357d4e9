/** Corners of policies, letters and commands, each found by somebody who tried to break them. */
import { count, map, mapOrdered, pipeline, sink, sleep, stream, tumbling, window } from "@millrace/core";
import { describe, expect, it } from "vitest";
import { bench, type Item, items, sequence } from "./support/bench-top.ts";

import { breakable, numbers, tagged } from "./support/breakable.ts";

const source = items("source", { partitions: 1 });
const copy = items("copy", { partitions: 1 });

describe("what was asked of a task that fails", () => {
  it("is done before its next record is read, so that the remedy for too many parked keys works", async () => {
    const { app, send, settle, caughtUp, clock } = bench();
    const worker = app("app", { restart: {} });
    const { check } = breakable(() => true);
    const parking = pipeline("copy", stream(source).pipe(map(check, { onError: "park" }), sink(copy)));
    await send(source, sequence(1_001, 1_001), { end: false });
    const running = await settle(worker.run(parking));
    await settle(sleep(clock, 10_000));
    expect(running.status()).toMatchObject([{ state: "restarting", processed: 1_000 }]);
    expect(await settle(worker.deadLetters(parking).discard({ all: true }))).toMatchObject({ done: 1_000 });
    await caughtUp(running, 1_001);
    await settle(running.stop());
  });

  it("is ignored where this version does not understand it, and stops nothing", async () => {
    const { adapter, app, send, settle, caughtUp, clock } = bench();
    const worker = app("app", { restart: {} });
    const { check } = breakable((n) => n === 1);
    const plan = pipeline("copy", stream(source).pipe(map(check, { onError: "deadLetter" }), sink(copy)));
    await send(source, sequence(3), { end: false });
    const running = await settle(worker.run(plan));
    await caughtUp(running, 3);
    const opened = await settle(adapter.open()());
    if (opened._tag === "Left") {
      throw new Error("not open");
    }
    const { log } = opened.right;
    const control = await settle(
      log.ensureTopic({ name: "app.copy.source.control", partitions: null, defaultPartitions: 1 })(),
    );
    if (control._tag === "Left") {
      throw new Error("no topic");
    }
    const payloads = [
      "rubbish",
      '{"id":"a","action":"discard","select":{"ids":5}}',
      '{"id":"b","action":"discard","select":{"later":1}}',
    ];
    const records = payloads.map((payload) => ({ key: "", timestampMs: 0, payload, headers: {}, watermarkMs: null }));
    const request = { topic: control.right, partition: 0, producer: "x", ephemeral: true, firstSequence: 0, records };
    await settle(log.append(request)());
    await settle(sleep(clock, 2_000));
    expect(running.status()).toMatchObject([{ state: "running" }]);
    expect(await settle(worker.deadLetters(plan).list())).toHaveLength(1);
    await settle(running.stop());
  });

  it("of several askers at once is answered to each, also when the input ends meanwhile", async () => {
    const { app, send, settle, caughtUp } = bench();
    const worker = app();
    const { check, state } = breakable(() => true);
    const plan = pipeline("copy", stream(source).pipe(map(check, { onError: "deadLetter" }), sink(copy)));
    await send(source, sequence(40), { end: false });
    const running = await settle(worker.run(plan));
    await caughtUp(running, 40);
    state.isBroken = false;
    const letters = worker.deadLetters(plan);
    const all = await settle(letters.list());
    const asked = Promise.all(all.map(({ id }) => letters.redrive({ ids: [id] })));
    await send(source, [], { end: true });
    const answers = await settle(asked);
    expect(answers.reduce((sum, { done }) => sum + done, 0)).toBe(40);
    await settle(running.done);
  });
});

describe("a quarantine", () => {
  it("of a window's result is entered once, also where other results had closed before it", async () => {
    const { app, send, settle, clock, events } = bench();
    const worker = app("app", { restart: {} });
    const plan = pipeline(
      "copy",
      stream(source).pipe(
        window(tumbling("1 hour"), { n: count() }, { grace: "0 s" }),
        map(
          (result) => {
            if (result.key === "k599") {
              throw new RangeError("no");
            }
            return { key: result.key, n: result.value.n, at: result.start };
          },
          { onError: "quarantine" },
        ),
        sink(copy),
      ),
    );
    const closing = { key: "z", n: 1, at: 7_200_000 };
    await send(
      source,
      [...sequence(600, 600), closing].map((item, n) => ({ ...item, at: n === 600 ? item.at : n })),
      { end: false },
    );
    const running = await settle(worker.run(plan));
    await settle(sleep(clock, 5_000));
    expect(running.status()).toMatchObject([{ state: "quarantined" }]);
    expect(tagged(events, "Quarantined")).toMatchObject([{ errors: [{ name: "RangeError", message: "no" }] }]);
    await settle(running.stop());
  });

  it("ends where the pipeline no longer has a policy that could", async () => {
    const { app, send, settle, clock, read } = bench();
    const worker = app("app", { restart: {} });
    const { check } = breakable((n) => n === 1);
    await send(source, sequence(3));
    const before = await settle(
      worker.run(pipeline("copy", stream(source).pipe(map(check, { onError: "quarantine" }), sink(copy)))),
    );
    await settle(sleep(clock, 3_000));
    expect(before.status()).toMatchObject([{ state: "quarantined" }]);
    await settle(before.stop());
    const after = await settle(
      worker.run(
        pipeline(
          "copy",
          stream(source).pipe(
            map((item) => item),
            sink(copy),
          ),
        ),
      ),
    );
    await settle(after.done);
    expect(numbers(await read(copy))).toEqual([0, 1, 2]);
  });

  it("on the way to which a worker is stopped is no failure of the worker", async () => {
    const { app, send, settle, clock } = bench();
    const { check } = breakable((n) => n === 200);
    const plan = pipeline(
      "copy",
      stream(source).pipe(
        mapOrdered(
          async (item) => {
            await sleep(clock, 5);
            return check(item);
          },
          { onError: "quarantine", concurrency: 1 },
        ),
        sink(copy),
      ),
    );
    await send(source, sequence(300), { end: false });
    const running = await settle(app().run(plan));
    await settle(sleep(clock, 1_100));
    await settle(running.stop());
    await settle(running.done);
    expect(running.status().length).toBeLessThanOrEqual(1);
  });
});

describe("a redrive", () => {
  it("goes on without letters that stop the task, tells why, and gives up where many do", async () => {
    const { app, send, settle, caughtUp, events } = bench();
    const worker = app("app", { restart: {} });
    const first = breakable(() => true);
    const second = breakable((n) => n >= 4);
    const plan = pipeline(
      "copy",
      stream(source).pipe(map(first.check, { onError: "deadLetter" }), map(second.check), sink(copy)),
    );
    await send(source, sequence(60), { end: false });
    const running = await settle(worker.run(plan));
    await caughtUp(running, 60);
    first.state.isBroken = false;
    const letters = worker.deadLetters(plan);
    expect(await settle(letters.redrive({ all: true }))).toEqual({ done: 4, remaining: 56, waiting: 0 });
    const failed = tagged(events, "RedriveFailed");
    expect(failed).toHaveLength(10);
    expect(failed.map(({ error }) => String(error))).toEqual(failed.map((_, n) => `RangeError: no ${n + 4}`));
    second.state.isBroken = false;
    expect(await settle(letters.redrive({ all: true }))).toEqual({ done: 56, remaining: 0, waiting: 0 });
    await settle(running.stop());
  });

  it("finds the one bad letter in a batch of an external sink", async () => {
    const { app, send, settle, caughtUp, events } = bench();
    const worker = app("app", { restart: {} });
    const { check, state } = breakable(() => true);
    const written: number[] = [];
    const write = async (values: readonly Item[]): Promise<void> => {
      if (values.some(({ n }) => n === 4)) {
        throw new RangeError("four");
      }
      written.push(...values.map(({ n }) => n));
    };
    const plan = pipeline("copy", stream(source).pipe(map(check, { onError: "deadLetter" }), sink(write)));
    await send(source, sequence(6), { end: false });
    const running = await settle(worker.run(plan));
    await caughtUp(running, 6);
    state.isBroken = false;
    expect(await settle(worker.deadLetters(plan).redrive({ all: true }))).toEqual({
      done: 5,
      remaining: 1,
      waiting: 0,
    });
    expect(new Set(written)).toEqual(new Set([0, 1, 2, 3, 5]));
    expect(tagged(events, "RedriveFailed")).toMatchObject([{ letter: "source.map/0/5" }]);
    await settle(running.stop());
  });

  it("judges a window's result late as the operator where it enters, not as the task", async () => {
    const { app, send, settle, clock, events, read } = bench();
    const worker = app();
    const { check, state } = breakable((n) => n === 1);
    const plan = pipeline(
      "copy",
      stream(source).pipe(
        window(tumbling("1 minute"), { n: count() }, { grace: "1 minute" }),
        map(({ key, start, value }) => ({ key, n: value.n, at: start })),
        map(check, { onError: "deadLetter" }),
        window(tumbling("2 minutes"), { n: count() }, { grace: "0 s", name: "outer" }),
        map(({ key, start, value }) => ({ key, n: value.n, at: start })),
        sink(copy),
      ),
    );
    const at = (ms: number): Item => ({ key: "a", n: 1, at: ms });
    await send(source, [at(0), at(125_000)], { end: false });
    const running = await settle(worker.run(plan));
    await settle(sleep(clock, 2_000));
    state.isBroken = false;
    expect(await settle(worker.deadLetters(plan).redrive({ all: true }))).toMatchObject({ done: 1 });
    expect(tagged(events, "LateRecord")).toEqual([]);
    await send(source, [at(600_000)], { end: true });
    await settle(running.done);
    expect((await read(copy)).find(({ value }) => value.at === 0)?.value.n).toBe(1);
  });
});
