/** Corners of policies, letters and commands, each found by somebody who tried to break them. */
import {
  type AppEvent,
  batch,
  type Call,
  count,
  map,
  mapOrdered,
  mapUnordered,
  pipeline,
  type RecordInfo,
  sink,
  sleep,
  stream,
  tumbling,
  window,
} from "@millrace/core";
import { describe, expect, it } from "vitest";
import { bench, type Item, items, rejection, sequence } from "./support/bench-top.ts";

const source = items("source", { partitions: 1 });
const copy = items("copy", { partitions: 1 });

/** An operator's function that fails for some numbers, while it is broken. */
function breakable(bad: (n: number) => boolean) {
  const state = { isBroken: true };
  const check = (item: Item): Item => {
    if (state.isBroken && bad(item.n)) {
      throw new RangeError(`no ${item.n}`);
    }
    return item;
  };
  return { state, check };
}

const numbers = (records: readonly { readonly value: Item }[]): number[] => records.map(({ value }) => value.n);
const tagged = <T extends AppEvent["_tag"]>(events: readonly AppEvent[], tag: T) =>
  events.filter((event): event is Extract<AppEvent, { readonly _tag: T }> => event._tag === tag);

describe("idempotency keys", () => {
  it("differ between operators of one kind, and stay the same when one gets a policy", async () => {
    const keysWith = async (onError: "fail" | "skip" | "deadLetter"): Promise<string[]> => {
      const { app, send, complete } = bench();
      const keys: string[] = [];
      const noting = async (item: Item, _record: RecordInfo, call: Call): Promise<Item> => {
        keys.push(call.idempotencyKey.replace(/\/[^/]+\/source\//, "/…/source/").replace(/\d+-\d+/, "id"));
        return item;
      };
      await send(source, sequence(1));
      const named = { onError, ...(onError === "deadLetter" ? { name: "source.mapOrdered" } : {}) };
      await complete(
        app(),
        pipeline("copy", stream(source).pipe(mapOrdered(noting, named), mapOrdered(noting), sink(copy))),
      );
      return keys;
    };
    const [first, second] = await keysWith("fail");
    expect(first).not.toBe(second);
    expect(await keysWith("skip")).toEqual([first, second]);
    expect(await keysWith("deadLetter")).toEqual([first, second]);
  });
});

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

describe("letters of an earlier version of the pipeline", () => {
  it("are refused to be left behind in another topic", async () => {
    const { app, send, settle, caughtUp } = bench();
    const worker = app();
    const { check } = breakable((n) => n === 1);
    await send(source, sequence(3), { end: false });
    const before = await settle(
      worker.run(pipeline("copy", stream(source).pipe(map(check, { onError: "park" }), sink(copy)))),
    );
    await caughtUp(before, 3);
    await settle(before.stop());
    const moved = map(check, { onError: "park", deadLetters: { topic: "elsewhere" } });
    const after = await settle(worker.run(pipeline("copy", stream(source).pipe(moved, sink(copy)))));
    expect(await rejection(settle(after.done))).toMatchObject({
      _tag: "StateMismatch",
      message: expect.stringContaining('are open in topic "app.copy.source.dead-letters"'),
    });
  });

  it("are told of when their operator is gone", async () => {
    const { app, send, settle, caughtUp, events, clock } = bench();
    const worker = app();
    const { check } = breakable((n) => n === 1);
    await send(source, sequence(3), { end: false });
    const before = await settle(
      worker.run(pipeline("copy", stream(source).pipe(map(check, { onError: "deadLetter" }), sink(copy)))),
    );
    await caughtUp(before, 3);
    await settle(before.stop());
    const renamed = map(check, { onError: "deadLetter", name: "renamed" });
    const after = await settle(worker.run(pipeline("copy", stream(source).pipe(renamed, sink(copy)))));
    await settle(sleep(clock, 1_000));
    expect(tagged(events, "LettersOrphaned")).toMatchObject([{ node: "source.map", open: 1 }]);
    await settle(after.stop());
  });

  it("cannot be parked where the order of keys is given up: values do not leave twice", async () => {
    const { app, send, settle, caughtUp } = bench();
    const worker = app();
    const { check } = breakable((n) => n === 1);
    await send(source, sequence(9), { end: false });
    const name = "check";
    const before = await settle(
      worker.run(pipeline("copy", stream(source).pipe(map(check, { onError: "park", name }), sink(copy)))),
    );
    await caughtUp(before, 9);
    await settle(before.stop());
    const unordered = mapUnordered(async (item: Item) => item, { onError: "deadLetter", name });
    const after = await settle(worker.run(pipeline("copy", stream(source).pipe(unordered, sink(copy)))));
    expect(await rejection(settle(after.done))).toMatchObject({ _tag: "StateMismatch" });
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

describe("a policy that cannot keep its promise is refused:", () => {
  it("park behind a batch", () => {
    const plan = stream(source).pipe(
      batch(2, { within: "1 s" }),
      mapOrdered(async (values: readonly Item[]) => values[0] ?? { key: "", n: 0, at: 0 }, { onError: "park" }),
      sink(copy),
    );
    expect(() => pipeline("copy", plan)).toThrow(/parks keys, which needs records in order that have a key/);
  });

  it("one dead-letter topic for parts with different numbers of partitions", async () => {
    const { app, settle } = bench();
    const other = items("other", { partitions: 2 });
    const dead = { onError: "deadLetter", deadLetters: { topic: "dead" } } as const;
    const plan = pipeline(
      "copy",
      stream(source).pipe(
        map((item) => item, { ...dead, name: "a" }),
        sink(copy),
      ),
      stream(other).pipe(
        map((item) => item, { ...dead, name: "b" }),
        sink(copy),
      ),
    );
    expect(await rejection(settle(app().run(plan)))).toMatchObject({
      _tag: "InvalidPipeline",
      message: expect.stringContaining(
        'topic "dead" would have 1 partitions for one part of the pipeline, and 2 for another',
      ),
    });
  });
});

describe("onError", () => {
  it("that answers nonsense stops its own task only, and says what it answered", async () => {
    const { app, send, settle, clock, events } = bench();
    const { check } = breakable((n) => n === 1);
    const nonsense = map(check, { onError: (() => undefined) as never });
    await send(source, sequence(3), { end: false });
    const running = await settle(
      app("app", { restart: {} }).run(pipeline("copy", stream(source).pipe(nonsense, sink(copy)))),
    );
    await settle(sleep(clock, 1_000));
    expect(running.status()).toMatchObject([{ state: "restarting" }]);
    expect(tagged(events, "Restarting")[0]?.error.message).toContain("onError answered undefined");
    await settle(running.stop());
  });

  it("is asked about errors whose name throws", async () => {
    const { app, send, complete, read } = bench();
    const hostile = Object.defineProperty(new Error("x"), "name", {
      get: () => {
        throw new Error("no name");
      },
    });
    const failing = map(
      (item: Item): Item => {
        if (item.n === 1) {
          throw hostile;
        }
        return item;
      },
      { onError: "deadLetter" },
    );
    await send(source, sequence(3));
    await complete(app(), pipeline("copy", stream(source).pipe(failing, sink(copy))));
    expect(numbers(await read(copy))).toEqual([0, 2]);
  });
});

describe("the input of a letter", () => {
  it("is not written where nobody could make it again: the task says so and loses nothing", async () => {
    class Money {
      readonly cents = 5;
    }
    const { app, send, settle, clock, events } = bench();
    const plan = pipeline(
      "copy",
      stream(source).pipe(
        map((item) => ({ item, price: new Money() })),
        map(
          ({ item }): Item => {
            throw new RangeError(`no ${item.n}`);
          },
          { onError: "deadLetter", name: "second" },
        ),
        sink(copy),
      ),
    );
    await send(source, sequence(1), { end: false });
    const running = await settle(app("app", { restart: {} }).run(plan));
    await settle(sleep(clock, 500));
    expect(running.status()).toMatchObject([{ state: "restarting", processed: 0 }]);
    expect(tagged(events, "Restarting")[0]?.error.message).toContain("cannot be written as a dead letter (price:");
    await settle(running.stop());
  });
});
