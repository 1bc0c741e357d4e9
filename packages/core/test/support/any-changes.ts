import * as fc from "fast-check";
import {
  assign,
  type GroupMember,
  type GroupState,
  type PastOwner,
  type TargetAssignment,
} from "../../src/kernel/assignor.ts";
import { bundlesOf, claimsOf } from "./group.ts";

type Change =
  | { readonly kind: "join"; readonly runs: readonly string[]; readonly weight: number }
  | { readonly kind: "leave"; readonly at: number }
  /** Leaves, and comes back after the others have taken over. */
  | { readonly kind: "bounce"; readonly at: number }
  | { readonly kind: "alter"; readonly at: number; readonly runs: readonly string[]; readonly weight: number };

/** A group and what happens to it. */
interface Changes {
  readonly bundles: GroupState["bundles"];
  readonly changes: readonly Change[];
}

/** One step of a history: the group, and the target that its members converged to. */
interface Step {
  readonly group: GroupState;
  readonly target: TargetAssignment;
}

interface ChangeOptions {
  readonly maxMembers: number;
  /** How many tasks each sub-topology has at most. */
  readonly kinds: readonly number[];
  /** Every member can run everything. Default: `false`. */
  readonly alike?: boolean;
  /** Every weight is 1. Default: `false`. */
  readonly equalWeights?: boolean;
}

/** A group that begins with one member, and up to 12 changes. */
export function anyChanges({ maxMembers, kinds, alike, equalWeights }: ChangeOptions): fc.Arbitrary<Changes> {
  const all = kinds.map((_, at) => `s${at}`);
  const able = {
    runs: alike ? fc.constant(all) : fc.oneof(fc.constant(all), fc.subarray(all)),
    weight: equalWeights ? fc.constant(1) : fc.constantFrom(1, 1, 1, 0.5, 2, 3),
  };
  const at = fc.nat({ max: maxMembers - 1 });
  const change: fc.Arbitrary<Change> = fc.oneof(
    fc.record({ kind: fc.constant("join" as const), ...able }),
    fc.record({ kind: fc.constant("leave" as const), at }),
    fc.record({ kind: fc.constant("bounce" as const), at }),
    fc.record({ kind: fc.constant("alter" as const), at, ...able }),
  );
  return fc
    .record({
      partitions: fc.tuple(...kinds.map((most) => fc.integer({ min: 1, max: most }))),
      first: fc.record({ kind: fc.constant("join" as const), ...able }),
      changes: fc.array(change, { maxLength: 12 }),
    })
    .map(({ partitions, first, changes }) => ({
      bundles: partitions.flatMap((count, kind) => bundlesOf(`s${kind}`, count)),
      changes: limit([first, ...changes], maxMembers),
    }));
}

/** Leaves out the joins that would make the group too large. */
function limit(changes: readonly Change[], maxMembers: number): readonly Change[] {
  const joins = new Set(changes.filter(({ kind }) => kind === "join").slice(0, maxMembers));
  return changes.filter((change) => change.kind !== "join" || joins.has(change));
}

/** Every step of the group: its state before each assignment, and the target that everybody then converged to. */
export function historyOf({ bundles, changes }: Changes): readonly Step[] {
  const history: Step[] = [];
  let members: readonly GroupMember[] = [];
  let joined = 0;
  const settle = (pastOwners: readonly PastOwner[] = []): void => {
    const target = history.at(-1)?.target;
    const claims = target === undefined ? [] : claimsOf(target, history.length);
    const group = { members, bundles, claims, pastOwners };
    history.push({ group, target: assign(group) });
  };
  const others = (member: GroupMember): readonly GroupMember[] => members.filter(({ id }) => id !== member.id);
  for (const change of changes) {
    if (change.kind === "join") {
      members = [...members, { id: `m${joined}`, runs: change.runs, weight: change.weight }];
      joined += 1;
      settle();
      continue;
    }
    const member = members[change.at % members.length];
    if (member === undefined) {
      continue;
    }
    const had = history.at(-1)?.target.tasksOf.get(member.id) ?? [];
    switch (change.kind) {
      case "leave":
        members = others(member);
        settle();
        break;
      case "bounce":
        members = others(member);
        settle();
        members = [...members, member];
        settle(had.map((task) => ({ member: member.id, task })));
        break;
      case "alter":
        members = [...others(member), { id: member.id, runs: change.runs, weight: change.weight }];
        settle();
        break;
      default:
        change satisfies never;
    }
  }
  return history;
}
