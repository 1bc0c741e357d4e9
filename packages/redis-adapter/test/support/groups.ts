import type { GroupView, JoinRequest, MemberRef, Ports } from "@millrace/core";
import type { Redis } from "ioredis";
import type { Keys } from "../../src/keys.ts";
import { ok } from "./ports.ts";

/** The group of {@link joinOf}. */
export const GROUP = "app.pipeline";

/** A worker that joins {@link GROUP} for the first time. */
export function joinOf(member: string, rest: Partial<JoinRequest> = {}): JoinRequest {
  return {
    group: GROUP,
    member,
    instance: `${member}-1`,
    previous: null,
    sessionMs: 10_000,
    revocationMs: 5_000,
    weight: 1,
    plan: { orders: { partitions: 4, meaning: "counts" } },
    host: "host",
    pid: 1,
    ...rest,
  };
}

/** The stay that {@link joinOf} begins. */
export function refOf(member: string, instance = `${member}-1`): MemberRef {
  return { group: GROUP, member, instance };
}

/** A heartbeat of {@link refOf}, which succeeds. */
export function beat(
  ports: Ports,
  member: string,
  knows: { readonly generation?: number; readonly isLeaving?: boolean } = {},
): Promise<GroupView> {
  return ok(ports.group.heartbeat(refOf(member), { generation: 0, isLeaving: false, ...knows }));
}

/** Stores a target for the group as it is now, and returns its generation. */
export async function aim(ports: Ports, target: Readonly<Record<string, readonly string[]>>): Promise<number> {
  const { epoch, generation } = await ok(ports.group.snapshot(GROUP));
  const stored = await ok(ports.group.propose({ ...refOf("anybody"), epoch, generation, target }));
  if (stored !== "stored") {
    throw new Error("the group has changed meanwhile");
  }
  return (await ok(ports.group.snapshot(GROUP))).generation;
}

/** Lets the sessions of members be over, as if their time had passed. */
export async function expire(admin: Redis, keys: Keys, ...members: readonly string[]): Promise<void> {
  for (const member of members) {
    await admin.zadd(keys.group(GROUP).sessions, "XX", 1, member);
  }
}

/** The server's time in ms. */
export async function serverTime(admin: Redis): Promise<number> {
  const [seconds, micros] = await admin.time();
  return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
}
