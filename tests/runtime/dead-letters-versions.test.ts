/** Policies over releases of a pipeline, and what is refused; each found by somebody who tried to break them. */
import {
  batch,
  type Call,
  map,
  mapOrdered,
  mapUnordered,
  pipeline,
  type RecordInfo,
  sink,
  sleep,
  stream,
} from "@millrace/core";
import { describe, expect, it } from "vitest";
import { bench, type Item, items, rejection, sequence } from "./support/bench-top.ts";

import { breakable, numbers, tagged } from "./support/breakable.ts";

const source = items("source", { partitions: 1 });
const copy = items("copy", { partitions: 1 });

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

  it("come from workers that share a group with others that have no policy, as in a rolling restart", async () => {
    const { app, send, settle, caughtUp } = bench();
    const wide = items("wide", { partitions: 4 });
    const { check } = breakable((n) => n === 1);
    const [old, next] = [app(), app()];
    const before = await settle(
      old.run(
        pipeline(
          "copy",
          stream(wide).pipe(
            map((item) => item),
            sink(copy),
          ),
        ),
      ),
    );
    const withPolicy = pipeline("copy", stream(wide).pipe(map(check, { onError: "deadLetter" }), sink(copy)));
    const after = await settle(next.run(withPolicy));
    await settle(before.stop());
    await send(wide, sequence(8, 8), { end: false });
    await caughtUp(after, 8);
    expect(await settle(next.deadLetters(withPolicy).list())).toHaveLength(1);
    await settle(after.stop());
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
