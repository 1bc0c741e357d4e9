import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isClosed } from "../../src/kernel/aligned-windows.ts";
import type { Added, KeyWindow, WindowOps } from "../../src/kernel/key-windows.ts";
import { addToSessions } from "../../src/kernel/session-windows.ts";
import {
  boundsOf,
  byBounds,
  type Indices,
  indexOps,
  type Play,
  play,
  punctual,
  someLate,
} from "../support/key-windows.ts";

const gaps = fc.integer({ min: 1, max: 15 });
const graces = fc.integer({ min: 0, max: 12 });

function sessions(gapMs: number, graceMs: number, more: Partial<Play> = {}): Play {
  return {
    waitMs: graceMs + gapMs,
    add: (windows, timestampMs, { index, isClosed: isOver }) =>
      addToSessions(windows, timestampMs, { gapMs, isClosed: isOver }, indexOps(index)),
    isPrompt: () => true,
    isForgotten: () => true,
    ...more,
  };
}

/** The definition: sorted by time, a session ends where the next record is more than a gap away. */
function clustersOf(times: readonly number[], gapMs: number): ReadonlyMap<string, Indices> {
  const sorted = times.map((time, index) => ({ time, index })).toSorted((a, b) => a.time - b.time);
  const clusters: { start: number; end: number; indices: number[] }[] = [];
  for (const { time, index } of sorted) {
    const last = clusters.at(-1);
    if (last !== undefined && time - (last.end - 1) <= gapMs) {
      last.end = time + 1;
      last.indices.push(index);
    } else {
      clusters.push({ start: time, end: time + 1, indices: [index] });
    }
  }
  return new Map(clusters.map((cluster) => [boundsOf(cluster), cluster.indices.toSorted((a, b) => a - b)]));
}

const never = (): boolean => false;

