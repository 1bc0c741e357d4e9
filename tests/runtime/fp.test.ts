/** The fp door in running pipelines: who decides about Lefts and defects, and what follows from it. */
import { around, HandlerError, pipeline, sink, stream } from "@millrace/core";
import { doneTE, LeftError, type MapOrderedTEOptions, mapEitherK, runTE } from "@millrace/core/fp";
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { describe, expect, it } from "vitest";
import { bench, type Item, items, sequence } from "./support/bench-top.ts";
import {
  type Answer,
  type Busy,
  copy,
  letters,
  numbersBut,
  planOf,
  type Refused,
  refused,
  source,
  written,
} from "./support/fp.ts";
import { pick } from "./support/workers.ts";

describe("a Left", () => {
  const refuseFives: Answer = (item) => (item.n % 5 === 0 ? TE.left(refused(item.n)) : TE.right(item));

  it.each<[string, MapOrderedTEOptions<Item, Refused | Busy>]>([
    ["a literal", { onLeft: "skip" }],
    ["a function", { onLeft: (left) => (left._tag === "Refused" ? "skip" : "fail") }],
    ["a function beside another policy of defects", { onLeft: () => "skip", onError: "quarantine" }],
  ])("is skipped where onLeft says so as %s, and told of", async (_how, options) => {
    const top = bench();
    await top.send(source, sequence(20));
    await top.complete(top.app(), planOf(refuseFives, options));
    expect(await written(top)).toEqual(numbersBut(20, 0, 5, 10, 15));
    const errors = pick(top.events, "Skipped").map(({ error }) => error);
    expect(errors.map((error) => error instanceof LeftError && error.left)).toEqual([0, 5, 10, 15].map(refused));
  });

  it("fails the task by default: what came before commits, and it starts again", async () => {
    const top = bench();
    await top.send(source, sequence(40));
    let refusals = 2;
    const running = await top.settle(
      top.app("app", { restart: {} }).run(
        planOf((item) => {
          if (item.n === 20 && refusals > 0) {
            refusals -= 1;
            return TE.left(refused(20));
          }
          return TE.right(item);
        }),
      ),
    );
    await top.settle(running.done);
    expect(await written(top)).toEqual(numbersBut(40));
    const errors = pick(top.events, "Restarting").map(({ error }) => error);
    expect(errors).toHaveLength(2);
    for (const error of errors) {
      expect(error).toBeInstanceOf(HandlerError);
      expect(error).toMatchObject({ at: { topic: "source" }, cause: { _tag: "LeftError", left: { n: 20 } } });
      expect(error.message).not.toContain("secret");
    }
  });

  it("becomes a dead letter with the operator's input; of the left only the tag is in it", async () => {
    const top = bench();
    await top.send(source, sequence(20));
    const dead = items("refused", { partitions: 1 });
    const options = { onLeft: "deadLetter", name: "charge", deadLetters: { topic: "refused" } } as const;
    await top.complete(top.app(), planOf(refuseFives, options));
    expect(await written(top)).toEqual(numbersBut(20, 0, 5, 10, 15));
    const found = await letters(top, dead, 4);
    expect(found.map(([{ value }]) => value.n)).toEqual([0, 5, 10, 15]);
    for (const [record, { node, attempts, errors }] of found) {
      expect({ node, attempts }).toMatchObject({ node: expect.stringContaining("charge"), attempts: 1 });
      expect(errors).toMatchObject([{ name: "LeftError", message: "the function answered with a Left: Refused" }]);
      expect(JSON.stringify(record)).not.toContain("secret");
    }
    expect(pick(top.events, "DeadLettered")).toHaveLength(4);
  });

  it("parks its key: later values of the key follow it, other keys go on", async () => {
    const top = bench();
    await top.send(source, sequence(20, 2));
    const dead = items("parked", { partitions: 1 });
    const refuseSix: Answer = (item) => (item.n === 6 ? TE.left(refused(6)) : TE.right(item));
    await top.complete(top.app(), planOf(refuseSix, { onLeft: "park", deadLetters: { topic: "parked" } }));
    const parked = [6, 8, 10, 12, 14, 16, 18];
    expect(await written(top)).toEqual(numbersBut(20, ...parked));
    const found = await letters(top, dead, parked.length);
    expect(found.map(([{ value }]) => value.n)).toEqual(parked);
    expect(found.map(([, letter]) => letter.errors.length)).toEqual(parked.map((n) => (n === 6 ? 1 : 0)));
  });

  it("is not what a function throws: onError decides about that, and onLeft is not asked", async () => {
    const top = bench();
    await top.send(source, sequence(20));
    const asked: string[] = [];
    const boom = new RangeError("boom");
    const answer: Answer = (item) => (item.n === 7 ? () => Promise.reject(boom) : refuseFives(item, 1));
    const plan = planOf(answer, {
      onLeft: (left) => {
        asked.push(left._tag);
        return "skip";
      },
      onError: (defect) => (defect === boom ? "skip" : "fail"),
    });
    await top.complete(top.app(), plan);
    expect(await written(top)).toEqual(numbersBut(20, 0, 5, 7, 10, 15));
    expect(asked).toEqual(["Refused", "Refused", "Refused", "Refused"]);
    expect(pick(top.events, "Skipped").map(({ error }) => error)).toContain(boom);
  });

  it("about which onLeft itself fails is a failure of the task, whatever becomes of defects", async () => {
    const top = bench();
    await top.send(source, sequence(10));
    let failures = 1;
    const plan = planOf(refuseFives, {
      onLeft: () => {
        failures -= 1;
        if (failures >= 0) {
          throw new RangeError("boom");
        }
        return "skip";
      },
      onError: "skip",
    });
    const running = await top.settle(top.app("app", { restart: {} }).run(plan));
    await top.settle(running.done);
    expect(await written(top)).toEqual(numbersBut(10, 0, 5));
    expect(pick(top.events, "Restarting")).toMatchObject([{ error: { cause: { message: "boom" } } }]);
  });
});

