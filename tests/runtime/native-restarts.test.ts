/** Foreign operators over restarts at every record: what is acknowledged, and what comes of the rest. */
import { native } from "@millrace/core";
import * as rx from "rxjs";
import { describe, expect, it } from "vitest";
import { bench } from "./support/bench-top.ts";
import { acknowledged, type Incident, type Op, plain, planOf, restartedAt, sendNumbers } from "./support/native-run.ts";

const COUNT = 10;
const PLACES = Array.from({ length: COUNT + 1 }, (_, at) => at);

const together = (op: Op): Op => native("together", op);
const inGroups = (each: rx.OperatorFunction<number, unknown>, stateless = false): Op =>
  native(
    "in groups",
    rx.pipe(
      rx.groupBy((n: number) => n % 2),
      rx.mergeMap((group) => group.pipe(each)),
    ),
    { sync: true, stateless },
  );

/** Nothing of these is remembered beyond the records that are held. */
const EXACT: readonly (readonly [string, Op])[] = [
  ["map", rx.map((n) => n * 2)],
  ["filter", rx.filter((n) => n % 3 === 0)],
  [
    "filter, stateless",
    native(
      "rare",
      rx.filter((n) => n % 3 === 0),
      { stateless: true },
    ),
  ],
  ["tap", rx.tap(() => {})],
  ["mergeMap of a synchronous source", rx.mergeMap((n) => rx.of(n, -n))],
  ["mergeMap that drops some", rx.mergeMap((n) => (n % 2 === 0 ? rx.EMPTY : rx.of(n)))],
  ["switchMap of a synchronous source", rx.switchMap((n) => rx.range(0, n % 3))],
  [
    "groups that are made of Observables in one section",
    together(
      rx.pipe(
        rx.map((n) => rx.of(n, n)),
        rx.concatAll(),
      ),
    ),
  ],
  ["bufferCount", rx.bufferCount(3)],
  ["bufferCount of one", rx.bufferCount(1)],
  ["bufferCount of more than there is", rx.bufferCount(20)],
  [
    "bufferCount and a filter, in one section",
    together(
      rx.pipe(
        rx.bufferCount(2),
        rx.filter(([n]) => n !== 4),
      ),
    ),
  ],
  [
    "bufferCount and a filter, as two",
    rx.pipe(
      rx.bufferCount(2),
      rx.filter(([n]) => n !== 4),
    ),
  ],
  ["bufferCount behind bufferCount", rx.pipe(rx.bufferCount(2), rx.bufferCount(2))],
  ["toArray", rx.toArray()],
  ["reduce", rx.reduce((sum, n) => sum + n, 0)],
  ["takeLast", rx.takeLast(3)],
  [
    "windowCount, which holds all",
    native(
      "windows",
      rx.pipe(
        rx.windowCount(4),
        rx.mergeMap((w) => w.pipe(rx.toArray())),
      ),
      { sync: true },
    ),
  ],
  ["groupBy, each as it comes", inGroups(rx.map((n) => -n))],
  [
    "groupBy, some dropped",
    inGroups(
      rx.filter((n) => n > 4),
      true,
    ),
  ],
  // An output of one group says nothing of what the other one keeps: only the end of the input acknowledges.
  ["groupBy, each in pairs", inGroups(rx.bufferCount(2))],
  ["groupBy, all of each", inGroups(rx.toArray())],
  ["connect", rx.connect((numbers) => rx.merge(numbers, numbers.pipe(rx.map((n) => -n))))],
  ["share", rx.share()],
  [
    "a value at the end that belongs to held records",
    together(
      rx.pipe(
        rx.filter((n) => n < 5),
        rx.endWith(-1),
      ),
    ),
  ],
];

/** These remember more: behind a restart they are new. */
const ANEW: readonly (readonly [string, Op])[] = [
  ["scan", rx.scan((sum, n) => sum + n, 0)],
  ["pairwise", rx.pairwise()],
  [
    "distinctUntilChanged",
    rx.pipe(
      rx.map((n) => n >> 1),
      rx.distinctUntilChanged(),
    ),
  ],
  ["skip", rx.skip(2)],
  ["skipLast", rx.skipLast(2)],
  ["skipWhile", rx.skipWhile((n) => n % 5 < 3)],
  ["map with an index", rx.map((n, index) => [n, index])],
  [
    "bufferCount that overlaps, full ones",
    together(
      rx.pipe(
        rx.bufferCount(3, 1),
        rx.filter(({ length }) => length === 3),
      ),
    ),
  ],
  ["groupBy with a sum for each", inGroups(rx.scan((sum, n) => sum + n, 0))],
];

describe.each<Incident>(["crash", "stop"])(
  "a worker's %s behind any record changes nothing that comes out of",
  (by) => {
    it.each(EXACT)("%s", async (_name, op) => {
      const whole = plain(op, 0, COUNT);
      for (const at of PLACES) {
        const { values, acknowledged: done } = await restartedAt(op, at, { count: COUNT, by });
        expect({ at, values }).toEqual({ at, values: whole });
        expect(done).toBeLessThanOrEqual(at);
      }
    });
  },
);

describe.each<Incident>(["crash", "stop", "crash amid the push"])(
  "behind a worker's %s at any record, the memory is new of",
  (by) => {
    it.each(ANEW)("%s", async (_name, op) => {
      for (const at of PLACES) {
        const { values, acknowledged: done } = await restartedAt(op, at, { count: COUNT, by });
        // What is acknowledged has been written, all of it and nothing else; what is not begins anew.
        expect({ at, values }).toEqual({ at, values: [...plain(op, 0, done, false), ...plain(op, done, COUNT)] });
      }
    });
  },
);

describe("records are acknowledged only", () => {
  /** How many records are acknowledged when so many have been processed. */
  async function progress(op: Op): Promise<readonly number[]> {
    const top = bench();
    const running = await top.settle(top.app().run(planOf(op)));
    const done: number[] = [];
    for (const at of PLACES.slice(0, -1)) {
      await sendNumbers(top, at, at + 1, false);
      await top.clock.advance(500);
      done.push(acknowledged(top));
    }
    await top.settle(running.stop());
    return done;
  }

  it.each<[string, Op, readonly number[]]>([
    ["at once where each yields something", rx.map((n) => n), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]],
    ["in batches by bufferCount", rx.bufferCount(3), [0, 0, 3, 3, 3, 6, 6, 6, 9, 9]],
    ["with the next that passes a filter", rx.filter((n) => n % 4 === 0), [1, 1, 1, 1, 5, 5, 5, 5, 9, 9]],
    [
      "at once by a filter that says it is stateless",
      native(
        "rare",
        rx.filter((n) => n % 4 === 0),
        { stateless: true },
      ),
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    ],
    [
      "with their pair by two operators that collect",
      rx.pipe(rx.bufferCount(2), rx.bufferCount(2)),
      [0, 0, 0, 4, 4, 4, 4, 8, 8, 8],
    ],
    ["at once by groups that yield at once", inGroups(rx.map((n) => n)), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]],
    ["at the end by groups that collect", inGroups(rx.bufferCount(2)), [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]],
    ["at the end by what emits at the end", rx.toArray(), [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]],
  ])("%s", async (_name, op, expected) => {
    expect(await progress(op)).toEqual(expected);
  });
});
