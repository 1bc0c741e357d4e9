import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assign, type GroupState, type TargetAssignment } from "../../src/kernel/assignor.ts";
import { anyChanges, historyOf } from "../support/any-changes.ts";
import { anyGroup } from "../support/any-group.ts";
import { acceptedIn, balanceOf, canRun, claimsOf, improvableMoves, movesTo, ownersIn } from "../support/group.ts";

const groups = anyGroup({ maxMembers: 12, maxBundles: 40 });
const changes = anyChanges({ maxMembers: 7, kinds: [12, 12, 5, 1] });

/** The fewest moves in a group whose members can all run everything, which is of one kind. */
function closedFormula(group: GroupState): number {
  const members = [...group.members];
  const weight = members.reduce((sum, member) => sum + (member.weight ?? 1), 0);
  const bundles = [...group.bundles].length;
  const accepted = [...acceptedIn(group).values()];
  const shares = members.map((member) => {
    const share = (bundles * (member.weight ?? 1)) / weight;
    const owned = accepted.filter((owner) => owner === member.id).length;
    return { owned, least: Math.floor(share), mayHaveMore: share > Math.floor(share) };
  });
  const spare = bundles - shares.reduce((sum, { least }) => sum + least, 0);
  const wanting = shares.filter(({ owned, least, mayHaveMore }) => mayHaveMore && owned > least).length;
  return shares.reduce((sum, { owned, least }) => sum + Math.max(0, owned - least), 0) - Math.min(spare, wanting);
}

function expectValidAndComplete(group: GroupState, target: TargetAssignment): void {
  const bundles = [...group.bundles];
  const placed = [...target.tasksOf.values()].flat();
  expect([...target.tasksOf.keys()].toSorted()).toEqual([...group.members].map(({ id }) => id).toSorted());
  expect([...placed, ...target.unassigned].toSorted()).toEqual(
    bundles.flatMap((tasks) => tasks.map(({ id }) => id)).toSorted(),
  );
  const owners = ownersIn(target);
  for (const bundle of bundles) {
    const able = [...group.members].filter((member) => canRun(member, bundle)).map(({ id }) => id);
    const [owner, ...others] = new Set(bundle.map(({ id }) => owners.get(id)));
    expect(others).toEqual([]);
    expect(able.length === 0 ? [undefined] : able).toContain(owner);
  }
}

describe("the assignor, for any group", () => {
  it("A1, A2, A3: gives each task to one member that can run its bundle, and leaves over only what nobody can run", () => {
    fc.assert(
      fc.property(groups, (group) => expectValidAndComplete(group, assign(group))),
      { numRuns: 500 },
    );
  });

  it("A4, A5: gives everybody the share of the fair distribution, rounded down or up", () => {
    fc.assert(
      fc.property(groups, (group) => {
        expect(balanceOf(group)(ownersIn(assign(group)))).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  it("A4: leaves no member of equal weight two bundles ahead of one that could take one over", () => {
    fc.assert(
      fc.property(groups, (any) => {
        const group = {
          ...any,
          members: [...any.members].map(({ id, runs }) => ({ id, runs })),
          bundles: [...any.bundles].flatMap((tasks) => tasks.map((task) => [task])),
        };
        expect(improvableMoves(ownersIn(assign(group)), group)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it("A6: changes nothing when the members have converged to the target", () => {
    fc.assert(
      fc.property(groups, (group) => {
        const target = assign(group);
        expect(assign({ ...group, claims: claimsOf(target, 7) })).toEqual(target);
      }),
      { numRuns: 300 },
    );
  });

  it("A7: heeds the accepted claims alone", () => {
    fc.assert(
      fc.property(groups, (group) => {
        const accepted = [...acceptedIn(group)].map(([task, member]) => ({ task, member, generation: 1 }));
        expect(assign(group)).toEqual(assign({ ...group, claims: accepted }));
      }),
      { numRuns: 300 },
    );
  });

  it("A9: does not depend on the order of anything", () => {
    const shuffled = groups.chain((group) => {
      const shuffle = <A>(items: Iterable<A>): fc.Arbitrary<A[]> => {
        const all = [...items];
        return fc.shuffledSubarray(all, { minLength: all.length });
      };
      const bundles = fc.tuple(...[...group.bundles].map((tasks) => shuffle(tasks))).chain((all) => shuffle(all));
      const members = [...group.members].map((member) => shuffle(member.runs).map((runs) => ({ ...member, runs })));
      return fc.tuple(
        fc.constant(group),
        fc.record({
          members: fc.tuple(...members).chain((all) => shuffle(all)),
          bundles,
          claims: shuffle(group.claims),
          pastOwners: shuffle(group.pastOwners),
        }),
      );
    });
    fc.assert(
      fc.property(shuffled, ([group, sameGroup]) => {
        const target = assign(group);
        const same = assign(sameGroup);
        expect([...same.tasksOf]).toEqual([...target.tasksOf]);
        expect(same.unassigned).toEqual(target.unassigned);
      }),
      { numRuns: 300 },
    );
  });
});

describe("the assignor, over a history of joins, leaves, bounces and changed capabilities and weights", () => {
  it("A1–A5: keeps every invariant at every step", () => {
    fc.assert(
      fc.property(changes, (some) => {
        for (const { group, target } of historyOf(some)) {
          expectValidAndComplete(group, target);
          expect(balanceOf(group)(ownersIn(target))).toEqual([]);
        }
      }),
      { numRuns: 100 },
    );
  });

  it("A6: moves what the closed formula says at every step, where all can run all and that is of one kind", () => {
    fc.assert(
      fc.property(anyChanges({ maxMembers: 9, kinds: [60], alike: true }), (some) => {
        for (const { group, target } of historyOf(some)) {
          expect(movesTo(ownersIn(target), group)).toBe(closedFormula(group));
        }
      }),
      { numRuns: 300 },
    );
  });

  it("A8: gives a member that bounced nothing but tasks it had before, where all can run all and that is of one kind", () => {
    const same = anyChanges({ maxMembers: 9, kinds: [60], alike: true, equalWeights: true });
    fc.assert(
      fc.property(same, (some) => {
        for (const { group, target } of historyOf(some)) {
          const had = new Set([...group.pastOwners].map(({ task }) => task));
          const bounced = [...group.pastOwners].slice(0, 1).map(({ member }) => member);
          const got = bounced.flatMap((member) => target.tasksOf.get(member) ?? []);
          expect(got.filter((task) => !had.has(task))).toEqual([]);
        }
      }),
      { numRuns: 300 },
    );
  });
});
