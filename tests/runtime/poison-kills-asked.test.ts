/** Who asks for letters, and what lies around them, while workers are killed around each of their commits in turn. */
import {
  count,
  map,
  mapOrdered,
  pipeline,
  type SinkCall,
  sink,
  sleep,
  stream,
  sum,
  tumbling,
  window,
} from "@millrace/core";
import { describe, expect, it } from "vitest";
import { bench, type Item } from "./support/bench-top.ts";
import { killedAtEachCommit } from "./support/crash.ts";
import { committed, copy, itemsOf, numbersBut, numbersOf, Poison, sorted, source } from "./support/poison.ts";
import {
  BAD,
  type Case,
  COUNT,
  copied,
  KEYS,
  PARKED,
  summed,
  toTotal,
  totals,
  withLetters,
} from "./support/poison-cases.ts";
import { finished, killedWhileAsked } from "./support/poison-scenes.ts";
import { pick } from "./support/workers.ts";

/** Each runs its scenario some twenty times. */
const TIMEOUT_MS = 60_000;

describe("letters in the middle of a pipeline with a backlog in front of them", { timeout: TIMEOUT_MS }, () => {
  it("are redriven once, and no record overtakes another of its key or is missing in a window, whenever the worker is killed", async () => {
    const kills = await killedAtEachCommit(async (kill) => {
      const top = bench();
      const poison = new Poison(...BAD);
      const plan = pipeline(
        "copy",
        stream(source).pipe(
          mapOrdered(
            async (item: Item, _record, { signal }) => {
              await sleep(top.clock, 20 + (item.n % 3) * 15, signal);
              return item;
            },
            { concurrency: 3 },
          ),
          map(poison.check, { onError: "park" }),
          window(tumbling("1 day"), { total: sum((item) => item.n), records: count() }, { grace: "0 s" }),
          toTotal,
          sink(totals),
        ),
      );
      const all = itemsOf(COUNT, KEYS);
      await top.send(source, all.slice(0, 24), { end: false, id: "p" });
      const first = await top.settle(top.app().run(plan));
      await committed(top, plan, 24);
      await top.settle(first.stop());
      poison.repair();
      await top.send(source, all, { end: false, id: "p" });
      const dead = top.app("app").deadLetters(plan);
      const { wasKilled } = await killedWhileAsked({ top, plan, kill }, () => [dead.redrive({ all: true })], 0);
      // What came while the letters were redriven may have become letters, too.
      await top.settle(dead.redrive({ all: true }));
      await finished(top, plan);
      await summed(top);
      return wasKilled;
    });
    expect(kills).toBeGreaterThan(8);
  });
});

const parking: Case["plan"] = (check) =>
  pipeline("copy", stream(source).pipe(map(check, { onError: "park" }), sink(copy)));

