import type { GroupSnapshot, Ports } from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import { GROUP } from "./topics.ts";

/** Who holds what, at one moment. */
export interface Holdings {
  /** The tasks that a member holds or is to have. */
  of(member: string): ReadonlySet<string>;
  /** The tasks that none of these members holds. */
  notOf(members: ReadonlySet<string>): ReadonlySet<string>;
  /** Who holds a task; `undefined`: no member. */
  ownerOf(task: string): string | undefined;
}

/** Asks the store; `null` when it does not answer. */
export async function holdings({ group }: Ports): Promise<Holdings | null> {
  const snapshot = await group.snapshot(GROUP)();
  return E.isLeft(snapshot) ? null : holdingsIn(snapshot.right);
}

function holdingsIn({ owners, target, plan }: GroupSnapshot): Holdings {
  const holders = new Map(owners.map(({ task, member }) => [task, member]));
  const tasks = Object.entries(plan).flatMap(([topic, { partitions }]) =>
    Array.from({ length: partitions }, (_, partition) => `${topic}/${partition}`),
  );
  return {
    of: (member) => new Set([...tasks.filter((task) => holders.get(task) === member), ...(target[member] ?? [])]),
    notOf: (members) => new Set(tasks.filter((task) => !members.has(holders.get(task) ?? ""))),
    ownerOf: (task) => holders.get(task),
  };
}