describe("mapEitherK", () => {
  const refuseFives = (item: Item): E.Either<Refused, Item> =>
    item.n % 5 === 0 ? E.left(refused(item.n)) : E.right(item);

  it("skips, and writes dead letters, as onLeft says for each Left", async () => {
    const top = bench();
    await top.send(source, sequence(20));
    const plan = pipeline(
      "copy",
      stream(source).pipe(
        mapEitherK(refuseFives, {
          onLeft: (left, record) => (left.n === 10 && record.topic === "source" ? "deadLetter" : "skip"),
          deadLetters: { topic: "refused" },
        }),
        sink(copy),
      ),
    );
    await top.complete(top.app(), plan);
    expect(await written(top)).toEqual(numbersBut(20, 0, 5, 10, 15));
    const [[letter] = []] = await letters(top, items("refused", { partitions: 1 }), 1);
    expect(letter?.value.n).toBe(10);
    expect(pick(top.events, "Skipped")).toHaveLength(3);
  });

  it("knows its Lefts behind a handler of around, unless that throws something else in their place", async () => {
    const top = bench();
    await top.send(source, sequence(20));
    const changed = around((next, { record }) => {
      try {
        return next();
      } catch (error) {
        throw record.timestamp === 10_000 ? new RangeError("in its place") : error;
      }
    });
    const policy = { onLeft: "skip", onError: "deadLetter", deadLetters: { topic: "refused" } } as const;
    const plan = pipeline("copy", stream(source).pipe(changed(mapEitherK(refuseFives, policy)), sink(copy)));
    await top.complete(top.app(), plan);
    expect(await written(top)).toEqual(numbersBut(20, 0, 5, 10, 15));
    expect(pick(top.events, "Skipped")).toHaveLength(3);
    expect(pick(top.events, "DeadLettered")).toMatchObject([{ error: { message: "in its place" } }]);
  });

  it("fails the task by default, and for a defect, whatever becomes of Lefts", async () => {
    const top = bench();
    await top.send(source, sequence(20));
    let defects = 1;
    const f = (item: Item): E.Either<Refused, Item> => {
      if (item.n === 7 && defects > 0) {
        defects -= 1;
        throw new RangeError("boom");
      }
      return refuseFives(item);
    };
    const plan = pipeline("copy", stream(source).pipe(mapEitherK(f, { onLeft: "skip" }), sink(copy)));
    const running = await top.settle(top.app("app", { restart: {} }).run(plan));
    await top.settle(running.done);
    expect(await written(top)).toEqual(numbersBut(20, 0, 5, 10, 15));
    expect(pick(top.events, "Restarting")).toMatchObject([{ error: { cause: { message: "boom" } } }]);
  });
});

describe("runTE and doneTE", () => {
  it("run pipelines to the end of their input", async () => {
    const top = bench();
    await top.send(source, sequence(20));
    const run = pipe(
      runTE(top.app(), planOf(TE.right)),
      TE.chainFirst(doneTE),
      TE.map((running) => running.status().length),
    );
    expect(await top.settle(run())).toEqual(E.right(1));
    expect(await written(top)).toEqual(numbersBut(20));
  });

  it("stop with the signal that they are given", async () => {
    const top = bench();
    await top.send(source, sequence(20), { end: false });
    const signal = AbortSignal.abort();
    const run = pipe(runTE(top.app(), planOf(TE.right), { signal }), TE.chain(doneTE));
    expect(await top.settle(run())).toEqual(E.right(undefined));
  });

  it("are Left with the error for which nothing runs", async () => {
    const top = bench();
    await top.send(items("source", { partitions: 3 }), sequence(1));
    const result = await top.settle(runTE(top.app(), planOf(TE.right))());
    expect(result).toMatchObject({ left: { _tag: "TopicMismatch" } });
  });
});
