import { mapOrdered, pipeline, sink, stream } from "@millrace/core";
import { expect, it } from "vitest";
import { type Bench, bench, type Item, items } from "./support/bench-top.ts";
import { pick } from "./support/workers.ts";

const source = items("source", { partitions: 1 });
const copy = items("copy", { partitions: 1 });

const RECORDS = 2_000;
/** The first record of the lane that is blocked: its handler takes so long. */
const BLOCKED = 20;
const BLOCKED_MS = 10_000;
/** One in so many of the records behind it has its key. */
const BLOCKED_SHARE = 50;
const HANDLER_MS = 5;
/** No unit takes more records. */
const LARGEST_UNIT = 500;

function isInBlockedLane(n: number): boolean {
  return n >= BLOCKED && (n - BLOCKED) % BLOCKED_SHARE === 0;
}

const numbers = Array.from({ length: RECORDS }, (_, n) => n);
const input: readonly Item[] = numbers.map((n) => ({
  key: isInBlockedLane(n) ? "blocked" : `k${n % 40}`,
  n,
  at: n * 1_000,
}));

/** A handler that notes when it is called for which record. Throws when it is called for one again. */
class Handler {
  private readonly atMs = new Map<number, number>();
  private readonly top: Bench;

  constructor(top: Bench) {
    this.top = top;
  }

  readonly handle = (item: Item): Promise<Item> => {
    const { clock } = this.top;
    if (this.atMs.has(item.n)) {
      throw new Error(`record ${item.n} was handled already`);
    }
    this.atMs.set(item.n, clock.now());
    return new Promise((resolve) => {
      clock.after(item.n === BLOCKED ? BLOCKED_MS : HANDLER_MS, () => resolve(item));
    });
  };

  /** For which records it was called, in the order of the input. */
  get called(): readonly number[] {
    return [...this.atMs.keys()].toSorted((a, b) => a - b);
  }

  /** The same, in the order of the calls. */
  get calls(): readonly number[] {
    return [...this.atMs.keys()];
  }

  calledAtMs(n: number): number {
    return this.atMs.get(n) ?? Number.NaN;
  }
}

it.each([600, 1_200])(
  "a lane that is blocked keeps no other lane from running, until %i records are held; results leave in order",
  async (credits) => {
    const top = bench();
    const handler = new Handler(top);
    const plan = pipeline("copy", stream(source).pipe(mapOrdered(handler.handle), sink(copy)));
    const committed = (): number => pick(top.events, "Committed").reduce((sum, { records }) => sum + records, 0);
    const written = async (): Promise<number[]> => (await top.read(copy)).map(({ value }) => value.n);
    await top.send(source, input);

    const running = await top.settle(top.app("app", { limits: { maxRecords: credits } }).run(plan));
    await top.clock.advance(BLOCKED_MS / 2);

    // Every record that may be held was handled, but those of the blocked lane: also of units behind the blocked one.
    const before = committed();
    const called = handler.called;
    expect(before).toBeGreaterThan(0);
    expect(before).toBeLessThanOrEqual(BLOCKED);
    expect(called).toEqual(numbers.filter((n) => n < before + credits && (n === BLOCKED || !isInBlockedLane(n))));
    expect(called.at(-1)).toBeGreaterThan(BLOCKED + LARGEST_UNIT);
    expect(await written()).toEqual(numbers.slice(0, before));

    // Then nothing more is handled, until the very moment in which the lane is free.
    const freeAtMs = handler.calledAtMs(BLOCKED) + BLOCKED_MS;
    await top.clock.advance(freeAtMs - 1 - top.clock.now());
    expect(handler.called).toEqual(called);
    expect(committed()).toBe(before);
    await top.clock.advance(1);
    expect(handler.calledAtMs(BLOCKED + BLOCKED_SHARE)).toBe(freeAtMs);

    await top.settle(running.done);
    expect(handler.called).toEqual(numbers);
    expect(handler.calls.filter(isInBlockedLane)).toEqual(numbers.filter(isInBlockedLane));
    expect(await written()).toEqual(numbers);
  },
);
