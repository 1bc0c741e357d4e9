/** Operators of each kind that leave letters, and what their pipelines must have written in the end. */
import {
  type AskOptions,
  type AskResult,
  count,
  type DeadLetters,
  flatMap,
  map,
  mapOrdered,
  type Pipeline,
  partitionBy,
  pipeline,
  sink,
  stream,
  sum,
  tumbling,
  window,
} from "@millrace/core";
import { expect } from "vitest";
import { type Bench, bench, type Item, items } from "./bench-top.ts";
import {
  committed,
  copy,
  expectAllInOrder,
  expectKeysInOrder,
  itemsOf,
  numbersBut,
  Poison,
  sorted,
  source,
} from "./poison.ts";

export const COUNT = 36;
export const KEYS = 5;
export const BAD = [6, 9, 21] as const;
/** What stays behind a bad item of its key. */
export const PARKED = numbersBut(COUNT).filter((n) => BAD.some((bad) => bad % KEYS === n % KEYS && bad <= n));

/** A plan with an operator that fails for {@link BAD} until it is repaired, and what its outputs must be in the end. */
export interface Case {
  readonly name: string;
  readonly plan: (check: (item: Item) => Item) => Pipeline;
  /** The numbers of the items that become letters. */
  readonly letters: readonly number[];
  readonly verify: (top: Bench) => Promise<void>;
}

/** All items once, those of each key in order. */
export const copied = async (top: Bench): Promise<void> => expectAllInOrder(await top.read(copy), COUNT);

/** What windows write: the sum of the numbers as `n`, how many they are as `at`. */
export const totals = items("totals", { partitions: 2 });

/** The sum over all results of a window of one day, by key. */
export async function summed(top: Bench): Promise<void> {
  const found = Object.fromEntries((await top.read(totals)).map(({ value }) => [value.key, [value.n, value.at]]));
  const expected: Record<string, number[]> = {};
  for (const { key, n } of itemsOf(COUNT, KEYS)) {
    const [total = 0, records = 0] = expected[key] ?? [];
    expected[key] = [total + n, records + 1];
  }
  expect(found).toEqual(expected);
  expect(await top.read(totals)).toHaveLength(KEYS);
}

export const toTotal = map((w: { key: string; value: { total: number; records: number } }) => ({
  key: w.key,
  n: w.value.total,
  at: w.value.records,
}));
export const CASES: readonly Case[] = [
  {
    name: "a letter of map",
    plan: (check) => pipeline("copy", stream(source).pipe(map(check, { onError: "deadLetter" }), sink(copy))),
    letters: BAD,
    // Without parking, later records of the key overtake.
    verify: async (top) =>
      expect(sorted((await top.read(copy)).map(({ value }) => value.n))).toEqual(numbersBut(COUNT)),
  },
  {
    name: "a parked key of map",
    plan: (check) => pipeline("copy", stream(source).pipe(map(check, { onError: "park" }), sink(copy))),
    letters: PARKED,
    verify: copied,
  },
  {
    name: "a parked key of mapOrdered",
    plan: (check) =>
      pipeline(
        "copy",
        stream(source).pipe(
          mapOrdered(async (item: Item) => check(item), { onError: "park", concurrency: 4 }),
          sink(copy),
        ),
      ),
    letters: PARKED,
    verify: copied,
  },
  {
    name: "a parked key of flatMap in front of mapOrdered",
    plan: (check) =>
      pipeline(
        "copy",
        stream(source).pipe(
          flatMap((item: Item) => [check(item), { ...item, n: item.n + COUNT }], { onError: "park" }),
          mapOrdered(async (item: Item) => item),
          sink(copy),
        ),
      ),
    letters: PARKED,
    verify: async (top) => {
      const written = await top.read(copy);
      expect(sorted(written.map(({ value }) => value.n))).toEqual(numbersBut(2 * COUNT));
      expectKeysInOrder(written.filter(({ value }) => value.n < COUNT));
    },
  },
  {
    name: "a letter in front of a window",
    plan: (check) =>
      pipeline(
        "copy",
        stream(source).pipe(
          map(check, { onError: "deadLetter" }),
          window(tumbling("1 day"), { total: sum((item) => item.n), records: count() }, { grace: "0 s" }),
          toTotal,
          sink(totals),
        ),
      ),
    letters: BAD,
    verify: summed,
  },
  {
    name: "a letter of the window itself",
    plan: (check) =>
      pipeline(
        "copy",
        stream(source).pipe(
          window(
            tumbling("1 day"),
            { total: sum((item: Item) => check(item).n), records: count() },
            { grace: "0 s", onError: "deadLetter" },
          ),
          toTotal,
          sink(totals),
        ),
      ),
    letters: BAD,
    verify: summed,
  },
  {
    name: "a letter of a change of key",
    plan: (check) =>
      pipeline(
        "copy",
        stream(source).pipe(
          partitionBy((item: Item) => check(item).key.slice(4), { name: "byDigit", onError: "deadLetter" }),
          sink(copy),
        ),
      ),
    letters: BAD,
    verify: async (top) =>
      expect(sorted((await top.read(copy)).map(({ value }) => value.n))).toEqual(numbersBut(COUNT)),
  },
  {
    name: "a letter of a topic's sink",
    plan: (check) => {
      const checked = { ...copy, key: (item: Item): string => check(item).key };
      return pipeline("copy", stream(source).pipe(sink(checked, { onError: "deadLetter" })));
    },
    letters: BAD,
    verify: async (top) =>
      expect(sorted((await top.read(copy)).map(({ value }) => value.n))).toEqual(numbersBut(COUNT)),
  },
];

/** A pipeline with letters, and no worker. */
export interface WithLetters {
  readonly top: Bench;
  readonly plan: Pipeline;
  readonly dead: DeadLetters;
  /** Asks for redrives, all at once. */
  readonly ask: (...options: readonly AskOptions[]) => () => readonly Promise<AskResult>[];
}

/** All items processed by a worker that has gone, the cause of the letters repaired. */
export async function withLetters(planWith: Case["plan"]): Promise<WithLetters> {
  const top = bench();
  const poison = new Poison(...BAD);
  const plan = planWith(poison.check);
  await top.send(source, itemsOf(COUNT, KEYS), { end: false });
  const running = await top.settle(top.app().run(plan));
  await committed(top, plan, COUNT);
  await top.settle(running.stop());
  poison.repair();
  const dead = top.app("app").deadLetters(plan);
  return {
    top,
    plan,
    dead,
    ask:
      (...options) =>
      () =>
        options.map((each) => dead.redrive(each)),
  };
}
