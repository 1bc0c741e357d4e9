/** The changes that a group goes through under load, one after the other. */
import { setTimeout as sleep } from "node:timers/promises";
import type { GroupDescription } from "@millrace/core";
import type { Cluster, Member } from "../cluster/cluster.ts";

export type ChangeKind = "join" | "leave" | "kill";

/** A span of time, ms since the epoch. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** A change of the members, from the moment at which it was made until the group had been settled for a while. */
export interface Change extends Span {
  readonly kind: ChangeKind;
  /** Who came or went. */
  readonly member: string;
  readonly before: GroupDescription;
  readonly after: GroupDescription;
  /** Just before it, when nothing changed and no process was starting. */
  readonly quiet: Span;
}

/** A round: a worker is replaced in order, then one by force. So the group is as large at its end as it was. */
const ROUND: readonly ChangeKind[] = ["join", "leave", "join", "kill"];
const CALM_MS = 400;
const QUIET_MS = 700;
/** What the last task to settle may still have to catch up with. */
const AFTERMATH_MS = 400;

/** Goes through `rounds` rounds, beginning with `members`, and returns what changed. */
export async function goThroughChanges(
  cluster: Cluster,
  members: readonly Member[],
  rounds: number,
): Promise<readonly Change[]> {
  const changes: Change[] = [];
  let present = members;
  for (const kind of Array.from({ length: rounds }, () => ROUND).flat()) {
    const { change, members: now } = await changeOnce(cluster, present, kind);
    changes.push(change);
    present = now;
  }
  return changes;
}

async function changeOnce(
  cluster: Cluster,
  members: readonly Member[],
  kind: ChangeKind,
): Promise<{ readonly change: Change; readonly members: readonly Member[] }> {
  const [member, rest] = await subjectOf(cluster, members, kind);
  const next = kind === "join" ? [...rest, member] : rest;
  const before = await cluster.describe(members);
  await sleep(CALM_MS);
  const quietMs = Date.now();
  await sleep(QUIET_MS);
  const fromMs = Date.now();
  await Promise.all([make(kind, member), cluster.settled(next)]);
  await sleep(AFTERMATH_MS);
  const toMs = Date.now();
  const after = await cluster.describe(next);
  const quiet = { fromMs: quietMs, toMs: fromMs };
  return { change: { kind, member: member.name, fromMs, toMs, before, after, quiet }, members: next };
}

/** Who joins, newly started; or who goes: the oldest. And the others. */
async function subjectOf(
  cluster: Cluster,
  members: readonly Member[],
  kind: ChangeKind,
): Promise<readonly [Member, readonly Member[]]> {
  if (kind === "join") {
    return [await cluster.startMember(), members];
  }
  const [oldest, ...others] = members;
  if (oldest === undefined) {
    throw new Error("group: nobody is left");
  }
  return [oldest, others];
}

function make(kind: ChangeKind, member: Member): Promise<void> {
  switch (kind) {
    case "join":
      return member.join();
    case "leave":
      return member.leave();
    case "kill":
      return member.kill();
  }
}
