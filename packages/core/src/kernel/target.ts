/** From a group as the store has it to the target assignment that its members should converge to. */
import { assign } from "./assignor.ts";
import type { GroupTask } from "./bundles.ts";
import { taskIdOf } from "./task-id.ts";

/** What the target depends on; see `GroupSnapshot` in `ports/group.ts`. */
interface GroupPicture {
  readonly members: readonly {
    readonly member: string;
    readonly weight: number;
    readonly runs: readonly string[];
    readonly isLeaving: boolean;
  }[];
  readonly plan: Readonly<Record<string, { readonly partitions: number }>>;
  readonly target: Readonly<Record<string, readonly string[]>>;
  readonly owners: readonly { readonly task: string; readonly member: string; readonly generation: number }[];
  readonly pastOwners: readonly { readonly task: string; readonly member: string }[];
}

/**
 * The tasks of each member. A member that leaves gets none. A task that is on its way to a member, and owned by nobody
 * meanwhile, goes on to it where that costs nothing: the target before counts as memory.
 */
export function targetFor({
  members,
  plan,
  target,
  owners,
  pastOwners,
}: GroupPicture): Readonly<Record<string, readonly string[]>> {
  const staying = members.filter(({ isLeaving }) => !isLeaving);
  const promised = Object.entries(target).flatMap(([member, tasks]) => tasks.map((task) => ({ member, task })));
  const { tasksOf } = assign({
    members: staying.map(({ member, weight, runs }) => ({ id: member, weight, runs })),
    bundles: tasksIn(plan).map((task) => [task]),
    claims: owners,
    pastOwners: [...pastOwners, ...promised],
  });
  return Object.fromEntries(members.map(({ member }) => [member, tasksOf.get(member) ?? []]));
}

/** Every task of a group. */
export function tasksIn(plan: Readonly<Record<string, { readonly partitions: number }>>): readonly GroupTask[] {
  return Object.entries(plan).flatMap(([subTopology, { partitions }]) =>
    Array.from({ length: partitions }, (_, partition) => ({ id: taskIdOf(subTopology, partition), subTopology })),
  );
}
