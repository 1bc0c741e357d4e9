import type { GroupMember, GroupState, TargetAssignment } from "../../src/kernel/assignor.ts";
import type { GroupTask } from "../../src/kernel/bundles.ts";
import type { Claim } from "../../src/kernel/claims.ts";

/** The tasks of a sub-topology, each a bundle of its own: `orders/0`, `orders/1`, … */
export function bundlesOf(subTopology: string, partitions: number): readonly (readonly GroupTask[])[] {
  return Array.from({ length: partitions }, (_, partition) => [{ id: `${subTopology}/${partition}`, subTopology }]);
}

/** The owner of each task that has one. */
export function ownersIn({ tasksOf }: TargetAssignment): ReadonlyMap<string, string> {
  return new Map([...tasksOf].flatMap(([member, tasks]) => tasks.map((task) => [task, member] as const)));
}

/** What the members claim once they have converged to a target. */
export function claimsOf(target: TargetAssignment, generation: number): readonly Claim[] {
  return [...ownersIn(target)].map(([task, member]) => ({ task, member, generation }));
}

/** The accepted owner of each task, straight from the rule: newest generation, no rival in it, still a member. */
export function acceptedIn({ members, claims }: GroupState): ReadonlyMap<string, string> {
  const ids = new Set([...members].map(({ id }) => id));
  const valid = [...claims].filter(({ member }) => ids.has(member));
  const accepted = new Map<string, string>();
  for (const task of new Set(valid.map((claim) => claim.task))) {
    const rivals = valid.filter((claim) => claim.task === task);
    const newest = Math.max(...rivals.map(({ generation }) => generation));
    const winners = new Set(rivals.filter(({ generation }) => generation === newest).map(({ member }) => member));
    if (winners.size === 1) {
      accepted.set(task, [...winners].join());
    }
  }
  return accepted;
}

/** How many tasks are taken from their accepted owners. */
export function movesTo(owners: ReadonlyMap<string, string>, group: GroupState): number {
  return [...acceptedIn(group)].filter(([task, owner]) => owners.has(task) && owners.get(task) !== owner).length;
}

/** How many tasks are at a remembered owner. */
export function rememberedIn(owners: ReadonlyMap<string, string>, { pastOwners }: GroupState): number {
  const pairs = new Set([...pastOwners].map(({ member, task }) => `${member} ${task}`));
  return [...owners].filter(([task, member]) => pairs.has(`${member} ${task}`)).length;
}

export function canRun(member: GroupMember, bundle: readonly GroupTask[]): boolean {
  const runs = new Set(member.runs);
  return bundle.every(({ subTopology }) => runs.has(subTopology));
}

/** A level of the fair distribution, as it follows from the definition. */
interface FairLevel {
  readonly members: readonly GroupMember[];
  readonly kinds: readonly (readonly (readonly GroupTask[])[])[];
}

/**
 * The fair distribution by trying every set of kinds: the first level is the largest set with the most bundles for the
 * weight of all who can run any of them. Weights must be multiples of 1/2, so that everything is exact.
 */
function fairLevelsOf({ members, bundles }: GroupState): readonly FairLevel[] {
  const everybody = [...members];
  const byKind = new Map<string, (readonly GroupTask[])[]>();
  for (const bundle of bundles) {
    const kind = bundle
      .map(({ subTopology }) => subTopology)
      .toSorted()
      .join();
    if (everybody.some((member) => canRun(member, bundle))) {
      byKind.set(kind, [...(byKind.get(kind) ?? []), bundle]);
    }
  }
  const levels: FairLevel[] = [];
  let kinds = [...byKind.values()];
  let free = everybody;
  while (kinds.length > 0) {
    const level = busiest(kinds, free);
    levels.push(level);
    kinds = kinds.filter((kind) => !level.kinds.includes(kind));
    free = free.filter((member) => !level.members.includes(member));
  }
  return levels;
}

