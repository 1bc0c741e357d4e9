/** Entries that do not decode, under each policy of the stream. Memory; what is no record at all is in poison-redis.test.ts. */
import {
  DecodeError,
  type FailureDecision,
  json,
  map,
  mapOrdered,
  type Pipeline,
  pipeline,
  type StreamOptions,
  sink,
  stream,
  topic,
} from "@millrace/core";
import * as t from "io-ts";
import { describe, expect, it } from "vitest";
import { type Bench, bench, type Item, items } from "./support/bench-top.ts";
import { killedAtEachCommit } from "./support/crash.ts";
import {
  committed,
  copy,
  expectAllInOrder,
  grown,
  isBeside,
  itemsOf,
  numbersBut,
  numbersIn,
  PARTITIONS,
  source,
} from "./support/poison.ts";
import { killedWhileAsked } from "./support/poison-scenes.ts";
import { pick, workerOf } from "./support/workers.ts";

const COUNT = 35;
const BAD = 11;
const OF_KEY = numbersBut(COUNT).filter((n) => n % 7 === BAD % 7 && n >= BAD);
const IN_FRONT_AND_ELSEWHERE = numbersBut(COUNT).filter((n) => n < BAD || !isBeside(n, BAD));

/** The items, of which one is written by a program that has grown. */
const values = itemsOf(COUNT).map((item) => (item.n === BAD ? { ...item, n: String(item.n) } : item));
const badText = JSON.stringify(values[BAD]);

type Policy = NonNullable<StreamOptions["onError"]>;

function planOf(onError: Policy): Pipeline {
  return pipeline("copy", stream(source, { onError }).pipe(sink(copy)));
}

/** The next version of the program: it reads the same topic, and understands all of it. */
function mendedPlan(onError: Policy): Pipeline {
  return pipeline(
    "copy",
    stream(grown, { onError }).pipe(
      map((item): Item => ({ ...item, n: Number(item.n) })),
      sink(copy),
    ),
  );
}

async function sent(top: Bench): Promise<void> {
  await top.send(grown, values, { end: false });
}

async function mended(top: Bench, onError: Policy): Promise<void> {
  await top.send(grown, [], { end: true });
  await top.complete(top.app(), mendedPlan(onError));
  expectAllInOrder(await top.read(copy), COUNT);
}

