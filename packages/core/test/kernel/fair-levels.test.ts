import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fairLevels } from "../../src/kernel/fair-levels.ts";

const group = fc
  .array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 5 })
  .map((weights) => weights.map((weight, id) => ({ id, weight })))
  .chain((carriers) =>
    fc.array(fc.record({ count: fc.integer({ min: 1, max: 12 }), carriers: fc.subarray(carriers, { minLength: 1 }) }), {
      maxLength: 6,
    }),
  );

describe("the levels of the fair distribution", () => {
  it("F1, F2, F3: put each load once, and each carrier that has any, where nobody less busy could carry it", () => {
    fc.assert(
      fc.property(group, (loads) => {
        const levels = fairLevels(loads);
        const ratios = levels.map(
          (level) =>
            level.loads.reduce((sum, { count }) => sum + count, 0) /
            level.carriers.reduce((sum, { weight }) => sum + weight, 0),
        );
        const placed = levels.flatMap((level) => level.loads);
        expect(placed).toHaveLength(loads.length);
        expect(new Set(placed)).toEqual(new Set(loads));
        expect(new Set(levels.flatMap(({ carriers }) => carriers))).toEqual(
          new Set(loads.flatMap((load) => load.carriers)),
        );
        expect(ratios).toEqual([...new Set(ratios)].toSorted((a, b) => b - a));
        const seen = new Set<object>();
        for (const { loads: some, carriers } of levels) {
          for (const carrier of carriers) {
            seen.add(carrier);
          }
          expect(some.every((load) => load.carriers.every((carrier) => seen.has(carrier)))).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("F1: lets the carriers of a level carry all of it, in proportion to their weights", () => {
    fc.assert(
      fc.property(group, (loads) => {
        for (const level of fairLevels(loads)) {
          const weightOf = (carriers: Iterable<{ readonly weight: number }>): number =>
            [...carriers].reduce((sum, { weight }) => sum + weight, 0);
          const total = level.loads.reduce((sum, { count }) => sum + count, 0);
          const all = weightOf(level.carriers);
          // Hall's condition: no set of loads has more to carry than those who can carry it have room for.
          for (let set = 1; set < 2 ** level.loads.length; set++) {
            const some = level.loads.filter((_, at) => (set >> at) % 2 === 1);
            const able = new Set(some.flatMap((load) => load.carriers).filter((one) => level.carriers.includes(one)));
            const count = some.reduce((sum, load) => sum + load.count, 0);
            expect(count * all).toBeLessThanOrEqual(weightOf(able) * total);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it("are one where everybody can carry everything", () => {
    const carriers = [{ weight: 1 }, { weight: 3 }];
    const loads = [
      { count: 5, carriers },
      { count: 2, carriers },
    ];
    expect(fairLevels(loads)).toEqual([{ loads, carriers }]);
  });
});
