/** One record for which an operator fails, among many others, under each policy. Memory and virtual time. */
import { type FailureDecision, HandlerError, type RecordInfo } from "@millrace/core";
import { describe, expect, it } from "vitest";
import { bench, rejection } from "./support/bench-top.ts";
import {
  committed,
  copy,
  expectAllInOrder,
  expectKeysInOrder,
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
import { pick, workerOf } from "./support/workers.ts";

const COUNT = 70;
const BAD = 20;
/** What is written while item {@link BAD} holds up its partition. */
const IN_FRONT_AND_ELSEWHERE = numbersBut(COUNT).filter((n) => n < BAD || !isBeside(n, BAD));

describe.each(OPERATORS)("a record for which %s fails", (_, failing) => {
  it("stops its partition only, which starts again with growing pauses; repaired, all is processed once and in order (fail)", async () => {
    const top = bench();
    const poison = new Poison(BAD);
    await top.send(source, itemsOf(COUNT), { end: false });
    const { app, events } = workerOf(top, {}, { restart: { longest: "8 s" } });
    const running = await top.settle(app.run(planOf(failing(poison, "fail"))));
    await top.clock.advance(60_000);

    expect(await numbersIn(top)).toEqual(IN_FRONT_AND_ELSEWHERE);
    const restarts = pick(events, "Restarting");
    expect(new Set(restarts.map(({ task }) => task)).size).toBe(1);
    expect(restarts.length).toBeGreaterThan(8);
    for (const [index, { restart, pauseMs, error }] of restarts.entries()) {
      const longest = Math.min(8_000, 250 * 2 ** index);
      expect(restart).toBe(index + 1);
      expect(pauseMs).toBeGreaterThanOrEqual(longest / 2);
      expect(pauseMs).toBeLessThanOrEqual(longest);
      expect(error).toBeInstanceOf(HandlerError);
    }
    poison.repair();
    await top.send(source, [], { end: true });
    await top.settle(running.done);
    expectAllInOrder(await top.read(copy), COUNT);
    expect(pick(events, "Failed")).toEqual([]);
  });

  it("stops the pipeline when the restarts are used up, with everything else committed (fail)", async () => {
    const top = bench();
    const poison = new Poison(BAD);
    await top.send(source, itemsOf(COUNT));
    const { app, events } = workerOf(top, {}, { restart: { attempts: 3 } });
    const error = await rejection(top.complete(app, planOf(failing(poison, "fail"))));
    expect(error).toMatchObject({ _tag: "HandlerError", cause: new RangeError(`no ${BAD}`) });
    expect(pick(events, "Restarting").map(({ restart }) => restart)).toEqual([1, 2, 3]);
    expect(pick(events, "Failed")).toHaveLength(1);
    expect(await numbersIn(top)).toEqual(IN_FRONT_AND_ELSEWHERE);
    poison.repair();
    await top.complete(top.app(), planOf(failing(poison, "fail")));
    expectAllInOrder(await top.read(copy), COUNT);
  });

  it("quarantines its partition, also under the next worker, until it is resumed; nothing is lost (quarantine)", async () => {
    const top = bench();
    const poison = new Poison(BAD);
    const plan = planOf(failing(poison, "quarantine"));
    await top.send(source, itemsOf(COUNT), { end: false });
    const first = workerOf(top);
    const before = await top.settle(first.app.run(plan));
    await committed(top, plan, IN_FRONT_AND_ELSEWHERE.length);
    await top.clock.advance(10_000);
    const [quarantined, ...more] = pick(first.events, "Quarantined");
    expect(more).toEqual([]);
    expect(quarantined?.message).toContain("offset");
    expect(await numbersIn(top)).toEqual(IN_FRONT_AND_ELSEWHERE);
    const calls = poison.called.length;

    await top.settle(before.stop());
    const second = workerOf(top);
    const running = await top.settle(second.app.run(plan));
    await top.clock.advance(10_000);
    expect(pick(second.events, "Quarantined")).toEqual([quarantined]);
    expect(poison.called).toHaveLength(calls);
    expect(await numbersIn(top)).toEqual(IN_FRONT_AND_ELSEWHERE);

    // Still bad: quarantined again, and nothing is processed beyond it.
    expect(await top.settle(second.app.resume(plan))).toBe(1);
    await top.clock.advance(10_000);
    expect(pick(second.events, "Quarantined")).toHaveLength(2);
    expect(await numbersIn(top)).toEqual(IN_FRONT_AND_ELSEWHERE);

    poison.repair();
    expect(await top.settle(second.app.resume(plan))).toBe(1);
    expect(pick(second.events, "Resumed")).toHaveLength(2);
    expect(await top.settle(second.app.resume(plan))).toBe(0);
    await top.send(source, [], { end: true });
    await top.settle(running.done);
    expectAllInOrder(await top.read(copy), COUNT);
  });

  it("is dropped and counted (skip)", async () => {
    const top = bench();
    await top.send(source, itemsOf(COUNT));
    const { app, events } = workerOf(top);
    await top.complete(app, planOf(failing(new Poison(BAD, 3), "skip")));
    expect(await numbersIn(top)).toEqual(numbersBut(COUNT, BAD, 3));
    expectKeysInOrder(await top.read(copy));
    expect(pick(events, "Skipped").map(({ error }) => (error as Error).message)).toEqual(
      expect.arrayContaining([`no ${BAD}`, "no 3"]),
    );
    expect(pick(events, "Skipped")).toHaveLength(2);
  });

  it("is a letter, and the rest goes on (deadLetter)", async () => {
    const top = bench();
    const plan = planOf(failing(new Poison(BAD, 3), "deadLetter"));
    await top.send(source, itemsOf(COUNT));
    const { app, events } = workerOf(top);
    await top.complete(app, plan);
    expect(await numbersIn(top)).toEqual(numbersBut(COUNT, BAD, 3));
    expectKeysInOrder(await top.read(copy));
    expect(numbersOf(await top.settle(app.deadLetters(plan).list())).toSorted((a, b) => a - b)).toEqual([3, BAD]);
    expect(pick(events, "DeadLettered")).toHaveLength(2);
  });

  it("is a letter with all that follows of its key, also after a restart, and the other keys go on (park)", async () => {
    const top = bench();
    const poison = new Poison(BAD);
    const plan = planOf(failing(poison, "park"));
    const all = itemsOf(COUNT);
    const ofKey = numbersBut(COUNT).filter((n) => n % 7 === BAD % 7 && n >= BAD);
    await top.send(source, all.slice(0, 40), { end: false, id: "p" });
    const before = await top.settle(top.app().run(plan));
    await committed(top, plan, 40);
    await top.settle(before.stop());
    poison.repair();
    const { app } = workerOf(top);
    const running = await top.settle(app.run(plan));
    await top.send(source, all, { end: false, id: "p" });
    await committed(top, plan, COUNT);
    expect(await numbersIn(top)).toEqual(numbersBut(COUNT, ...ofKey));
    const letters = await top.settle(app.deadLetters(plan).list());
    expect(numbersOf(letters)).toEqual(ofKey);
    expect(letters.map(({ isBehind }) => isBehind)).toEqual(ofKey.map((n) => n !== BAD));
    expect(await top.settle(app.deadLetters(plan).redrive({ all: true }))).toEqual({
      done: ofKey.length,
      remaining: 0,
      waiting: 0,
    });
    await top.send(source, [], { end: true });
    await top.settle(running.done);
    expectAllInOrder(await top.read(copy), COUNT);
  });

  it("is what a function says of the error and the record (function)", async () => {
    const top = bench();
    const seen: [string, string][] = [];
    const onError = (error: unknown, record: RecordInfo): FailureDecision => {
      const { message } = error as Error;
      seen.push([message, record.key]);
      return message === "no 3" ? "skip" : message === "no 4" ? "deadLetter" : "park";
    };
    const plan = planOf(failing(new Poison(3, 4, 5), onError));
    await top.send(source, itemsOf(COUNT));
    const { app, events } = workerOf(top);
    await top.complete(app, plan);
    const parked = numbersBut(COUNT).filter((n) => n % 7 === 5);
    expect(await numbersIn(top)).toEqual(numbersBut(COUNT, 3, 4, ...parked));
    expect(pick(events, "Skipped")).toHaveLength(1);
    expect(numbersOf(await top.settle(app.deadLetters(plan).list())).toSorted((a, b) => a - b)).toEqual([4, ...parked]);
    expect(seen.toSorted(([a], [b]) => a.localeCompare(b))).toEqual([
      ["no 3", "key-3"],
      ["no 4", "key-4"],
      ["no 5", "key-5"],
    ]);
  });

  it.each([
    [
      "throws",
      (): FailureDecision => {
        throw new Error("the function's own");
      },
      "the function's own",
    ],
    ["says nothing that there is", () => "retry" as FailureDecision, 'onError answered "retry": that is none of'],
  ])("stops the task when the function itself %s", async (_what, onError, reason) => {
    const top = bench();
    await top.send(source, itemsOf(COUNT));
    const error = await rejection(top.complete(top.app(), planOf(failing(new Poison(BAD), onError))));
    expect(error).toBeInstanceOf(HandlerError);
    expect((error as HandlerError).cause).toMatchObject({ message: expect.stringContaining(reason) });
    expect((await numbersIn(top)).filter((n) => isBeside(n, BAD))).toEqual(
      numbersBut(BAD).filter((n) => isBeside(n, BAD)),
    );
  });
});
