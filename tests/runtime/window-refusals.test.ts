/** What windows, aggregates and deduplicate make of bad input while they run: functions that fail, states that are none. */
import {
  type Aggregate,
  type Codec,
  deduplicate,
  every,
  type OnError,
  type Pipeline,
  pipeline,
  session,
  sink,
  stream,
  tumbling,
} from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import { describe, expect, it } from "vitest";
import { bench, type Item, items } from "./support/bench-top.ts";
import { at, counted, failure, readings, rows, texts, type Varied } from "./support/window-bench.ts";
import { pick } from "./support/workers.ts";

/** The number of the reading for which things go wrong. */
const BAD = 666;

/** Counts, unless something is in the way. */
function counting(what: Partial<Aggregate<Item, number>>): Aggregate<Item, number> {
  return {
    name: "counting",
    init: () => 0,
    add: (state: number) => state + 1,
    merge: (a: number, b: number) => a + b,
    out: (state: number) => state,
    ...what,
  };
}

const boom = (): never => {
  throw new RangeError("secret");
};
const badAdd = (state: number, { n }: Item): number => (n === BAD ? boom() : state + 1);
const input = [at(1), at(2, "a", BAD), at(3, "b"), at(4), at(21)];
/** The results of {@link input} without the bad reading. */
const WITHOUT = ['a 0-10 {"n":2}', 'b 0-10 {"n":1}', 'a 20-30 {"n":1}'];

describe("an aggregate that throws for a record", () => {
  it.each<readonly [string, Partial<Aggregate<Item, number>>, Varied]>([
    ["in add", { add: badAdd }, {}],
    ["in add, for a session", { add: badAdd }, { spec: session("5 s") }],
    [
      "in merge",
      {
        add: (state: number, { n }: Item) => (n === BAD ? BAD : state + 1),
        merge: (a: number, b: number) => (b === BAD ? boom() : a + b),
      },
      // The state of the bad reading is that of a session of its own, which the next one merges.
      { spec: session("500 ms") },
    ],
    [
      "in out, with updates",
      {
        add: (state: number, { n }: Item) => (n === BAD ? BAD : state + 1),
        out: (state: number) => (state === BAD ? boom() : state),
      },
      { emit: "updates" },
    ],
  ])("%s fails with the record and the operator, without what it threw", async (what, aggregated, options) => {
    const top = bench();
    const records = what === "in merge" ? [at(1), at(2, "a", BAD), at(2.4)] : input;
    await top.send(readings, records);
    const error = await failure(top, counted(counting(aggregated), options));
    expect(error).toMatchObject({ _tag: "HandlerError", at: { topic: "readings", partition: 0 } });
    expect((error as Error).message).toMatch(
      /^operator "window.*" failed for the record at readings\/0 offset .*: RangeError \(see cause\)$/,
    );
  });

  it("in init fails with the first record", async () => {
    const top = bench();
    await top.send(readings, input);
    const error = await failure(top, counted(counting({ init: boom })));
    expect(error).toMatchObject({ _tag: "HandlerError", at: { topic: "readings", partition: 0 } });
  });

  it("is skipped without an effect, and the rest counts", async () => {
    const top = bench();
    await top.send(readings, input);
    await top.complete(top.app(), counted(counting({ add: badAdd }), { onError: "skip" }));
    expect(texts(await top.read(rows))).toEqual(WITHOUT);
    expect(pick(top.events, "Skipped")).toHaveLength(1);
  });

  it("becomes a dead letter, and counts when it is redriven", async () => {
    const top = bench();
    await top.send(readings, input.slice(0, -1), { end: false });
    let isBroken = true;
    const add = (state: number, item: Item): number => (isBroken ? badAdd(state, item) : state + 1);
    const plan = counted(counting({ add }), { onError: "deadLetter" });
    const app = top.app();
    const running = await top.settle(app.run(plan));
    await top.caughtUp(running, input.length - 1);
    const letters = app.deadLetters(plan);
    expect((await top.settle(letters.list())).map(({ errors }) => errors)).toEqual([
      [{ name: "RangeError", message: "secret", code: null }],
    ]);
    isBroken = false;
    expect(await top.settle(letters.redrive({ all: true }))).toMatchObject({ done: 1 });
    await top.send(readings, input.slice(-1));
    await top.settle(running.done);
    expect(texts(await top.read(rows))).toEqual(['a 0-10 {"n":3}', ...WITHOUT.slice(1)]);
  });

  it("parks its key, and the other keys go on", async () => {
    const top = bench();
    await top.send(readings, input);
    const app = top.app();
    const plan = counted(counting({ add: badAdd }), { onError: "park" });
    await top.complete(app, plan);
    expect(texts(await top.read(rows))).toEqual(['a 0-10 {"n":1}', 'b 0-10 {"n":1}']);
    expect(await top.settle(app.deadLetters(plan).list())).toHaveLength(3);
  });

  it("quarantines its task in front of the record", async () => {
    const top = bench();
    await top.send(readings, input);
    const app = top.app();
    const running = await top.settle(app.run(counted(counting({ add: badAdd }), { onError: "quarantine" })));
    await top.clock.advance(2_000);
    expect(running.status()).toEqual([expect.objectContaining({ state: "quarantined", processed: 1 })]);
    await top.settle(running.stop());
  });
});

