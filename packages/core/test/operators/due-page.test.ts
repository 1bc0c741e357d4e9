import { compareUtf8 } from "@millrace/core";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import type { DueKey } from "../../src/operators/due-heap.ts";
import { chooseDue } from "../../src/operators/due-page.ts";

const inOrder = (entries: readonly DueKey[]): readonly DueKey[] =>
  entries.toSorted((a, b) => (a.dueMs === b.dueMs ? compareUtf8(a.key, b.key) : a.dueMs - b.dueMs));

/** The entries of a store, with what memory has made of some of them: due at another time, or (`null`) gone. */
const entries = fc.uniqueArray(
  fc.record({
    key: fc.string({ unit: "grapheme", minLength: 1, maxLength: 2 }),
    storedMs: fc.option(fc.nat({ max: 9 })),
    changedMs: fc.option(fc.option(fc.nat({ max: 9 })), { nil: undefined }),
  }),
  { selector: ({ key }) => key, maxLength: 12 },
);

it("what is due of a page and of memory is the beginning of all that is due, in order, and tells when the rest is (S10)", () => {
  fc.assert(
    fc.property(
      entries,
      fc.nat({ max: 10 }),
      fc.integer({ min: 1, max: 8 }),
      fc.integer({ min: 1, max: 8 }),
      (all, untilMs, limit, most) => {
        const stored = inOrder(
          all.flatMap(({ key, storedMs }) => (storedMs === null ? [] : [{ key, dueMs: storedMs }])),
        );
        const inRange = stored.filter(({ dueMs }) => dueMs <= untilMs);
        const page = {
          entries: inRange.slice(0, limit).map(({ key, dueMs }) => [key, "", dueMs] as const),
          nextMs: stored[Math.min(limit, inRange.length)]?.dueMs ?? null,
        };
        const onPage = new Set(page.entries.map(([key]) => key));
        const truth = inOrder(
          all.flatMap(({ key, storedMs, changedMs }) => {
            const dueMs = changedMs === undefined ? storedMs : changedMs;
            return dueMs === null ? [] : [{ key, dueMs }];
          }),
        );
        const isChanged = new Set(all.flatMap(({ key, changedMs }) => (changedMs === undefined ? [] : [key])));
        const known = truth.filter(({ key }) => onPage.has(key) || isChanged.has(key));
        const { taken, leastMs } = chooseDue(known, page, { untilMs, most });
        const due = truth.filter(({ dueMs }) => dueMs <= untilMs);
        expect(taken).toEqual(due.slice(0, taken.length));
        expect(taken.length).toBeLessThanOrEqual(most);
        const rest = truth.slice(taken.length);
        expect(leastMs).toBeLessThanOrEqual(rest[0]?.dueMs ?? Number.POSITIVE_INFINITY);
      },
    ),
  );
});