describe("whoever asks for a redrive while workers are killed", { timeout: TIMEOUT_MS }, () => {
  it("for a number of letters gets no more than that, from every partition", async () => {
    const kills = await killedAtEachCommit(async (kill) => {
      const { top, plan, dead, ask } = await withLetters(parking);
      const ofKey = PARKED.filter((n) => n % KEYS === 1);
      const { wasKilled, answers } = await killedWhileAsked({ top, plan, kill }, ask({ key: "key-1", limit: 3 }));
      expect(answers).toEqual([{ done: 3, remaining: 0, waiting: 0 }]);
      expect(numbersOf(await top.settle(dead.list({ key: "key-1" })))).toEqual(ofKey.slice(3));
      return wasKilled;
    });
    expect(kills).toBeGreaterThan(2);
  });

  it("at once with somebody else shares the letters with them: each is redriven once", async () => {
    const kills = await killedAtEachCommit(async (kill) => {
      const { top, plan, ask } = await withLetters(parking);
      const { wasKilled, answers } = await killedWhileAsked({ top, plan, kill }, ask({ all: true }, { all: true }));
      expect(answers.reduce((total, { done }) => total + done, 0)).toBe(PARKED.length);
      await finished(top, plan);
      await copied(top);
      return wasKilled;
    });
    expect(kills).toBeGreaterThan(4);
  });

  it("means the letters that were there: those that the redrive itself causes further on are not tried, whenever a worker is killed", async () => {
    const kills = await killedAtEachCommit(async (kill) => {
      const top = bench();
      const poison = new Poison(...BAD);
      const behind = new Poison();
      const plan = pipeline(
        "copy",
        stream(source).pipe(
          map(poison.check, { onError: "deadLetter", name: "first" }),
          map(behind.check, { onError: "deadLetter", name: "second" }),
          sink(copy),
        ),
      );
      await top.send(source, itemsOf(COUNT, KEYS), { end: false });
      const first = await top.settle(top.app().run(plan));
      await committed(top, plan, COUNT);
      await top.settle(first.stop());
      poison.repair();
      for (const n of BAD) {
        behind.bad.add(n);
      }
      const dead = top.app("app").deadLetters(plan);
      const { wasKilled, answers } = await killedWhileAsked({ top, plan, kill }, () => [dead.redrive({ all: true })]);
      expect(answers).toEqual([{ done: BAD.length, remaining: 0, waiting: 0 }]);
      expect((await top.settle(dead.list())).map(({ node }) => node)).toEqual(BAD.map(() => "second"));
      expect(pick(top.events, "RedriveFailed")).toEqual([]);
      return wasKilled;
    });
    expect(kills).toBeGreaterThan(4);
  });

  it("discards each letter once, and nothing of it is ever processed", async () => {
    const kills = await killedAtEachCommit(async (kill) => {
      const { top, plan, dead } = await withLetters(parking);
      const discard = () => [dead.discard({ all: true })];
      const { wasKilled, answers } = await killedWhileAsked({ top, plan, kill }, discard);
      expect(answers).toEqual([{ done: PARKED.length, remaining: 0, waiting: 0 }]);
      await finished(top, plan);
      expect(sorted((await top.read(copy)).map(({ value }) => value.n))).toEqual(numbersBut(COUNT, ...PARKED));
      return wasKilled;
    });
    expect(kills).toBeGreaterThan(4);
  });
});

describe("letters of an external sink", { timeout: TIMEOUT_MS }, () => {
  it("are written again under the same keys, whenever the worker that redrives them is killed", async () => {
    const kills = await killedAtEachCommit(async (kill) => {
      const top = bench();
      const bad = new Set<number>(BAD);
      const written = new Map<number, Set<string>>();
      const order: number[] = [];
      const write = async (values: readonly Item[], { idempotencyKeys }: SinkCall): Promise<void> => {
        const found = values.find(({ n }) => bad.has(n));
        if (found !== undefined) {
          throw new RangeError(`no ${found.n}`);
        }
        for (const [index, { n }] of values.entries()) {
          order.push(n);
          written.set(n, (written.get(n) ?? new Set()).add(idempotencyKeys[index] ?? ""));
        }
      };
      const plan = pipeline("index", stream(source).pipe(sink(write, { onError: "park", name: "index" })));
      await top.send(source, itemsOf(COUNT, KEYS), { end: false });
      const first = await top.settle(top.app().run(plan));
      await committed(top, plan, COUNT);
      await top.settle(first.stop());
      expect([...written.keys()].toSorted((a, b) => a - b)).toEqual(numbersBut(COUNT, ...PARKED));
      bad.clear();
      const dead = top.app("app").deadLetters(plan);
      const { wasKilled, answers } = await killedWhileAsked({ top, plan, kill }, () => [dead.redrive({ all: true })]);
      expect(answers).toEqual([{ done: PARKED.length, remaining: 0, waiting: 0 }]);
      expect([...written.keys()].toSorted((a, b) => a - b)).toEqual(numbersBut(COUNT));
      expect([...written.values()].every((keys) => keys.size === 1)).toBe(true);
      for (const key of new Set(PARKED.map((n) => n % KEYS))) {
        const ofKey = order.filter((n, at) => n % KEYS === key && order.indexOf(n) === at);
        expect(ofKey).toEqual(sorted(ofKey));
      }
      return wasKilled;
    });
    expect(kills).toBeGreaterThan(4);
  });
});
