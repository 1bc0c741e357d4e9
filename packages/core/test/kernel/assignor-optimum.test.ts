/** Tiny groups, where every possible assignment can be tried. */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assign, type GroupState } from "../../src/kernel/assignor.ts";
import { anyChanges, historyOf } from "../support/any-changes.ts";
import { anyGroup } from "../support/any-group.ts";
import { everyAssignment, optimumOf } from "../support/every-assignment.ts";
import { movesTo, ownersIn, rememberedIn } from "../support/group.ts";

const tiny = anyGroup({ maxMembers: 4, maxBundles: 6 });

/** Bundles of each member, the most first. */
function loads(owners: ReadonlyMap<string, string>, { members, bundles }: GroupState): readonly number[] {
  const first = [...bundles].map(([task]) => owners.get(task?.id ?? ""));
  return [...members].map(({ id }) => first.filter((owner) => owner === id).length).toSorted((a, b) => b - a);
}

/** Whether the first is heavier where they first differ. */
function isHeavier(a: readonly number[], b: readonly number[]): boolean {
  const at = a.findIndex((load, index) => load !== b[index]);
  return at !== -1 && (a[at] ?? 0) > (b[at] ?? 0);
}

function expectOptimum(group: GroupState): void {
  const target = ownersIn(assign(group));
  expect({ moves: movesTo(target, group), remembered: rememberedIn(target, group) }).toEqual(optimumOf(group));
}

describe("the target of a tiny group, beside every other possible assignment", () => {
  it("A6, A8: moves the fewest tasks of all that are balanced, and then has the most at remembered owners", () => {
    fc.assert(fc.property(tiny, expectOptimum), { numRuns: 400 });
  });

  it("A6, A8: does so at every step of a history of joins, leaves, bounces and changed capabilities and weights", () => {
    fc.assert(
      fc.property(anyChanges({ maxMembers: 4, kinds: [3, 2, 1] }), (changes) => {
        for (const { group } of historyOf(changes)) {
          expectOptimum(group);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("A4: where weights are equal, no other has a lighter heaviest member, then a lighter second one, and so on", () => {
    fc.assert(
      fc.property(tiny, (any) => {
        const group = { ...any, members: [...any.members].map(({ id, runs }) => ({ id, runs })) };
        const lightest = everyAssignment(group)
          .map((owners) => loads(owners, group))
          .reduce((a, b) => (isHeavier(a, b) ? b : a));
        expect(loads(ownersIn(assign(group)), group)).toEqual(lightest);
      }),
      { numRuns: 500 },
    );
  });
});
