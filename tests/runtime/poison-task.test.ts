/** Failures that no policy can decide about, and how a task starts again. Memory and virtual time. */
import {
  DecodeError,
  type FailureDecision,
  map,
  mapOrdered,
  mapUnordered,
  pipeline,
  sink,
  sleep,
  stream,
} from "@millrace/core";
import { describe, expect, it } from "vitest";
import { bench, type Item, items, rejection } from "./support/bench-top.ts";
import {
  copy,
  expectAllInOrder,
  failingMap,
  grown,
  itemsOf,
  numbersBut,
  numbersIn,
  OPERATORS,
  Poison,
  planOf,
  source,
} from "./support/poison.ts";
import { pick, workerOf } from "./support/workers.ts";

const COUNT = 70;
const BAD = 20;

/** An error that does not even tell its name. */
class Hostile extends Error {
  override get name(): string {
    throw new Error("a getter that throws");
  }
}

describe.each(OPERATORS)("an error whose own getters throw, thrown by %s,", (_, failing) => {
  it("is a failure like any other", async () => {
    const top = bench();
    const poison = new Poison();
    const check = (item: Item): Item => {
      if (item.n === BAD) {
        throw new Hostile();
      }
      return item;
    };
    const plan = planOf(failing(Object.assign(poison, { check }), "deadLetter"));
    await top.send(source, itemsOf(COUNT));
    await top.complete(top.app(), plan);
    expect(await numbersIn(top)).toEqual(numbersBut(COUNT, BAD));
    const [letter, ...more] = await top.settle(top.app().deadLetters(plan).list());
    expect(letter?.errors).toEqual([{ name: "unknown", message: "", code: null }]);
    expect(more).toEqual([]);
  });
});

describe("a function that decides to park", () => {
  const park = (): FailureDecision => "park";

  it.each([
    [
      "lanes that are not those of keys",
      source,
      mapOrdered(async (item: Item) => refuse(item), { lane: "none", onError: park }),
    ],
    ["no lanes at all", source, mapUnordered(async (item: Item) => refuse(item), { onError: park })],
    ["no keys", items("source", { partitions: 3, key: null }), map(refuse, { onError: park })],
  ])("stops the task where there are %s: nothing could keep the key in order", async (_, from, through) => {
    const top = bench();
    await top.send(from, itemsOf(10));
    const plan = pipeline("copy", stream(from).pipe(through, sink(copy)));
    expect(await rejection(top.complete(top.app(), plan))).toMatchObject({
      cause: { message: expect.stringContaining('onError answered "park": that is not possible here') },
    });
    expect(await top.settle(top.app().deadLetters(plan).list())).toEqual([]);
  });
});

function refuse(_item: Item): Item {
  throw new RangeError("no");
}

describe("a task", () => {
  it("counts restarts anew for a poison record further on", async () => {
    const top = bench();
    const poison = new Poison(10, 30);
    await top.send(source, [...itemsOf(40, 1)]);
    const { app, events } = workerOf(top, {}, { restart: { attempts: 5, backoff: "1 s" } });
    const running = await top.settle(app.run(planOf(failingMap(poison, "fail"))));
    await top.clock.advance(5_000);
    poison.bad.delete(10);
    await top.clock.advance(30_000);
    expect(await rejection(top.settle(running.done))).toMatchObject({ _tag: "HandlerError" });
    const restarts = pick(events, "Restarting").map(({ restart }) => restart);
    const atFirst = restarts.lastIndexOf(1);
    expect(atFirst).toBeGreaterThan(1);
    expect(restarts).toEqual([...numbersBut(atFirst), ...numbersBut(5)].map((n) => n + 1));
  });

  it("whose entry does not decode gives up after as many restarts as one whose operator fails", async () => {
    const top = bench();
    await top.send(grown, [...itemsOf(10, 1), { key: "key-0", n: "?", at: 10_000 }]);
    const { app, events } = workerOf(top, {}, { restart: { attempts: 3 } });
    const error = await rejection(top.complete(app, pipeline("copy", stream(source).pipe(sink(copy)))));
    expect(error).toBeInstanceOf(DecodeError);
    expect(pick(events, "Restarting").map(({ restart }) => restart)).toEqual([1, 2, 3]);
    expect(await numbersIn(top)).toEqual(numbersBut(10));
  });

  it("is not started again where every start would only repeat the failure: the plan itself is wrong", async () => {
    const top = bench();
    await top.send(source, itemsOf(5));
    const noLane = mapOrdered(async (item: { n: number }) => item, { lane: () => 7 as unknown as string });
    const { app, events } = workerOf(top, {}, { restart: {} });
    const plan = pipeline("copy", stream(source).pipe(noLane as never, sink(items("other")) as never));
    expect(await rejection(top.complete(app, plan))).toMatchObject({ cause: { _tag: "InvalidOperator" } });
    expect(pick(events, "Restarting")).toEqual([]);
  });

  it("that waits for its next start is given back when the worker stops, and resumed by the next one", async () => {
    const top = bench();
    const poison = new Poison(BAD);
    const plan = planOf(failingMap(poison, "fail"));
    await top.send(source, itemsOf(COUNT));
    const first = await top.settle(top.app("app", { restart: { backoff: "1 hour", longest: "1 hour" } }).run(plan));
    await top.clock.advance(5_000);
    const startMs = top.clock.now();
    await top.settle(first.stop());
    expect(top.clock.now() - startMs).toBeLessThan(1_000);
    poison.repair();
    await top.complete(top.app(), plan);
    expectAllInOrder(await top.read(copy), COUNT);
  });

  it.each(["10 s", "100 ms"] as const)(
    "that is stopped within %s on its way to the record for which it has failed for the last time does not forget the failure",
    async (within) => {
      const top = bench();
      const failsAtOnce = mapOrdered(async (item: Item, _record, { signal }) => {
        if (item.n === 5) {
          throw new RangeError("no 5");
        }
        await sleep(top.clock, 1_000, signal);
        return item;
      });
      await top.send(source, itemsOf(10, 10), { end: false });
      const { app } = workerOf(top, {}, { restart: { attempts: 0 } });
      const running = await top.settle(app.run(planOf(failsAtOnce)));
      await top.clock.advance(500);
      await top.settle(running.stop({ within }));
      expect(await rejection(running.done)).toMatchObject({ _tag: "HandlerError", cause: { message: "no 5" } });
    },
  );

  it.each(["skip", "deadLetter", "park", "quarantine"] as const)(
    "whose handler hangs stops, whatever its policy: nobody knows what the handler still does (%s)",
    async (onError) => {
      const top = bench();
      const hangs = mapOrdered((item: Item) => (item.n === 5 ? new Promise<Item>(() => {}) : Promise.resolve(item)), {
        onError,
        timeout: "1 s",
        settle: "1 s",
      });
      await top.send(source, itemsOf(10));
      const { app, events } = workerOf(top);
      const error = await rejection(top.complete(app, planOf(hangs)));
      expect(error).toMatchObject({ _tag: "HandlerError", cause: { _tag: "HandlerTimeout" } });
      const decided = events.filter(({ _tag }) => ["Skipped", "DeadLettered", "Quarantined"].includes(_tag));
      expect(decided).toEqual([]);
    },
  );
});
