import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CommitLimits, committable, type UnitSummary } from "../../src/kernel/commit-prefix.ts";

const unit = fc.record({
  isSettled: fc.integer({ min: 0, max: 9 }).map((n) => n > 0),
  joinsNext: fc.oneof(
    { weight: 3, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 4 }) },
  ),
  outputCount: fc.nat({ max: 60 }),
  outputBytes: fc.nat({ max: 600 }),
  writes: fc.nat({ max: 90 }),
});
const units = fc
  .tuple(fc.nat({ max: 1_000 }), fc.array(unit, { maxLength: 12 }))
  .map(([first, list]) =>
    list.map(({ joinsNext, ...what }, at) => ({ ...what, index: first + at, joinedThrough: first + at + joinsNext })),
  );
const limits = fc.record({
  maxOutputs: fc.integer({ min: 1, max: 100 }),
  maxBytes: fc.integer({ min: 1, max: 1_000 }),
  maxWrites: fc.integer({ min: 1, max: 150 }),
});

const ROOM: CommitLimits = { maxOutputs: 500, maxBytes: 1_000_000, maxWrites: 2_000 };

function settled(index: number, what: Partial<UnitSummary> = {}): UnitSummary {
  return { index, isSettled: true, joinedThrough: index, outputCount: 1, outputBytes: 1, writes: 1, ...what };
}

function sizeOf(list: readonly UnitSummary[]): CommitLimits {
  return {
    maxOutputs: list.reduce((total, { outputCount }) => total + outputCount, 0),
    maxBytes: list.reduce((total, { outputBytes }) => total + outputBytes, 0),
    maxWrites: list.reduce((total, { writes }) => total + writes, 0),
  };
}

/** Where a commit may end, were it not for its size: behind settled units of which none is joined with a later one. */
function possibleEnds(list: readonly UnitSummary[]): readonly number[] {
  return list
    .map((_, at) => at + 1)
    .filter((n) => list.slice(0, n).every((one) => one.isSettled && one.joinedThrough <= (list[n - 1]?.index ?? 0)));
}

function fits(list: readonly UnitSummary[], { maxOutputs, maxBytes, maxWrites }: CommitLimits): boolean {
  const size = sizeOf(list);
  return size.maxOutputs <= maxOutputs && size.maxBytes <= maxBytes && size.maxWrites <= maxWrites;
}

describe("the prefix of units to commit", () => {
  it("holds no unit that waits, and none behind one (C1)", () => {
    fc.assert(
      fc.property(units, limits, (list, limit) => {
        const first = list.slice(0, committable(list, limit));
        expect(first.filter(({ isSettled }) => !isSettled)).toEqual([]);
      }),
    );
  });

  it("ends between no two units that are joined (C2)", () => {
    fc.assert(
      fc.property(units, limits, (list, limit) => {
        const n = committable(list, limit);
        const next = list[n]?.index ?? Number.POSITIVE_INFINITY;
        expect(list.slice(0, n).filter(({ joinedThrough }) => joinedThrough >= next)).toEqual([]);
      }),
    );
  });

  it("is as long as the limits allow, and never empty because of them (C3)", () => {
    fc.assert(
      fc.property(units, limits, (list, limit) => {
        const ends = possibleEnds(list);
        const expected = ends.findLast((n) => fits(list.slice(0, n), limit)) ?? ends[0] ?? 0;
        expect(committable(list, limit)).toBe(expected);
      }),
      { numRuns: 2_000 },
    );
  });

  it("is empty without units, and while the first one waits", () => {
    expect(committable([], ROOM)).toBe(0);
    expect(committable([settled(0, { isSettled: false }), settled(1)], ROOM)).toBe(0);
  });

  it("waits for the last of the units that are joined", () => {
    const joined = [settled(4), settled(5, { joinedThrough: 7 }), settled(6)];
    expect(committable(joined, ROOM)).toBe(1);
    expect(committable([...joined, settled(7, { isSettled: false })], ROOM)).toBe(1);
    expect(committable([...joined, settled(7), settled(8)], ROOM)).toBe(5);
  });

  it("leaves the unit that would cross a limit for the next commit", () => {
    const full = { outputCount: 300 };
    expect(committable([settled(0, full), settled(1, { outputCount: 200 }), settled(2)], ROOM)).toBe(2);
    expect(committable([settled(0, full), settled(1, { outputCount: 201 }), settled(2)], ROOM)).toBe(1);
    expect(committable([settled(0), settled(1, { outputBytes: 1_000_000 }), settled(2)], ROOM)).toBe(1);
  });

  it("commits a unit or a joined group as a whole that alone is over a limit", () => {
    expect(committable([settled(0, { outputCount: 9_999 }), settled(1)], ROOM)).toBe(1);
    const group = [settled(0, { outputCount: 400, joinedThrough: 1 }), settled(1, { outputCount: 400 }), settled(2)];
    expect(committable(group, ROOM)).toBe(2);
  });
});