function busiest(kinds: FairLevel["kinds"], members: readonly GroupMember[]): FairLevel {
  const sets = Array.from({ length: 2 ** kinds.length - 1 }, (_, n) =>
    levelWith(
      kinds.filter((_kind, at) => ((n + 1) >> at) % 2 === 1),
      members,
    ),
  );
  const most = Math.max(...sets.map(ratioOf));
  const isMost = (level: FairLevel): boolean => Math.abs(ratioOf(level) - most) < 1e-9;
  return levelWith([...new Set(sets.filter(isMost).flatMap((level) => level.kinds))], members);
}

function levelWith(kinds: FairLevel["kinds"], members: readonly GroupMember[]): FairLevel {
  return { kinds, members: members.filter((member) => kinds.some(([bundle]) => bundle && canRun(member, bundle))) };
}

function ratioOf(level: FairLevel): number {
  return level.kinds.flat().length / totalWeight(level.members);
}

function totalWeight(members: readonly GroupMember[]): number {
  return members.reduce((sum, { weight = 1 }) => sum + weight, 0);
}

/** The bundles of these that a member holds as a whole. */
function held(bundles: readonly (readonly GroupTask[])[], owners: ReadonlyMap<string, string>, id: string): number {
  return bundles.filter((bundle) => bundle.every((task) => owners.get(task.id) === id)).length;
}

/** Says what breaks A4 or A5 when tasks have these owners; nothing when they are balanced. */
export function balanceOf(group: GroupState): (owners: ReadonlyMap<string, string>) => readonly string[] {
  const levels = fairLevelsOf(group);
  return (owners) => levels.flatMap((level) => imbalances(level, owners));
}

function imbalances({ members, kinds }: FairLevel, owners: ReadonlyMap<string, string>): readonly string[] {
  const weight = totalWeight(members);
  const check = (what: string, bundles: readonly (readonly GroupTask[])[]): readonly string[] =>
    members.flatMap(({ id, weight: own = 1 }) => {
      const share = (bundles.length * own) / weight;
      const load = held(bundles, owners, id);
      const isFair = load >= Math.floor(share + 1e-9) && load <= Math.ceil(share - 1e-9);
      return isFair ? [] : [`${id} holds ${load} of ${what}, its share is ${share}`];
    });
  const outside = kinds
    .flat()
    .filter((bundle) => members.every(({ id }) => held([bundle], owners, id) === 0))
    .map((bundle) => `${bundle[0]?.id} is held outside its level`);
  const isUniform = kinds.every(([bundle]) => members.every((member) => bundle && canRun(member, bundle)));
  return [
    ...outside,
    ...check("a level", kinds.flat()),
    ...(isUniform ? kinds.flatMap((kind) => check(`the bundles like ${kind[0]?.[0]?.id}`, kind)) : []),
  ];
}

/**
 * Kafka's measure of balance, for members of equal weight: bundles that a member could hand to another one that has at
 * least two fewer and can run them. Bundles that nobody holds as a whole although somebody could are listed too.
 */
export function improvableMoves(
  owners: ReadonlyMap<string, string>,
  { members, bundles }: GroupState,
): readonly string[] {
  const everybody = [...members];
  const load = new Map(everybody.map(({ id }) => [id, 0]));
  for (const owner of owners.values()) {
    load.set(owner, (load.get(owner) ?? 0) + 1);
  }
  return [...bundles].flatMap((bundle) => {
    const able = everybody.filter((member) => canRun(member, bundle));
    const owner = able.find(({ id }) => bundle.every((task) => owners.get(task.id) === id));
    const lightest = Math.min(...able.map(({ id }) => load.get(id) ?? 0));
    const isFine = able.length === 0 || (owner !== undefined && lightest + 2 > (load.get(owner.id) ?? 0));
    return isFine ? [] : [`${bundle[0]?.id} at ${owner?.id}`];
  });
}
