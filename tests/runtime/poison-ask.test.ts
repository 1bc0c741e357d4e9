/** What may be asked of dead letters, and how the question reaches the tasks. */
import { type AskResult, json, map, partitionBy, pipeline, sink, stream, topic } from "@millrace/core";
import * as t from "io-ts";
import { describe, expect, it } from "vitest";
import { bench, type Item, items } from "./support/bench-top.ts";
import { withoutReplies } from "./support/crash.ts";
import {
  committed,
  copy,
  expectAllInOrder,
  failingMap,
  isBeside,
  itemsOf,
  numbersBut,
  numbersIn,
  numbersOf,
  PARTITIONS,
  Poison,
  planOf,
  source,
} from "./support/poison.ts";
import { PARKED_BAD as BAD, PARKED_COUNT as COUNT, PARKED_NUMBERS as PARKED, parked } from "./support/poison-scenes.ts";
import { pick, workerOf } from "./support/workers.ts";

const ALL_DONE: AskResult = { done: PARKED.length, remaining: 0, waiting: 0 };

describe("a redrive that is asked for", () => {
  it("is carried out once though its command is sent again and again because replies are lost", async () => {
    const { top, plan, poison } = await parked(failingMap);
    const { app, events } = workerOf(top);
    const running = await top.settle(app.run(plan));
    const calls = poison.called.length;
    const client = top.app("app", { adapter: withoutReplies(top.adapter, 5) });
    expect(await top.settle(client.deadLetters(plan).redrive({ all: true, within: "10 minutes" }))).toEqual(ALL_DONE);
    await top.clock.advance(5_000);
    expect(pick(events, "Redriven")).toHaveLength(1);
    expect(poison.called).toHaveLength(calls + PARKED.length);
    await top.settle(running.stop());
  });

  it("is carried out though its topic holds what is no command", async () => {
    const { top, plan, app, dead } = await parked(failingMap);
    const control = topic("app.copy.source.control", { codec: json(t.unknown), key: null, partitions: PARTITIONS });
    const junk = [null, "resume", { id: 7, action: "resume" }, { id: "x", action: "stop" }, { id: "y" }];
    await top.send(control, [...junk, ...junk, ...junk], { end: false });
    const running = await top.settle(app.run(plan));
    await top.clock.advance(1_000);
    expect(await top.settle(dead.redrive({ all: true }))).toEqual(ALL_DONE);
    await top.send(source, [], { end: true });
    await top.settle(running.done);
    expectAllInOrder(await top.read(copy), COUNT);
  });

  it("does nothing where no operator leaves anything behind, and is refused where the letters are in no task any more", async () => {
    const top = bench();
    const plain = pipeline("plain", stream(source).pipe(sink(copy)));
    const app = top.app();
    expect(await top.settle(app.deadLetters(plain).redrive({ all: true }))).toEqual({
      done: 0,
      remaining: 0,
      waiting: 0,
    });
    const plan = planOf(failingMap(new Poison(BAD), "park"));
    await top.send(source, itemsOf(COUNT));
    await top.complete(app, plan);
    await expect(top.settle(app.deadLetters(plan).redrive({ all: true }))).rejects.toMatchObject({ _tag: "NoWorker" });
    expect(numbersOf(await top.settle(app.deadLetters(plan).list()))).toEqual(PARKED);
  });

  it.each<readonly [string, object]>([
    ["nothing that selects", {}],
    ["nothing but undefined", { key: undefined, all: undefined }],
    ["an option that there is not", { id: "map/0/1" }],
    ["one beside a real one", { key: "k", nodes: "map" }],
    ["a limit of 0", { all: true, limit: 0 }],
    ["a fraction", { all: true, limit: 1.5 }],
    ["a time that is none", { from: Number.NaN }],
    ["an infinite time", { to: Number.POSITIVE_INFINITY }],
    ["a time that is text", { to: "yesterday" }],
    ["a key that is no text", { key: 7 }],
    ["ids that are no list", { ids: "map/0/1" }],
    ["a list of what are no ids", { ids: [7] }],
    ["a node that is no text", { node: 7 }],
    ["a duration that is none", { all: true, within: "soon" }],
  ])("is refused with %s", async (_, options) => {
    const top = bench();
    const app = top.app();
    const dead = app.deadLetters(planOf(failingMap(new Poison(BAD), "park")));
    await expect(top.settle(dead.redrive(options))).rejects.toMatchObject({ _tag: "InvalidOption" });
    await expect(top.settle(dead.discard(options))).rejects.toMatchObject({ _tag: "InvalidOption" });
  });

  it("asks only the partitions with letters, so that none that stands still holds it up", async () => {
    const top = bench();
    const poison = new Poison(BAD);
    const stalled = numbersBut(COUNT).find((n) => !isBeside(n, BAD) && n > BAD) ?? -1;
    const stalling = new Poison(stalled);
    const plan = pipeline(
      "copy",
      stream(source).pipe(map(poison.check, { onError: "park" }), map(stalling.check), sink(copy)),
    );
    await top.send(source, itemsOf(COUNT), { end: false });
    const { app, events } = workerOf(top, {}, { restart: { backoff: "10 minutes", longest: "10 minutes" } });
    const running = await top.settle(app.run(plan));
    await top.clock.advance(10_000);
    expect(pick(events, "Restarting")).toHaveLength(1);
    poison.repair();
    expect(await top.settle(app.deadLetters(plan).redrive({ all: true, within: "5 s" }))).toEqual(ALL_DONE);
    expect(pick(events, "Redriven").map(({ done }) => done)).toEqual([PARKED.length]);
    await top.settle(running.stop());
  });

  it("enters each letter at its own operator, also where letters of several lie among each other", async () => {
    const top = bench();
    const bad = [3, 10, 17, 24];
    const first = new Poison(3, 17);
    const second = new Poison(10, 24);
    const plan = pipeline(
      "copy",
      stream(source).pipe(
        map(first.check, { onError: "deadLetter", name: "first" }),
        map(second.check, { onError: "deadLetter", name: "second" }),
        sink(copy),
      ),
    );
    await top.send(source, itemsOf(COUNT), { end: false });
    const { app } = workerOf(top);
    const running = await top.settle(app.run(plan));
    await committed(top, plan, COUNT);
    const dead = app.deadLetters(plan);
    expect((await top.settle(dead.list())).map(({ node }) => node)).toEqual(["first", "second", "first", "second"]);
    first.repair();
    second.repair();
    expect(await top.settle(dead.redrive({ all: true }))).toEqual({ done: bad.length, remaining: 0, waiting: 0 });
    expect(bad.map((n) => first.callsOf(n))).toEqual([2, 1, 2, 1]);
    expect(bad.map((n) => second.callsOf(n))).toEqual([1, 2, 1, 2]);
    await top.settle(running.stop());
    expect(await numbersIn(top)).toEqual(numbersBut(COUNT));
  });

  it("means the letters of its own pipeline, though another one with an operator of that name shares the topic", async () => {
    const top = bench();
    const poison = new Poison(BAD);
    const letters = { onError: "deadLetter", name: "check", deadLetters: { topic: "letters" } } as const;
    const mirror = items("mirror", { partitions: PARTITIONS });
    const plan = pipeline("copy", stream(source).pipe(map(poison.check, letters), sink(copy)));
    const other = pipeline("mirror", stream(source).pipe(map(poison.check, letters), sink(mirror)));
    await top.send(source, itemsOf(COUNT), { end: false });
    const app = top.app();
    const running = await top.settle(app.run([plan, other]));
    await committed(top, plan, COUNT);
    await committed(top, other, COUNT);
    poison.repair();
    const calls = poison.callsOf(BAD);
    expect(numbersOf(await top.settle(app.deadLetters(plan).list()))).toEqual([BAD]);
    expect(await top.settle(app.deadLetters(plan).redrive({ all: true }))).toMatchObject({ done: 1 });
    expect(poison.callsOf(BAD)).toBe(calls + 1);
    expect(await top.settle(app.deadLetters(plan).list())).toEqual([]);
    expect(numbersOf(await top.settle(app.deadLetters(other).list()))).toEqual([BAD]);
    expect((await top.read(mirror)).map(({ value }) => value.n)).not.toContain(BAD);
    expect(await top.settle(app.deadLetters(other).discard({ all: true }))).toMatchObject({ done: 1 });
    await top.settle(running.stop());
  });

  it("means the letters of each part of a pipeline, though all of them share one topic", async () => {
    const top = bench();
    const first = new Poison(BAD);
    const second = new Poison(BAD + 1);
    const letters = { onError: "deadLetter", deadLetters: { topic: "letters" } } as const;
    const plan = pipeline(
      "copy",
      stream(source).pipe(
        map(first.check, { ...letters, name: "first" }),
        partitionBy((item: Item) => item.key.slice(4), { name: "byDigit" }),
        map(second.check, { ...letters, name: "second" }),
        sink(copy),
      ),
    );
    await top.send(source, itemsOf(COUNT), { end: false });
    const app = top.app();
    const running = await top.settle(app.run(plan));
    await committed(top, plan, 2 * COUNT - 1);
    first.repair();
    second.repair();
    const dead = app.deadLetters(plan);
    expect(numbersOf(await top.settle(dead.list())).toSorted((a, b) => a - b)).toEqual([BAD, BAD + 1]);
    expect(await top.settle(dead.redrive({ all: true }))).toEqual({ done: 2, remaining: 0, waiting: 0 });
    await top.settle(running.stop());
    expect(await numbersIn(top)).toEqual(numbersBut(COUNT));
  });
});