describe("an aggregate that throws when a window closes, where there is no record", () => {
  const closing = counting({ out: boom });

  it.each<readonly [string, Varied]>([
    ["final results", {}],
    ["final results, under deadLetter: there is no value for a letter", { onError: "deadLetter" }],
    ["final results of sessions", { spec: session("1 s") }],
    ["updates by the clock", { emit: every("1 s") }],
    ["updates of sessions by the clock", { spec: session("1 s"), emit: every("1 s") }],
  ])("stops the task, names operator, window and key, and changes nothing: %s", async (_what, options) => {
    const top = bench();
    await top.send(readings, [at(1), at(30)]);
    const error = await failure(top, counted(closing, options));
    expect(error).toMatchObject({ _tag: "HandlerError", at: null, cause: { message: "secret" } });
    expect((error as Error).message).toMatch(
      /^operator "window.*" failed .*per-ten\/a\/(0|1000).*: RangeError \(see cause\)$/,
    );
    expect((error as Error).message).not.toContain("secret");
  });

  it("is tried again with pauses, not in a hot loop, and goes on when it is repaired", async () => {
    const top = bench();
    await top.send(readings, [at(1), at(30)]);
    let calls = 0;
    const repaired = counting({
      out: (state: number) => {
        calls += 1;
        return calls > 3 ? state : boom();
      },
    });
    const app = top.app("app", { restart: { attempts: 5, backoff: "1 s" } });
    await top.complete(app, counted(repaired));
    expect(pick(top.events, "Restarting").map(({ pauseMs }) => pauseMs >= 500)).toEqual([true, true, true]);
    expect(texts(await top.read(rows))).toEqual(['a 0-10 {"n":1}', 'a 30-40 {"n":1}']);
  });
});

describe("a state that has no text", () => {
  const bads: readonly (readonly [string, unknown])[] = [
    ["NaN", Number.NaN],
    ["undefined", undefined],
    ["a Date", new Date(0)],
    ["a function", () => 1],
    ["Infinity in a list", [Number.POSITIVE_INFINITY]],
  ];

  it.each(bads)("made by add is refused for its record: %s", async (_what, bad) => {
    const top = bench();
    await top.send(readings, input);
    const add = (state: number, { n }: Item): unknown => (n === BAD ? bad : state + 1);
    const app = top.app();
    const plan = counted(counting({ add }), { onError: "deadLetter" });
    await top.complete(app, plan);
    const [letter, ...others] = await top.settle(app.deadLetters(plan).list());
    expect(others).toEqual([]);
    expect(letter?.errors[0]).toMatchObject({
      code: "MR_ENCODE",
      message: expect.stringContaining('window: the state of aggregate "n" cannot be stored') as string,
    });
    expect(texts(await top.read(rows))).toEqual(WITHOUT);
  });

  it.each(bads)("made by merge is refused for its record: %s", async (_what, bad) => {
    const top = bench();
    await top.send(readings, [at(1), at(2), at(30)]);
    const merge = (a: number, b: number): unknown => (a === 1 || b === 1 ? bad : a + b);
    const app = top.app();
    const options = { onError: "deadLetter", spec: session("5 s") } as const;
    const plan = counted(counting({ merge, add: (state: unknown) => (state === 0 ? 1 : state) }), options);
    await top.complete(app, plan);
    const letters = await top.settle(app.deadLetters(plan).list());
    expect(letters.map(({ timestamp, errors }) => [timestamp, errors[0]?.code])).toEqual([[2_000, "MR_ENCODE"]]);
  });

  it.each([tumbling("10 s"), session("10 s")])(
    "for the user's codec is refused for its record ($kind)",
    async (spec) => {
      const top = bench();
      await top.send(readings, [at(1), at(2), at(3), at(4, "b"), at(31)]);
      const codec: Codec<Readonly<Record<string, unknown>>> = {
        name: "not 3",
        encode: (states) =>
          states["n"] === 3 ? E.left([{ path: "n", message: "is 3" }]) : E.right(JSON.stringify(states)),
        decode: (text) => E.right(JSON.parse(text) as Readonly<Record<string, unknown>>),
      };
      const app = top.app();
      const plan = counted(counting({}), { onError: "deadLetter", state: { codec }, spec });
      await top.complete(app, plan);
      expect((await top.settle(app.deadLetters(plan).list())).map(({ errors }) => errors[0])).toEqual([
        { name: "MillraceError", message: "the state's codec refuses it: n: is 3", code: "MR_ENCODE" },
      ]);
      expect((await top.read(rows)).map(({ value }) => value.value)).toEqual([{ n: 2 }, { n: 1 }, { n: 1 }]);
    },
  );

  it("fails under the default policy with the record", async () => {
    const top = bench();
    await top.send(readings, input);
    const add = (state: number, { n }: Item): number => (n === BAD ? Number.NaN : state + 1);
    expect(await failure(top, counted(counting({ add })))).toMatchObject({
      _tag: "HandlerError",
      at: { topic: "readings" },
      cause: { _tag: "EncodeError" },
    });
  });
});

describe("deduplicate", () => {
  const told = items("told", { partitions: 1 });
  const plan = (onError: OnError): Pipeline =>
    pipeline(
      "p",
      stream(readings).pipe(
        deduplicate(({ n }: Item) => (n === BAD ? (BAD as unknown as string) : String(n)), { within: "1 h", onError }),
        sink(told),
      ),
    );

  it("refuses an identity that is no text, for its record", async () => {
    const top = bench();
    await top.send(readings, [at(1, "a", 1), at(2, "a", BAD), at(3, "a", 1), at(4, "a", 2)]);
    const error = await failure(top, plan("fail"));
    expect(error).toMatchObject({
      _tag: "HandlerError",
      at: { topic: "readings" },
      cause: { message: "deduplicate: an identity must be a string, not a number" },
    });
  });

  it.each(["skip", "deadLetter"] as const)("goes on behind it under %j", async (onError) => {
    const top = bench();
    await top.send(readings, [at(1, "a", 1), at(2, "a", BAD), at(3, "a", 1), at(4, "a", 2)]);
    await top.complete(top.app(), plan(onError));
    expect((await top.read(told)).map(({ value }) => value.n)).toEqual([1, 2]);
  });
});
