/** Records for which an operator fails until something is repaired, and what must be true of all the others. */
import {
  type DeadLetter,
  filter,
  flatMap,
  json,
  map,
  mapOrdered,
  type OnError,
  type Pipeline,
  partitionOf,
  pipeline,
  type StreamRecord,
  sink,
  stream,
  tap,
  topic,
} from "@millrace/core";
import * as t from "io-ts";
import type { OperatorFunction } from "rxjs";
import { expect } from "vitest";
import { type Bench, type Item, items } from "./bench-top.ts";

export const PARTITIONS = 3;
export const source = items("source", { partitions: PARTITIONS });
export const copy = items("copy", { partitions: PARTITIONS });

/** The same topic as a program declares it whose items have grown: some of what it writes is none of {@link source}. */
export const grown = topic("source", {
  codec: json(t.type({ key: t.string, n: t.union([t.number, t.string]), at: t.number })),
  key: (item) => item.key,
  timestamp: (item) => item.at,
  partitions: PARTITIONS,
});

/** What is wrong with the world: items of these numbers cannot be processed. */
export class Poison {
  readonly bad: Set<number>;
  /** Every call, in order. */
  readonly called: number[] = [];

  constructor(...bad: readonly number[]) {
    this.bad = new Set(bad);
  }

  readonly check = (item: Item): Item => {
    this.called.push(item.n);
    if (this.bad.has(item.n)) {
      throw new RangeError(`no ${item.n}`);
    }
    return item;
  };

  repair(): void {
    this.bad.clear();
  }

  /** How often the operator was called for an item. */
  callsOf(n: number): number {
    return this.called.filter((other) => other === n).length;
  }
}

export type Failing = (poison: Poison, onError: OnError) => OperatorFunction<Item, Item>;

/** The simplest operator that fails. */
export const failingMap: Failing = ({ check }, onError) => map(check, { onError });

/** Operators that fail, each in its way; each passes one value on for one that comes. */
export const OPERATORS: readonly (readonly [name: string, Failing])[] = [
  ["map", failingMap],
  ["filter", ({ check }, onError) => filter((item: Item) => check(item).n >= 0, { onError })],
  ["tap", ({ check }, onError) => tap((item: Item) => void check(item), { onError })],
  ["flatMap", ({ check }, onError) => flatMap((item: Item) => [check(item)], { onError })],
  ["mapOrdered", ({ check }, onError) => mapOrdered(async (item: Item) => check(item), { onError })],
  [
    "mapOrdered, one at a time",
    ({ check }, onError) => mapOrdered(async (item: Item) => check(item), { onError, concurrency: 1 }),
  ],
];

/** Copies `source` through an operator. */
export function planOf(through: OperatorFunction<Item, Item>): Pipeline {
  return pipeline("copy", stream(source).pipe(through, sink(copy)));
}

/** `count` items of `keys` keys, which lie in several partitions; one a second. */
export function itemsOf(count: number, keys = 7): readonly Item[] {
  return Array.from({ length: count }, (_, n) => ({ key: `key-${n % keys}`, n, at: n * 1_000 }));
}

/** Whether an item lies in the same partition as another one. */
export function isBeside(n: number, other: number, keys = 7): boolean {
  return partitionOf(`key-${n % keys}`, PARTITIONS) === partitionOf(`key-${other % keys}`, PARTITIONS);
}

/** The numbers that were written, lowest first. */
export async function numbersIn(top: Bench): Promise<readonly number[]> {
  return (await top.read(copy)).map(({ value }) => value.n).toSorted((a, b) => a - b);
}

/** All numbers below `count`, without some. */
export function numbersBut(count: number, ...left: readonly number[]): readonly number[] {
  return Array.from({ length: count }, (_, n) => n).filter((n) => !left.includes(n));
}

/** Every item once, and those of each key in their order. */
export function expectAllInOrder(written: readonly StreamRecord<Item>[], count: number): void {
  expect(written.map(({ value }) => value.n).toSorted((a, b) => a - b)).toEqual(numbersBut(count));
  expectKeysInOrder(written);
}

/** The items of each key in their order. */
export function expectKeysInOrder(written: readonly StreamRecord<Item>[]): void {
  for (const key of new Set(written.map((record) => record.key))) {
    const numbers = written.filter((record) => record.key === key).map(({ value }) => value.n);
    expect({ key, numbers }).toEqual({ key, numbers: numbers.toSorted((a, b) => a - b) });
  }
}

/** The numbers of the items in letters, in their order. */
export function numbersOf(letters: readonly DeadLetter[]): readonly number[] {
  return letters.map(({ input }) => (JSON.parse(input) as Item).n);
}

/** Lowest first. */
export const sorted = (numbers: readonly number[]): readonly number[] => numbers.toSorted((a, b) => a - b);

/** Lets virtual time pass until so much of the source is committed, whoever runs it. */
export async function committed(top: Bench, plan: Pipeline, records: number): Promise<void> {
  const app = top.app("app");
  for (let waitedMs = 0; waitedMs < 600_000; waitedMs += 100) {
    const { tasks } = await top.settle(app.describeGroup(plan));
    if (tasks.reduce((sum, { processed }) => sum + (processed ?? 0), 0) >= records) {
      await top.settle(app.close());
      return;
    }
    await top.clock.advance(100);
  }
  throw new Error(`${records} records were not committed in 10 minutes of virtual time`);
}
