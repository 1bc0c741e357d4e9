/** Redriving while other things happen: no worker, a worker that stops or joins, letters that fail again, busy partitions. */
import { type AskResult, type Call, map, mapOrdered, pipeline, sink, sleep, stream } from "@millrace/core";
import { describe, expect, it } from "vitest";
import { type Bench, bench, type Item, rejection } from "./support/bench-top.ts";
import {
  committed,
  copy,
  expectAllInOrder,
  isBeside,
  itemsOf,
  numbersBut,
  numbersIn,
  numbersOf,
  OPERATORS,
  Poison,
  planOf,
  source,
} from "./support/poison.ts";
import { PARKED_BAD as BAD, PARKED_COUNT as COUNT, PARKED_NUMBERS as PARKED, parked } from "./support/poison-scenes.ts";
import { pick, workerOf } from "./support/workers.ts";

const ALL_DONE: AskResult = { done: PARKED.length, remaining: 0, waiting: 0 };

describe.each(OPERATORS)("letters of %s", (_, failing) => {
  it("are not redriven without a worker, which is said; as soon as one runs they are, once", async () => {
    const { top, plan, dead, poison } = await parked(failing);
    const before = poison.callsOf(BAD);
    const error = await rejection(top.settle(dead.redrive({ all: true, within: "3 s" })));
    expect(error).toMatchObject({ _tag: "NoWorker", message: expect.stringContaining("source/") });
    expect(numbersOf(await top.settle(dead.list()))).toEqual(PARKED);
    const running = await top.settle(top.app().run(plan));
    await top.clock.advance(3_000);
    expect(await top.settle(dead.list())).toEqual([]);
    expect(poison.callsOf(BAD)).toBe(before + 1);
    expect(await top.settle(dead.redrive({ all: true }))).toEqual({ done: 0, remaining: 0, waiting: 0 });
    await top.send(source, [], { end: true });
    await top.settle(running.done);
    expectAllInOrder(await top.read(copy), COUNT);
  });

  it("that are asked for twice, and at once, are redriven once", async () => {
    const { top, plan, dead, poison } = await parked(failing);
    const calls = poison.called.length;
    const running = await top.settle(top.app().run(plan));
    const answers = await top.settle(
      Promise.all([dead.redrive({ all: true }), dead.redrive({ key: `key-${BAD % 7}` }), dead.redrive({ all: true })]),
    );
    expect(answers.reduce((sum, { done }) => sum + done, 0)).toBe(PARKED.length);
    expect(poison.called).toHaveLength(calls + PARKED.length);
    await top.send(source, [], { end: true });
    await top.settle(running.done);
    expectAllInOrder(await top.read(copy), COUNT);
  });

  it("that fail again stay, with all behind them, and are told; nothing is lost by trying", async () => {
    const { top, plan, dead, poison } = await parked(failing);
    poison.bad.add(PARKED[1] ?? -1);
    const { app, events } = workerOf(top);
    const running = await top.settle(app.run(plan));
    expect(await top.settle(dead.redrive({ all: true }))).toEqual({
      done: 1,
      remaining: PARKED.length - 1,
      waiting: 0,
    });
    expect(numbersOf(await top.settle(dead.list()))).toEqual(PARKED.slice(1));
    expect(pick(events, "RedriveFailed")).toHaveLength(1);
    // The key is still parked: a new item of it waits, too.
    await top.send(source, [{ key: `key-${BAD % 7}`, n: 1_000, at: 1_000_000 }], { end: false });
    await committed(top, plan, COUNT + 1);
    expect(numbersOf(await top.settle(dead.list()))).toEqual([...PARKED.slice(1), 1_000]);
    poison.repair();
    expect(await top.settle(dead.redrive({ all: true }))).toMatchObject({ done: PARKED.length, remaining: 0 });
    await top.settle(running.stop());
    const ofKey = (await top.read(copy)).filter(({ key }) => key === `key-${BAD % 7}`).map(({ value }) => value.n);
    expect(ofKey).toEqual([...numbersBut(COUNT).filter((n) => n % 7 === BAD % 7), 1_000]);
  });
});

/** How long the handler of {@link slowly} takes. */
const TAKES_MS = 500;

function slowly(top: Bench, poison: Poison, calls: Call[] = []) {
  return mapOrdered(
    async (item: Item, _record, call) => {
      calls.push(call);
      await sleep(top.clock, TAKES_MS, call.signal);
      return poison.check(item);
    },
    { onError: "park", concurrency: 2 },
  );
}

