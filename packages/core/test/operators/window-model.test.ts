/** Windows on an ordinary Observable against a model that knows the whole input at once. */
import {
  asRecords,
  type Duration,
  fold,
  json,
  type Topic,
  topic,
  tumbling,
  type Windowed,
  window,
} from "@millrace/core";
import * as fc from "fast-check";
import * as t from "io-ts";
import { Subject } from "rxjs";
import { describe, expect, it } from "vitest";
import { collect } from "../support/collect.ts";

interface Reading {
  readonly key: string;
  readonly at: number;
  readonly id: number;
}

interface Setting {
  readonly sizeMs: number;
  readonly graceMs: number;
  readonly outOfOrdernessMs: number;
}

type Result = Windowed<{ ids: readonly number[] }>;

const reading = fc.record({ key: fc.constantFrom("a", "b", "B", "é"), at: fc.integer({ min: -60, max: 60 }) });
const readings = fc.array(reading, { maxLength: 40 }).map((list) => list.map((one, id): Reading => ({ ...one, id })));
const setting = fc.record({
  sizeMs: fc.integer({ min: 1, max: 25 }),
  graceMs: fc.nat({ max: 25 }),
  outOfOrdernessMs: fc.nat({ max: 25 }),
});

function ms(n: number): Duration {
  return `${n} ms`;
}

function topicOf({ outOfOrdernessMs }: Setting): Topic<Reading> {
  return topic("readings", {
    codec: json(t.type({ key: t.string, at: t.number, id: t.number })),
    key: (value) => value.key,
    timestamp: (value) => value.at,
    outOfOrderness: ms(outOfOrdernessMs),
  });
}

/** What the log had promised before the n-th reading. */
function watermarkBefore(n: number, list: readonly Reading[], { outOfOrdernessMs }: Setting): number {
  return Math.max(Number.NEGATIVE_INFINITY, ...list.slice(0, n).map(({ at }) => at)) - outOfOrdernessMs;
}

/** The window that a reading falls into, found by search. */
function startOf(at: number, { sizeMs }: Setting): number {
  let start = -1_000 * sizeMs;
  while (start + sizeMs <= at) {
    start += sizeMs;
  }
  return start;
}

/** All results that there will ever be, in their order. */
function modelOf(list: readonly Reading[], how: Setting): readonly Result[] {
  const isLate = ({ at }: Reading, n: number): boolean =>
    startOf(at, how) + how.sizeMs + how.graceMs <= watermarkBefore(n, list, how);
  const results = new Map<string, Result>();
  for (const [n, one] of list.entries()) {
    const start = startOf(one.at, how);
    const before = results.get(`${start} ${one.key}`)?.value.ids ?? [];
    if (!isLate(one, n)) {
      const value = { ids: [...before, one.id] };
      results.set(`${start} ${one.key}`, { key: one.key, start, end: start + how.sizeMs, revision: 1, value });
    }
  }
  return [...results.values()].toSorted((a, b) => a.start - b.start || (a.key < b.key ? -1 : 1));
}

/** Pushes readings one by one; `look` is called after each with what has come out. Returns all that came out. */
function play(
  list: readonly Reading[],
  how: Setting,
  look: (n: number, out: readonly Result[]) => void = () => {},
): readonly Result[] {
  const source = new Subject<Reading>();
  const ids = fold<Reading, readonly number[]>([], (all, { id }) => [...all, id]);
  const results = collect(
    source.pipe(asRecords(topicOf(how)), window(tumbling(ms(how.sizeMs)), { ids }, { grace: ms(how.graceMs) })),
  );
  for (const [n, one] of list.entries()) {
    source.next(one);
    look(n, results.values);
  }
  source.complete();
  expect(results.end).toBe("completed");
  look(list.length, results.values);
  return results.values;
}

describe("tumbling windows", () => {
  it("hold each reading that was not late once, in order of arrival, and come in order of time and key", () => {
    fc.assert(
      fc.property(readings, setting, (list, how) => {
        expect(play(list, how)).toEqual(modelOf(list, how));
      }),
      { numRuns: 500 },
    );
  });

  it("close exactly when event time has passed their end and the grace behind it, the rest on completion", () => {
    fc.assert(
      fc.property(readings, setting, (list, how) => {
        const all = modelOf(list, how);
        play(list, how, (n, out) => {
          const timeMs = n === list.length ? Number.POSITIVE_INFINITY : watermarkBefore(n, list, how);
          expect(out).toEqual(all.filter(({ end }) => end + how.graceMs <= timeMs));
        });
      }),
      { numRuns: 500 },
    );
  });

  it("lose nothing when the grace covers the disorder, and give the same whatever the order was", () => {
    const shuffled = readings.chain((list) =>
      fc.tuple(fc.constant(list), fc.shuffledSubarray([...list], { minLength: list.length })),
    );
    fc.assert(
      fc.property(shuffled, fc.integer({ min: 1, max: 25 }), ([list, other], sizeMs) => {
        const how = { sizeMs, graceMs: 120, outOfOrdernessMs: 0 };
        const inOrder = (results: readonly Result[]): readonly Result[] =>
          results.map((result) => ({ ...result, value: { ids: result.value.ids.toSorted((a, b) => a - b) } }));
        const all = inOrder(play(list, how));
        expect(inOrder(play(other, how))).toEqual(all);
        expect(all.flatMap(({ value }) => value.ids)).toHaveLength(list.length);
      }),
      { numRuns: 200 },
    );
  });
});