describe("an entry that does not decode", () => {
  it("stops its partition only, until a version runs that understands it (fail)", async () => {
    const top = bench();
    await sent(top);
    const { app, events } = workerOf(top, {}, { restart: {} });
    const running = await top.settle(app.run(planOf("fail")));
    await top.clock.advance(30_000);
    expect(await numbersIn(top)).toEqual(IN_FRONT_AND_ELSEWHERE);
    const restarts = pick(events, "Restarting");
    expect(restarts.map(({ restart }) => restart)).toEqual(restarts.map((_, index) => index + 1));
    expect(restarts.length).toBeGreaterThan(4);
    expect(restarts.every(({ error }) => error instanceof DecodeError && error.raw === badText)).toBe(true);
    await top.settle(running.stop());
    await mended(top, "fail");
  });

  it("quarantines its partition, until a version runs that understands it, and it is resumed (quarantine)", async () => {
    const top = bench();
    await sent(top);
    const { app, events } = workerOf(top);
    const running = await top.settle(app.run(planOf("quarantine")));
    await top.clock.advance(30_000);
    expect(await numbersIn(top)).toEqual(IN_FRONT_AND_ELSEWHERE);
    expect(pick(events, "Quarantined")).toHaveLength(1);
    expect(pick(events, "Restarting")).toEqual([]);
    await top.settle(running.stop());
    const next = workerOf(top);
    const again = await top.settle(next.app.run(mendedPlan("quarantine")));
    await top.clock.advance(10_000);
    expect(await numbersIn(top)).toEqual(IN_FRONT_AND_ELSEWHERE);
    expect(await top.settle(next.app.resume(mendedPlan("quarantine")))).toBe(1);
    await committed(top, mendedPlan("quarantine"), COUNT);
    await top.settle(again.stop());
    expectAllInOrder(await top.read(copy), COUNT);
  });

  it("is dropped and counted, under the name of its topic (skip)", async () => {
    const top = bench();
    await sent(top);
    const { app, events } = workerOf(top);
    const running = await top.settle(app.run(planOf("skip")));
    await committed(top, planOf("skip"), COUNT);
    expect(await numbersIn(top)).toEqual(numbersBut(COUNT, BAD));
    expect(pick(events, "Skipped")).toEqual([
      expect.objectContaining({ node: "source", error: expect.any(DecodeError) }),
    ]);
    await top.settle(running.stop());
  });

  it.each<readonly [string, Policy, readonly number[]]>([
    ["deadLetter", "deadLetter", [BAD]],
    ["park", "park", OF_KEY],
    ["a function", (error) => (error instanceof DecodeError ? "park" : ("none" as FailureDecision)), OF_KEY],
  ])(
    "is a letter with the text as it lies in the topic, redriven by the next version (%s)",
    async (_, onError, numbers) => {
      const top = bench();
      await sent(top);
      const { app } = workerOf(top);
      const running = await top.settle(app.run(planOf(onError)));
      await committed(top, planOf(onError), COUNT);
      expect(await numbersIn(top)).toEqual(numbersBut(COUNT, ...numbers));
      const dead = app.deadLetters(planOf(onError));
      const letters = await top.settle(dead.list());
      expect(letters.map(({ input }) => input)).toEqual(numbers.map((n) => JSON.stringify(values[n])));
      expect(letters[0]).toMatchObject({
        node: "source",
        isBehind: false,
        key: `key-${BAD % 7}`,
        timestamp: BAD * 1_000,
        attempts: 1,
        errors: [{ name: "DecodeError", code: "MR_DECODE", message: expect.stringContaining("n: expected number") }],
      });
      // The version that cannot read it tries in vain, and loses nothing by it.
      expect(await top.settle(dead.redrive({ all: true }))).toEqual({ done: 0, remaining: numbers.length, waiting: 0 });
      expect(await top.settle(dead.list())).toEqual(letters);
      await top.settle(running.stop());

      const next = workerOf(top);
      const again = await top.settle(next.app.run(mendedPlan(onError)));
      const nextDead = next.app.deadLetters(mendedPlan(onError));
      expect(await top.settle(nextDead.redrive({ all: true }))).toEqual({
        done: numbers.length,
        remaining: 0,
        waiting: 0,
      });
      await top.settle(again.stop());
      expect(await numbersIn(top)).toEqual(numbersBut(COUNT));
      const ofKey = (await top.read(copy)).filter(({ key }) => key === `key-${BAD % 7}`).map(({ value }) => value.n);
      const others = numbersBut(COUNT, ...numbers).filter((n) => n % 7 === BAD % 7);
      expect(ofKey).toEqual([...others, ...numbers]);
    },
  );

  it("is redriven once by the next version, whenever its worker is killed", { timeout: 60_000 }, async () => {
    const kills = await killedAtEachCommit(async (kill) => {
      const top = bench();
      await sent(top);
      const first = await top.settle(top.app().run(planOf("park")));
      await committed(top, planOf("park"), COUNT);
      await top.settle(first.stop());
      const plan = mendedPlan("park");
      const dead = top.app("app").deadLetters(plan);
      const { wasKilled, answers } = await killedWhileAsked({ top, plan, kill }, () => [
        dead.redrive({ node: "source" }),
      ]);
      expect(answers).toEqual([{ done: OF_KEY.length, remaining: 0, waiting: 0 }]);
      expectAllInOrder(await top.read(copy), COUNT);
      return wasKilled;
    });
    expect(kills).toBeGreaterThan(4);
  });
});

describe("entries of a stream with a policy", () => {
  it("are judged by its operators under theirs: one poison for each leaves one letter for each", async () => {
    const top = bench();
    await sent(top);
    const fails = async (item: Item): Promise<Item> => {
      if (item.n === 4) {
        throw new RangeError("no 4");
      }
      return item;
    };
    const plan = pipeline(
      "copy",
      stream(source, { onError: "deadLetter" }).pipe(
        mapOrdered(fails, { onError: "deadLetter", name: "enrich" }),
        sink(copy),
      ),
    );
    const { app } = workerOf(top);
    const running = await top.settle(app.run(plan));
    await committed(top, plan, COUNT);
    const letters = await top.settle(app.deadLetters(plan).list());
    expect(letters.map(({ node }) => node).toSorted()).toEqual(["enrich", "source"]);
    expect(await top.settle(app.deadLetters(plan).discard({ node: "source" }))).toMatchObject({ done: 1 });
    expect((await top.settle(app.deadLetters(plan).list())).map(({ node }) => node)).toEqual(["enrich"]);
    await top.settle(running.stop());
  });

  it("have the key and the time of their record, so that what decodes stays behind what does not", async () => {
    const top = bench();
    const text = topic("source", {
      codec: json(t.unknown),
      key: () => "key-4",
      timestamp: () => 5,
      partitions: PARTITIONS,
    });
    await top.send(text, ["no item", { key: "key-4", n: 1, at: 5 }], { end: false });
    const { app } = workerOf(top);
    const running = await top.settle(app.run(planOf("park")));
    await committed(top, planOf("park"), 2);
    const letters = await top.settle(app.deadLetters(planOf("park")).list({ key: "key-4" }));
    expect(letters.map(({ isBehind, input, timestamp }) => [isBehind, input, timestamp])).toEqual([
      [false, '"no item"', 5],
      [true, '{"key":"key-4","n":1,"at":5}', 5],
    ]);
    await top.settle(running.stop());
  });
});

describe("a stream without a policy", () => {
  it("says so where nothing can be redriven", async () => {
    const top = bench();
    const plan = pipeline("copy", stream(items("source", { partitions: 1 })).pipe(sink(copy)));
    expect(await top.settle(top.app().deadLetters(plan).list())).toEqual([]);
  });
});