describe("a redrive", () => {
  it("goes on under the next worker when the one that does it is stopped in the middle, and its command is answered once", async () => {
    const top = bench();
    const poison = new Poison(BAD);
    const plan = planOf(slowly(top, poison));
    await top.send(source, itemsOf(COUNT), { end: false });
    const first = await top.settle(top.app().run(plan));
    await committed(top, plan, COUNT);
    poison.repair();
    const dead = top.app("app").deadLetters(plan);
    const answer = dead.redrive({ all: true, within: "10 minutes" });
    await top.clock.advance(TAKES_MS + 100);
    const written = (await numbersIn(top)).length;
    await top.settle(first.stop());
    const left = numbersOf(await top.settle(dead.list()));
    expect(left.length).toBeGreaterThan(0);
    expect(left.length).toBeLessThan(PARKED.length);
    expect(left).toEqual(PARKED.slice(-left.length));
    expect((await numbersIn(top)).length).toBeGreaterThanOrEqual(written);
    const second = await top.settle(top.app().run(plan));
    expect(await top.settle(answer)).toEqual(ALL_DONE);
    expect(PARKED.map((n) => poison.callsOf(n)).slice(1)).toEqual(PARKED.slice(1).map(() => 1));
    await top.send(source, [], { end: true });
    await top.settle(second.done);
    expectAllInOrder(await top.read(copy), COUNT);
  });

  it("goes on at the next worker when the task moves to one that joins", async () => {
    const top = bench();
    const poison = new Poison(BAD);
    const plan = planOf(slowly(top, poison));
    await top.send(source, itemsOf(COUNT), { end: false });
    const first = await top.settle(top.app().run(plan));
    await committed(top, plan, COUNT);
    poison.repair();
    const answer = top.app("app").deadLetters(plan).redrive({ all: true, within: "10 minutes" });
    await top.clock.advance(TAKES_MS + 100);
    const others = await top.settle(Promise.all([top.app().run(plan), top.app().run(plan)]));
    expect(await top.settle(answer)).toEqual(ALL_DONE);
    await top.send(source, [], { end: true });
    await top.settle(Promise.all([first, ...others].map(({ done }) => done)));
    expectAllInOrder(await top.read(copy), COUNT);
  });

  it("waits until what was read is done, holds back what comes meanwhile, and lets it go behind the letters", async () => {
    const top = bench();
    const poison = new Poison(BAD);
    const plan = planOf(slowly(top, poison));
    const all = itemsOf(2 * COUNT);
    await top.send(source, all.slice(0, COUNT), { end: false, id: "p" });
    const running = await top.settle(top.app().run(plan));
    await committed(top, plan, COUNT);
    poison.repair();
    await top.send(source, all, { end: false, id: "p" });
    await top.clock.advance(TAKES_MS / 2);
    // Those of the key that came in front of the redrive have become letters behind the others.
    const behind = all.slice(COUNT).filter(({ n }) => n % 7 === BAD % 7).length;
    const dead = top.app("app").deadLetters(plan);
    const { done } = await top.settle(dead.redrive({ all: true }));
    expect(done).toBeGreaterThanOrEqual(PARKED.length);
    expect(done).toBeLessThanOrEqual(PARKED.length + behind);
    await top.settle(dead.redrive({ all: true }));
    await top.send(source, [], { end: true });
    await top.settle(running.done);
    expectAllInOrder(await top.read(copy), 2 * COUNT);
  });

  it("holds back what comes while it is carried out, until it is done", async () => {
    const top = bench();
    const poison = new Poison(BAD);
    const plan = planOf(slowly(top, poison));
    const all = itemsOf(2 * COUNT);
    await top.send(source, all.slice(0, COUNT), { end: false, id: "p" });
    const running = await top.settle(top.app().run(plan));
    await committed(top, plan, COUNT);
    poison.repair();
    const calls = poison.called.length;
    const answer = top.app("app").deadLetters(plan).redrive({ all: true });
    await top.clock.advance(TAKES_MS / 2);
    await top.send(source, all, { end: false, id: "p" });
    await top.clock.advance((PARKED.length - 1) * TAKES_MS);
    const meanwhile = poison.called.slice(calls).filter((n) => isBeside(n, BAD));
    expect(meanwhile.length).toBeGreaterThan(0);
    expect(meanwhile).toEqual(PARKED.slice(0, meanwhile.length));
    expect(await top.settle(answer)).toEqual(ALL_DONE);
    await top.send(source, [], { end: true });
    await top.settle(running.done);
    expectAllInOrder(await top.read(copy), 2 * COUNT);
  });

  it.each([
    ["deadLetter", { done: 1, letters: ["second"] }],
    ["park", { done: 1, letters: ["second"] }],
    ["skip", { done: 1, letters: [] }],
    // A letter quarantines nothing: it stays.
    ["quarantine", { done: 0, letters: ["first"] }],
  ] as const)(
    "whose letter fails at another operator does what that one says (%s)",
    async (onError, { done, letters }) => {
      const top = bench();
      const poison = new Poison(3);
      const behind = new Poison();
      const plan = pipeline(
        "copy",
        stream(source).pipe(
          map(poison.check, { onError: "deadLetter", name: "first" }),
          map(behind.check, { onError, name: "second" }),
          sink(copy),
        ),
      );
      await top.send(source, itemsOf(COUNT), { end: false });
      const { app, events } = workerOf(top);
      const running = await top.settle(app.run(plan));
      await committed(top, plan, COUNT);
      poison.repair();
      behind.bad.add(3);
      const dead = app.deadLetters(plan);
      expect(await top.settle(dead.redrive({ all: true }))).toEqual({ done, remaining: 1 - done, waiting: 0 });
      expect((await top.settle(dead.list())).map(({ node }) => node)).toEqual(letters);
      expect(pick(events, "Quarantined")).toEqual([]);
      behind.repair();
      expect(await top.settle(dead.redrive({ all: true }))).toEqual({ done: letters.length, remaining: 0, waiting: 0 });
      await top.send(source, [], { end: true });
      await top.settle(running.done);
      expect(await numbersIn(top)).toEqual(onError === "skip" ? numbersBut(COUNT, 3) : numbersBut(COUNT));
    },
  );

  it("whose letter stops the task behind its operator goes on without it, and says so", async () => {
    const top = bench();
    const poison = new Poison(3, 4);
    const behind = new Poison();
    const plan = pipeline(
      "copy",
      stream(source).pipe(
        mapOrdered(async (item: Item) => poison.check(item), { onError: "deadLetter" }),
        mapOrdered(async (item: Item) => behind.check(item)),
        sink(copy),
      ),
    );
    await top.send(source, itemsOf(COUNT), { end: false });
    const { app, events } = workerOf(top, {}, { restart: { attempts: 0 } });
    const running = await top.settle(app.run(plan));
    await committed(top, plan, COUNT);
    poison.repair();
    behind.bad.add(3);
    const dead = app.deadLetters(plan);
    expect(await top.settle(dead.redrive({ all: true }))).toEqual({ done: 1, remaining: 1, waiting: 0 });
    expect(pick(events, "RedriveFailed")).toHaveLength(1);
    expect(numbersOf(await top.settle(dead.list()))).toEqual([3]);
    expect(pick(events, "Restarting")).toEqual([]);
    behind.repair();
    expect(await top.settle(dead.redrive({ all: true }))).toEqual({ done: 1, remaining: 0, waiting: 0 });
    await top.send(source, [], { end: true });
    await top.settle(running.done);
    expect(await numbersIn(top)).toEqual(numbersBut(COUNT));
  });

  it("whose parked letter stops the task behind its operator leaves the rest of that key, too: nothing overtakes it", async () => {
    const top = bench();
    const poison = new Poison(BAD);
    const behind = new Poison();
    const plan = pipeline(
      "copy",
      stream(source).pipe(map(poison.check, { onError: "park" }), map(behind.check), sink(copy)),
    );
    await top.send(source, itemsOf(COUNT), { end: false });
    const { app } = workerOf(top);
    const running = await top.settle(app.run(plan));
    await committed(top, plan, COUNT);
    poison.repair();
    behind.bad.add(BAD);
    const dead = app.deadLetters(plan);
    expect(await top.settle(dead.redrive({ all: true }))).toEqual({ done: 0, remaining: PARKED.length, waiting: 0 });
    expect(numbersOf(await top.settle(dead.list()))).toEqual(PARKED);
    expect(await numbersIn(top)).toEqual(numbersBut(COUNT, ...PARKED));
    behind.repair();
    expect(await top.settle(dead.redrive({ all: true }))).toEqual(ALL_DONE);
    await top.send(source, [], { end: true });
    await top.settle(running.done);
    expectAllInOrder(await top.read(copy), COUNT);
  });

  it("leaves the quarantine of one partition while the others are busy all the time: a resume is answered, too", async () => {
    const top = bench();
    const poison = new Poison(BAD);
    const plan = planOf(
      mapOrdered(
        async (item: Item, _record, { signal }) => {
          await sleep(top.clock, 20 + (item.n % 5), signal);
          return poison.check(item);
        },
        { concurrency: 4, onError: "quarantine" },
      ),
    );
    await top.send(source, itemsOf(6_000));
    const { app, events } = workerOf(top);
    const running = await top.settle(app.run(plan));
    await top.clock.advance(5_000);
    expect(pick(events, "Quarantined")).toHaveLength(1);
    poison.repair();
    expect(await top.settle(app.resume(plan, { within: "5 s" }))).toBe(1);
    const { tasks } = await top.settle(app.describeGroup(plan));
    expect(tasks.every(({ lag }) => lag > 500)).toBe(true);
    await top.settle(running.stop());
  });
});
