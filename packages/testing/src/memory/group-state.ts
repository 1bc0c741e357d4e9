/**
 * What is kept of a consumer group, and how its members change. Pure: every step makes a new state, so that a call which
 * is refused leaves nothing behind.
 */
import {
  type Fenced,
  GROUP_TIMES,
  type GroupHint,
  type MemberRef,
  type NotMember,
  type PlanEntry,
  portError,
  type StoredTopology,
} from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";

/** A listed member. It stays one when its session is over, until somebody notices. */
export interface Member {
  readonly instance: string;
  readonly sessionMs: number;
  readonly revocationMs: number;
  readonly weight: number;
  readonly runs: readonly string[];
  readonly host: string;
  readonly pid: number;
  readonly isLeaving: boolean;
  /** When the session is over. */
  readonly expiresAtMs: number;
}

/** The last one to have taken a task, which it holds unless it has released it or is no member any more. */
export interface Holding {
  readonly member: string;
  readonly instance: string;
  readonly generation: number;
  /** When it must have given the task up, at the latest; `null` while nobody else wants it. */
  readonly revokeByMs: number | null;
  readonly released: {
    readonly atMs: number;
    /** Since when it had not read any more. */
    readonly pausedSinceMs: number;
  } | null;
}

/** A change of the members that no target was stored for. */
interface PendingChange {
  readonly firstAtMs: number;
  /** When a target should be proposed. */
  readonly dueAtMs: number;
  /** Tasks wait: joins do not put the proposal off any more. */
  readonly isUrgent: boolean;
  readonly claim: { readonly instance: string; readonly untilMs: number } | null;
}

/** A consumer group. */
export interface GroupState {
  readonly epoch: number;
  readonly generation: number;
  readonly members: ReadonlyMap<string, Member>;
  readonly plan: ReadonlyMap<string, PlanEntry>;
  readonly target: ReadonlyMap<string, readonly string[]>;
  /** By task. */
  readonly holdings: ReadonlyMap<string, Holding>;
  /** Who held a task before its {@link Holding}. */
  readonly past: ReadonlyMap<string, { readonly member: string; readonly untilMs: number }>;
  readonly completed: ReadonlySet<string>;
  /** `null`: the target fits the members. */
  readonly pending: PendingChange | null;
  readonly topology: StoredTopology | null;
}

/** What a call comes to. */
export interface Step<A> {
  readonly state: GroupState;
  readonly answer: A;
  readonly hint: GroupHint | null;
}

/** A group that never was. */
export const NO_GROUP: GroupState = {
  epoch: 0,
  generation: 0,
  members: new Map(),
  plan: new Map(),
  target: new Map(),
  holdings: new Map(),
  past: new Map(),
  completed: new Set(),
  pending: null,
  topology: null,
};

/** The state after a change of the members: the next epoch, and a target to be proposed after a quiet time. */
export function changed(state: GroupState, kind: "join" | "loss", nowMs: number): GroupState {
  const { pending } = state;
  const firstAtMs = pending?.firstAtMs ?? nowMs;
  const isUrgent = kind === "loss" || pending?.isUrgent === true;
  const dueAtMs = kind === "loss" ? dueAfterLoss(pending, nowMs) : dueAfterJoin(pending, nowMs);
  return { ...state, epoch: state.epoch + 1, pending: { claim: null, ...pending, firstAtMs, isUrgent, dueAtMs } };
}

function dueAfterLoss(pending: PendingChange | null, nowMs: number): number {
  return Math.min(pending?.dueAtMs ?? Number.POSITIVE_INFINITY, nowMs + GROUP_TIMES.quietAfterLossMs);
}

function dueAfterJoin(pending: PendingChange | null, nowMs: number): number {
  if (pending?.isUrgent) {
    return pending.dueAtMs;
  }
  const firstAtMs = pending?.firstAtMs ?? nowMs;
  return Math.min(nowMs + GROUP_TIMES.quietMs, firstAtMs + GROUP_TIMES.longestQuietMs);
}

/** The state with a member entered or replaced; no change of the members by itself. */
export function withMember(state: GroupState, name: string, member: Member): GroupState {
  return { ...state, members: new Map(state.members).set(name, member) };
}

/** The state without a member. Its holdings stay: they say who had which task. */
export function withoutMember(state: GroupState, name: string, nowMs: number): GroupState {
  const members = new Map(state.members);
  members.delete(name);
  return changed({ ...state, members }, "loss", nowMs);
}

/** The member with a session that begins anew. */
export function renewed(member: Member, nowMs: number): Member {
  return { ...member, expiresAtMs: nowMs + member.sessionMs };
}

/**
 * Notices the sessions that are over, the caller's excepted. Where `isOwn` finds the caller's own session over, nobody
 * could reach the store for a while, so those of the others are renewed with it instead of ended.
 */
export function swept(
  state: GroupState,
  caller: string,
  isOwn: (instance: string) => boolean,
  nowMs: number,
): GroupState {
  const own = state.members.get(caller);
  const isForgiving = own !== undefined && isOwn(own.instance) && own.expiresAtMs <= nowMs;
  let next = state;
  for (const [name, member] of state.members) {
    if (member.expiresAtMs > nowMs) {
      continue;
    }
    if (isForgiving) {
      next = withMember(next, name, renewed(member, nowMs));
    } else if (name !== caller) {
      next = withoutMember(next, name, nowMs);
    }
  }
  return next;
}

/** The caller's entry, or why it is none. */
export function memberOf(state: GroupState, ref: MemberRef): E.Either<NotMember | Fenced, Member> {
  const member = state.members.get(ref.member);
  if (member === undefined) {
    const message = `member ${ref.member} of group ${ref.group} is not listed: its session is over, or the store has lost the group; join again`;
    return E.left(portError("NotMember", message));
  }
  return member.instance === ref.instance ? E.right(member) : E.left(replaced(ref));
}

/** The name belongs to another worker. */
export function replaced({ group, member }: MemberRef): Fenced {
  return portError(
    "Fenced",
    `another worker has joined group ${group} as member ${member}; give each worker its own id`,
  );
}

/** Whether a member of today holds the task. */
export function isHeld(state: GroupState, holding: Holding): boolean {
  return holding.released === null && state.members.get(holding.member)?.instance === holding.instance;
}
