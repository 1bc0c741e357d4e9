import type { GroupView, JoinRequest, MemberRef, Ports } from "@millrace/core";
import { expect } from "vitest";
import { ok } from "./outcome.ts";
import { fresh } from "./rig.ts";

/** A session, or a revocation, that no test sees the end of. In ms. */
export const LONG_MS = 600_000;

/** A session whose end a test waits for. In ms. */
export const SHORT_MS = 400;

/** What a heartbeat says of a member that has seen no target and stays. */
const NEWCOMER = { generation: 0, isLeaving: false };

/** What a worker says as it joins: it runs the topic `t`, of 4 partitions, and stays; except for what the test says. */
export function joinOf(group: string, member: string, rest: Partial<JoinRequest> = {}): JoinRequest {
  return {
    group,
    member,
    instance: fresh("instance"),
    previous: null,
    sessionMs: LONG_MS,
    revocationMs: LONG_MS,
    weight: 1,
    plan: { t: { partitions: 4, meaning: "count" } },
    host: "localhost",
    pid: 1,
    ...rest,
  };
}

/** Joins, and returns by what the member is known from then on. */
export async function enter(
  ports: Ports,
  group: string,
  member: string,
  rest: Partial<JoinRequest> = {},
): Promise<MemberRef> {
  const request = joinOf(group, member, rest);
  await ok(ports.group.join(request));
  return { group, member, instance: request.instance };
}

/** What a member learns from a heartbeat. */
export function beat(
  ports: Ports,
  ref: MemberRef,
  knows: { readonly generation?: number; readonly isLeaving?: boolean } = {},
): Promise<GroupView> {
  return ok(ports.group.heartbeat(ref, { ...NEWCOMER, ...knows }));
}

/** Stores a target for the members as they are, and returns its generation. */
export async function settle(
  ports: Ports,
  ref: MemberRef,
  target: Readonly<Record<string, readonly string[]>>,
): Promise<number> {
  const { epoch, generation } = await ok(ports.group.snapshot(ref.group));
  expect(await ok(ports.group.propose({ ...ref, epoch, generation, target }))).toBe("stored");
  return (await ok(ports.group.snapshot(ref.group))).generation;
}

/** The same worker as it was in a stay before, or as somebody who gives himself out as it. */
export function otherStay(ref: MemberRef): MemberRef {
  return { ...ref, instance: fresh("instance") };
}

/** The names of the members, sorted. */
export async function memberNames(ports: Ports, group: string): Promise<readonly string[]> {
  const { members } = await ok(ports.group.snapshot(group));
  return members.map(({ member }) => member).toSorted();
}

/** The holders of tasks as `<task> <member>`, sorted. */
export async function owners(ports: Ports, group: string): Promise<readonly string[]> {
  const found = await ok(ports.group.snapshot(group));
  return found.owners.map(({ task, member }) => `${task} ${member}`).toSorted();
}