describe("sessions", () => {
  it("are the records between gaps, whatever the order of arrival", () => {
    fc.assert(
      fc.property(punctual, gaps, (arrivals, gapMs) => {
        const { results, missed } = play(arrivals, sessions(gapMs, 0));
        const expected = clustersOf(
          arrivals.map(({ timestampMs }) => timestampMs),
          gapMs,
        );
        expect([...results]).toEqual([...expected]);
        expect(missed.every((n) => n === 0)).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  it("have each record once, or it is late; and are the clusters of their own records", () => {
    fc.assert(
      fc.property(someLate, gaps, graces, (arrivals, gapMs, graceMs) => {
        const { results, missed } = play(arrivals, sessions(gapMs, graceMs));
        const late = missed.flatMap((n, index) => (n === 0 ? [] : [index]));
        const all = [...results.values()].flat();
        expect([...all, ...late].toSorted((a, b) => a - b)).toEqual([...arrivals.keys()]);
        for (const [bounds, indices] of results) {
          const own = indices.map((index) => arrivals[index]?.timestampMs ?? Number.NaN);
          expect([...clustersOf(own, gapMs).keys()]).toEqual([bounds]);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("take a record iff the session that it makes is open", () => {
    fc.assert(
      fc.property(someLate, gaps, graces, (arrivals, gapMs, graceMs) => {
        const definition = sessions(gapMs, graceMs);
        play(arrivals, {
          ...definition,
          add: (windows, timestampMs, rule) => {
            const open = windows.filter(({ end, isFinal }) => !isFinal && !rule.isClosed(end));
            const ends = open
              .filter(({ start, lastMs }) => start - gapMs <= timestampMs && timestampMs <= lastMs + gapMs)
              .map(({ end }) => end);
            const added = definition.add(windows, timestampMs, rule);
            expect(added.missed).toBe(rule.isClosed(Math.max(timestampMs + 1, ...ends)) ? 1 : 0);
            return added;
          },
        });
      }),
      { numRuns: 1_000 },
    );
  });

  it("do not depend on whether closed ones are still in the list", () => {
    fc.assert(
      fc.property(someLate, gaps, graces, fc.infiniteStream(fc.boolean()), (arrivals, gapMs, graceMs, prompt) => {
        const expected = play(arrivals, sessions(gapMs, graceMs));
        const kept = play(arrivals, sessions(gapMs, graceMs, { isForgotten: never }));
        const pending = play(arrivals, sessions(gapMs, graceMs, { isPrompt: () => prompt.next().value }));
        for (const other of [kept, pending]) {
          expect(byBounds(other.results)).toEqual(byBounds(expected.results));
          expect(other.missed).toEqual(expected.missed);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it("report enough to follow them: retractions of old bounds, then the new session", () => {
    fc.assert(
      fc.property(someLate, gaps, graces, (arrivals, gapMs, graceMs) => {
        const seen = new Map<string, Indices>();
        const take = (added: Added<Indices>): Added<Indices> => {
          for (const window of added.removed) {
            expect(seen.delete(boundsOf(window))).toBe(true);
          }
          for (const window of added.changed) {
            seen.set(boundsOf(window), window.state);
          }
          return added;
        };
        const definition = sessions(gapMs, graceMs);
        const { results } = play(arrivals, { ...definition, add: (...args) => take(definition.add(...args)) });
        expect(byBounds(seen)).toEqual(byBounds(results));
      }),
      { numRuns: 1_000 },
    );
  });

  const bracket = (name: string): WindowOps<string> => ({
    init: () => "",
    add: (state) => `${state}${name}`,
    merge: (a, b) => `(${a}|${b})`,
  });
  const rule = { gapMs: 5, isClosed: never };

  it("are merged by start, and the record is added last", () => {
    const a = addToSessions([], 20, rule, bracket("a"));
    const b = addToSessions(a.windows, 10, rule, bracket("b"));
    expect(b.windows.map(({ state }) => state)).toEqual(["b", "a"]);
    const { changed, removed, windows } = addToSessions(b.windows, 15, rule, bracket("c"));
    expect(changed).toEqual([{ start: 10, end: 21, lastMs: 20, revision: 2, isFinal: false, state: "((|b)|a)c" }]);
    expect(removed).toEqual(b.windows);
    expect(windows).toEqual(changed);
  });

  it("count on from the most changed of their parts", () => {
    const one = addToSessions([], 10, rule, bracket("a"));
    const two = addToSessions(one.windows, 10, rule, bracket("b"));
    expect(two).toMatchObject({ changed: [{ start: 10, end: 11, revision: 2 }], removed: [] });
    const three = addToSessions(two.windows, 20, rule, bracket("c"));
    expect(three.changed).toMatchObject([{ start: 20, revision: 1 }]);
    const four = addToSessions(three.windows, 15, rule, bracket("d"));
    expect(four.changed).toMatchObject([{ start: 10, end: 21, revision: 3 }]);
  });

  it("that are closed are not merged, even if the record and an open one are within the gap", () => {
    const { windows } = addToSessions(addToSessions([], 0, rule, bracket("a")).windows, 10, rule, bracket("b"));
    // The first is closed at 1 + 5.
    const isOver = (end: number): boolean => isClosed(end, 5, 6);
    const { changed, removed } = addToSessions(windows, 5, { gapMs: 5, isClosed: isOver }, bracket("c"));
    expect(changed).toMatchObject([{ start: 5, end: 11, state: "(|b)c" }]);
    expect(removed).toEqual([windows[1]]);
  });

  it("leave what they are given as it is", () => {
    const session: KeyWindow<string> = { start: 0, end: 1, lastMs: 0, revision: 1, isFinal: false, state: "a" };
    const frozen = Object.freeze([Object.freeze(session)]);
    expect(addToSessions(frozen, 3, rule, bracket("b")).windows).toHaveLength(1);
    const late = addToSessions(frozen, 3, { ...rule, isClosed: () => true }, bracket("b"));
    expect(late).toEqual({ windows: frozen, changed: [], removed: [], missed: 1 });
  });
});
