/**
 * The assignor: which member of a consumer group is to own which task.
 *
 * Tasks come in bundles that one member must own together; a bundle is what is counted and what moves. A member's share is
 * what it carries in the fair distribution by weight (`fair-levels.ts`); where every member can run everything, that is
 * its weight's part of all bundles. The target is, in this order,
 *
 * - (A1) valid: a member gets what it can run; (A2) exclusive; (A3) complete: only what no member can run is left over;
 * - (A4) balanced: every member holds its share, rounded down or up, and no bundle is held where the fair distribution
 *   has none of its kind because a less busy member can run it;
 * - (A5) balanced within each kind of bundle as well, where the members that share a level can all run all of it;
 * - (A6) sticky: of these targets, one that takes the fewest tasks from their owners. (A7) The newest generation's claim
 *   says who the owner is, and two claims of one generation void each other;
 * - (A8) loyal: of these, one that gives the most tasks to members which are remembered to have owned them;
 * - (A9) decided by what the input says, not by the order in which it says it.
 *
 * None of this is approximated: the target is the cheapest flow through a network that says just that (`place-level.ts`).
 */
import { type BundleKind, byId, type GroupTask, sortBundles } from "./bundles.ts";
import { acceptedOwners, type Claim } from "./claims.ts";
import { type Carrier, fairLevels, type Level, type Load } from "./fair-levels.ts";
import { placeLevel, type SharedKind, type Sharer } from "./place-level.ts";

/** A member of the group, as the assignor sees it. */
export interface GroupMember {
  readonly id: string;
  /** Its capacity in proportion to the others': above 0, at most 1,000, counted in thousandths (at least one). Default: 1. */
  readonly weight?: number;
  /** The sub-topologies that it can run. */
  readonly runs: Iterable<string>;
}

/** That a member owned a task, so recently that it should have it back if that costs no further move. */
export interface PastOwner {
  readonly member: string;
  readonly task: string;
}

/** Everything that the target depends on. The order of a list means nothing. */
export interface GroupState {
  readonly members: Iterable<GroupMember>;
  /** Every task, in bundles that one member must own together (co-partitioned tasks). */
  readonly bundles: Iterable<readonly GroupTask[]>;
  /** What the members say they own. Claims to unknown tasks, or by others than `members`, are void. */
  readonly claims: Iterable<Claim>;
  /** The memory of owners, several for a task if need be; others than `members` are passed over. */
  readonly pastOwners: Iterable<PastOwner>;
}

/** What the members of a group are to converge to. */
export interface TargetAssignment {
  /** The tasks of every member, sorted; empty for a member that gets none. */
  readonly tasksOf: ReadonlyMap<string, readonly string[]>;
  /** The tasks that no member can run together with their bundle, sorted. */
  readonly unassigned: readonly string[];
}

/**
 * The target assignment of a group.
 *
 * @throws RangeError when a member or a task is listed twice, or a weight is out of range.
 */
export function assign({ members, bundles, claims, pastOwners }: GroupState): TargetAssignment {
  const candidates = candidatesOf([...members]);
  const all = [...bundles];
  checkUnique("task", all.flat());
  const ids = new Set(candidates.map(({ id }) => id));
  const kinds = sortBundles(all, { current: acceptedOwners(claims, ids), past: rememberedOwners(pastOwners) });
  const loads = withTeams(kinds, candidates);
  const tasksOf = new Map<string, string[]>(candidates.map(({ id }) => [id, []]));
  for (const level of fairLevels<Team, TeamLoad>(loads.filter(({ carriers }) => carriers.length > 0))) {
    for (const { sharer, tasks } of placeLevel(membersOf(level.carriers), sharedKinds(level))) {
      tasksOf.get(sharer.id)?.push(...tasks);
    }
  }
  return {
    tasksOf: new Map([...tasksOf].map(([id, tasks]) => [id, tasks.toSorted()])),
    unassigned: loads
      .filter(({ carriers }) => carriers.length === 0)
      .flatMap(({ kind }) => kind.lots.flatMap((lot) => lot.bundles.flat()))
      .toSorted(),
  };
}

interface Candidate extends Sharer {
  readonly runs: ReadonlySet<string>;
}

/** Members that can run the same kinds of bundles. */
interface Team extends Carrier {
  readonly members: readonly Candidate[];
}

interface TeamLoad extends Load<Team> {
  readonly kind: BundleKind;
}

/** The members by id, with whole weights. */
function candidatesOf(members: readonly GroupMember[]): readonly Candidate[] {
  checkUnique("member", members);
  return members
    .toSorted(byId)
    .map((member) => ({ id: member.id, weight: thousandths(member), runs: new Set(member.runs) }));
}

function thousandths({ id, weight = 1 }: GroupMember): number {
  if (!(weight > 0 && weight <= 1_000)) {
    throw new RangeError(`the weight of member "${id}" is ${weight}: it must be above 0 and at most 1000`);
  }
  return Math.max(1, Math.round(weight * 1_000));
}

function checkUnique(what: string, items: readonly { readonly id: string }[]): void {
  const seen = new Set<string>();
  for (const { id } of items) {
    if (seen.has(id)) {
      throw new RangeError(`${what} "${id}" is listed twice`);
    }
    seen.add(id);
  }
}

function rememberedOwners(pastOwners: Iterable<PastOwner>): ReadonlyMap<string, ReadonlySet<string>> {
  const owners = new Map<string, Set<string>>();
  for (const { member, task } of pastOwners) {
    owners.set(task, (owners.get(task) ?? new Set()).add(member));
  }
  return owners;
}

/** Each kind of bundles with the teams that can run it. */
function withTeams(kinds: readonly BundleKind[], members: readonly Candidate[]): readonly TeamLoad[] {
  const teams = new Map<string, { readonly able: ReadonlySet<BundleKind>; readonly members: Candidate[] }>();
  for (const member of members) {
    const canRun = kinds.map(({ needs }) => needs.every((subTopology) => member.runs.has(subTopology)));
    const key = canRun.join();
    const team = teams.get(key) ?? { able: new Set(kinds.filter((_, at) => canRun[at])), members: [] };
    team.members.push(member);
    teams.set(key, team);
  }
  const carriers = [...teams.values()].map((team) => ({ ...team, weight: totalWeight(team.members) }));
  return kinds.map((kind) => ({
    kind,
    count: kind.count,
    carriers: carriers.filter(({ able }) => able.has(kind)),
  }));
}

function totalWeight(members: readonly Candidate[]): number {
  return members.reduce((sum, { weight }) => sum + weight, 0);
}

/** The kinds of a level, each with those members of the level that can run it. */
function sharedKinds({ loads, carriers }: Level<Team, TeamLoad>): readonly SharedKind<Candidate>[] {
  const inLevel = new Set(carriers);
  return loads.map(({ kind, carriers: able }) => ({
    ...kind,
    sharers: membersOf(able.filter((team) => inLevel.has(team))),
  }));
}

function membersOf(teams: readonly Team[]): readonly Candidate[] {
  return teams.flatMap(({ members }) => members);
}
