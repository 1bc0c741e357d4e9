/** What commands about a group refer to: stays of members, and tasks. */
import type { GroupSnapshot, MemberRef } from "@millrace/core";
import * as fc from "fast-check";
import { latest, type Play } from "./command.ts";
import type { World } from "./world.ts";

/** The group whose members the commands are. */
const GROUP = "m";

/** Who takes part. */
export const MEMBERS = ["a", "b", "c é"] as const;

/** What they share. */
export const TASKS = ["t/0", "t/1", "t/2", "t/10"] as const;

/** The group, as it is called in this sequence. */
export function groupName({ options }: World): string {
  return `${options.prefix}${GROUP}`;
}

/** Which stay a command is about. */
export interface StayChoice {
  readonly who: "one that is" | "one that was" | "nobody";
  readonly back: number;
}

/** Mostly the latest stay of somebody. */
export const anyStay: fc.Arbitrary<StayChoice> = fc.record({
  who: fc.oneof(
    { weight: 30, arbitrary: fc.constant<StayChoice["who"]>("one that is") },
    { weight: 2, arbitrary: fc.constant<StayChoice["who"]>("one that was") },
    { weight: 1, arbitrary: fc.constant<StayChoice["who"]>("nobody") },
  ),
  back: fc.nat(2),
});

/** What a command means. */
export function stayOf({ stays, world }: Play, { who, back }: StayChoice): MemberRef {
  const isLatest = (stay: MemberRef, n: number): boolean =>
    !stays.slice(n + 1).some(({ member }) => member === stay.member);
  const among = { "one that is": stays.filter(isLatest), "one that was": stays, nobody: [] }[who];
  return latest(among, back) ?? { group: groupName(world), member: MEMBERS[0], instance: "nobody's" };
}

/** A stay as the report shows it. */
export function shownStay({ member, instance }: MemberRef): string {
  return `${member}, ${instance}`;
}

/** Which tasks a command is about. */
export type TaskChoice = "of its target" | "that it holds" | "that others hold" | readonly string[];

/** Mostly some that the command can mean something for. */
export const anyTasks: fc.Arbitrary<TaskChoice> = fc.oneof(
  { weight: 3, arbitrary: fc.constant("of its target" as const) },
  { weight: 3, arbitrary: fc.constant("that it holds" as const) },
  { weight: 3, arbitrary: fc.constant("that others hold" as const) },
  { weight: 3, arbitrary: fc.subarray([...TASKS]) },
);

/** What a command means. */
export async function tasksOf(play: Play, { member }: MemberRef, choice: TaskChoice): Promise<readonly string[]> {
  if (typeof choice !== "string") {
    return choice;
  }
  const { target, owners } = await peekOf(play);
  const isOwn = choice === "that it holds";
  const held = owners.filter((owner) => (owner.member === member) === isOwn).map(({ task }) => task);
  const found = choice === "of its target" ? (target[member] ?? []) : held;
  return found.length === 0 ? TASKS.slice(0, 2) : found;
}

/** What a command that names numbers of the group goes by. */
export async function peekOf({ world }: Play): Promise<GroupSnapshot> {
  const found = await world.peek.group.snapshot(groupName(world))();
  if (found._tag === "Left") {
    throw new Error(found.left.message);
  }
  return found.right;
}
