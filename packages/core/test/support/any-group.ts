import * as fc from "fast-check";
import type { GroupState } from "../../src/kernel/assignor.ts";

const SUB_TOPOLOGIES = ["a", "b", "c", "d"] as const;

const anyAbility: fc.Arbitrary<readonly string[]> = fc.oneof(
  fc.constant(SUB_TOPOLOGIES),
  fc.subarray([...SUB_TOPOLOGIES]),
);

/** Equal weights half of the time, else multiples of 1/2. */
const anyWeights = fc.oneof(
  fc.constant([1]),
  fc.array(
    fc.integer({ min: 1, max: 6 }).map((half) => half / 2),
    { minLength: 1, maxLength: 4 },
  ),
);

/** What the tasks of a bundle run: mostly one task, sometimes two. */
const anyNeeds = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(["a"], ["b"], ["c"]) },
  { weight: 1, arbitrary: fc.constantFrom(["a", "b"], ["b", "a"], ["d", "d"]) },
);

/** Any group: capabilities, weights, co-partitioned tasks, stale and rival claims, memories of members that are gone. */
export function anyGroup({
  maxMembers,
  maxBundles,
}: {
  maxMembers: number;
  maxBundles: number;
}): fc.Arbitrary<GroupState> {
  const size = { minLength: 1, maxLength: maxMembers };
  return fc
    .record({
      needs: fc.array(anyNeeds, { maxLength: maxBundles }),
      runs: fc.oneof(fc.array(fc.constant<readonly string[]>(SUB_TOPOLOGIES), size), fc.array(anyAbility, size)),
      weights: anyWeights,
    })
    .chain(({ needs, runs, weights }) => {
      const members = runs.map((can, at) => ({ id: `m${at}`, runs: can, weight: weights[at % weights.length] ?? 1 }));
      const bundles = needs.map((list, at) => list.map((subTopology, n) => ({ id: `${n}.${at}`, subTopology })));
      const tasks = bundles.flat().map(({ id }) => id);
      // One of the ids is no member, and one of the tasks does not exist.
      const pair = {
        member: fc.constantFrom("gone", ...members.map(({ id }) => id)),
        task: fc.constantFrom("deleted", ...tasks),
      };
      return fc.record({
        members: fc.constant(members),
        bundles: fc.constant(bundles),
        claims: fc.array(fc.record({ ...pair, generation: fc.integer({ min: 1, max: 3 }) }), {
          maxLength: tasks.length * 2,
        }),
        pastOwners: fc.array(fc.record(pair), { maxLength: tasks.length }),
      });
    });
}
