/** What letters may not do: stop a task for good, fill a commit, follow a value into other topics. */
import { type Adapter, fold, map, pipeline, sink, sleep, stream, tumbling, window } from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";
import { bench, type Item, items, sequence } from "./support/bench-top.ts";
import { breakable } from "./support/breakable.ts";

const source = items("source", { partitions: 1 });
const copy = items("copy", { partitions: 1 });
const repaired = items("repaired", { partitions: 1 });

/** The adapter, with every commit's outputs told. */
function told(adapter: Adapter, tell: (characters: number) => void): Adapter {
  return {
    ...adapter,
    open: () => async () => {
      const opened = await adapter.open()();
      if (E.isLeft(opened)) {
        return opened;
      }
      const { log, group, state, tasks } = opened.right;
      return E.right({
        log,
        group,
        state,
        tasks: {
          acquire: (task, generation) => tasks.acquire(task, generation),
          positions: (refs) => tasks.positions(refs),
          commit: (commit) => {
            tell(JSON.stringify(commit.outputs).length);
            return tasks.commit(commit);
          },
        },
        close: () => opened.right.close(),
      });
    },
  };
}

describe("a letter", () => {
  it("whose effects cannot be committed stays a letter, and the redrive goes on without it", async () => {
    const { app, send, settle, caughtUp, clock } = bench();
    const worker = app("app", { restart: {} });
    const { check, state } = breakable(() => true);
    // A Date is no state: the store refuses it when the unit ends.
    const spoiled = fold(0, (before: unknown, item: Item) => (item.n === 0 ? new Date(0) : before));
    const plan = pipeline(
      "copy",
      stream(source).pipe(
        map(check, { onError: "deadLetter" }),
        window(tumbling("1 minute"), { spoiled }, { grace: "0 s" }),
        map(({ key, start }) => ({ key, n: 1, at: start })),
        sink(copy),
      ),
    );
    await send(source, sequence(4, 4), { end: false });
    const running = await settle(worker.run(plan));
    await caughtUp(running, 4);
    state.isBroken = false;
    const letters = worker.deadLetters(plan);
    expect(await settle(letters.redrive({ all: true }))).toEqual({ done: 3, remaining: 1, waiting: 0 });
    expect(await settle(letters.list())).toMatchObject([{ key: "k0" }]);
    await settle(sleep(clock, 1_000));
    expect(running.status()).toMatchObject([{ state: "running" }]);
    await settle(running.stop());
  });

  it("with long errors does not come with so many others that a commit holds the store up", async () => {
    const { adapter, app, send, settle, caughtUp } = bench();
    let most = 0;
    const worker = app("app", {
      adapter: told(adapter, (characters) => {
        most = Math.max(most, characters);
      }),
    });
    const long = (depth: number): Error => new Error("x".repeat(2_000), depth > 1 ? { cause: long(depth - 1) } : {});
    const failing = map(
      (): Item => {
        throw long(5);
      },
      { onError: "deadLetter" },
    );
    await send(source, sequence(1_000), { end: false });
    const running = await settle(worker.run(pipeline("copy", stream(source).pipe(failing, sink(copy)))));
    await caughtUp(running, 1_000);
    await settle(running.stop());
    expect(most).toBeGreaterThan(10_000);
    expect(most).toBeLessThan(2 * 1_048_576);
  });

  it("that is read as a record is a letter no more in the topics to which it goes", async () => {
    const { app, send, settle, caughtUp, read } = bench();
    const worker = app();
    const { check } = breakable((n) => n === 1);
    await send(source, sequence(3), { end: false });
    const first = await settle(
      worker.run(pipeline("copy", stream(source).pipe(map(check, { onError: "deadLetter" }), sink(copy)))),
    );
    await caughtUp(first, 3);
    const dead = items("app.copy.source.dead-letters", { partitions: 1 });
    expect((await read(dead)).map(({ headers }) => Object.keys(headers))).toEqual([["millrace.dead-letter"]]);
    const second = await settle(worker.run(pipeline("repair", stream(dead).pipe(sink(repaired)))));
    await caughtUp(second, 1);
    expect((await read(repaired)).map(({ value, headers }) => [value.n, headers])).toEqual([[1, {}]]);
    await settle(second.stop());
    await settle(first.stop());
  });
});
