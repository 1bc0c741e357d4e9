/** The calls by which members of a group agree who is to have which task, and hand tasks over. Pure. */
import {
  type Fenced,
  type GiveRequest,
  GROUP_TIMES,
  type MemberRef,
  type NotMember,
  type Proposal,
  type TakeAnswer,
} from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import { type GroupState, type Holding, isHeld, type Member, memberOf, type Step, swept } from "./group-state.ts";

/** See `Group.propose`. */
export function propose(state: GroupState, proposal: Proposal, nowMs: number): Step<"stored" | "outdated"> {
  if (proposal.epoch !== state.epoch || proposal.generation !== state.generation) {
    return { state, answer: "outdated", hint: null };
  }
  const target = new Map(Object.entries(proposal.target).map(([member, tasks]) => [member, [...tasks]]));
  const next: GroupState = {
    ...state,
    generation: Math.max(state.generation + 1, Math.floor(nowMs)),
    target,
    holdings: new Map([...state.holdings].map(([task, holding]) => [task, settled(task, holding, target)])),
    pending: null,
  };
  return { state: next, answer: "stored", hint: { kind: "changed" } };
}

/** See `Group.take`. */
export function take(
  before: GroupState,
  ref: MemberRef,
  wish: { readonly generation: number; readonly tasks: readonly string[] },
  nowMs: number,
): E.Either<NotMember | Fenced, Step<TakeAnswer>> {
  const state = swept(before, ref.member, (listed) => listed === ref.instance, nowMs);
  const caller = memberOf(state, ref);
  if (E.isLeft(caller)) {
    return caller;
  }
  if (wish.generation !== state.generation) {
    return E.right({ state, answer: { isCurrent: false, granted: [], held: [] }, hint: null });
  }
  const holdings = new Map(state.holdings);
  const past = new Map(state.past);
  const completed = new Set(state.completed);
  const granted: TakeAnswer["granted"][number][] = [];
  const held: TakeAnswer["held"][number][] = [];
  for (const task of wish.tasks) {
    const found = holdings.get(task);
    const holder = otherHolder(state, found, ref, nowMs);
    if (found && holder) {
      const revokeByMs = found.revokeByMs ?? nowMs + holder.revocationMs;
      holdings.set(task, { ...found, revokeByMs });
      const forMs = Math.max(0, Math.min(revokeByMs, holder.expiresAtMs) - nowMs);
      held.push({ task, member: found.member, forMs });
    } else if (isTakenBy(found, ref, wish.generation)) {
      granted.push({ task, pausedMs: null });
    } else {
      holdings.set(task, holdingOf(ref, wish.generation));
      remember(past, task, { found, by: ref, nowMs });
      completed.delete(task);
      granted.push({ task, pausedMs: pausedMsOf(found, nowMs) });
    }
  }
  const answer = { isCurrent: true, granted, held };
  return E.right({ state: { ...state, holdings, past, completed }, answer, hint: null });
}

/** See `Group.give`. */
export function give(state: GroupState, ref: MemberRef, request: GiveRequest, nowMs: number): Step<number> {
  const isOwn = (holding: Holding | undefined): holding is Holding =>
    holding?.member === ref.member && holding.instance === ref.instance && holding.released === null;
  const holdings = new Map(state.holdings);
  const completed = new Set(state.completed);
  const tasks: string[] = [];
  for (const { task, pausedMs } of request.released) {
    const holding = holdings.get(task);
    if (isOwn(holding)) {
      holdings.set(task, { ...holding, released: { atMs: nowMs, pausedSinceMs: nowMs - pausedMs } });
      completed.delete(task);
      tasks.push(task);
    }
  }
  for (const task of request.completed) {
    if (isOwn(holdings.get(task))) {
      completed.add(task);
    }
  }
  const hint = tasks.length === 0 ? null : ({ kind: "released", tasks } as const);
  return { state: { ...state, holdings, completed }, answer: completed.size, hint };
}

/** A task that stays with its holder is wanted no more: the next wish gives the holder its time anew. */
function settled(task: string, holding: Holding, target: GroupState["target"]): Holding {
  const stays = holding.revokeByMs !== null && target.get(holding.member)?.includes(task);
  return stays ? { ...holding, revokeByMs: null } : holding;
}

/** The member that keeps `ref` from taking a task; `null` where the task is free. */
function otherHolder(state: GroupState, holding: Holding | undefined, ref: MemberRef, nowMs: number): Member | null {
  if (holding === undefined) {
    return null;
  }
  const isRevoked = holding.revokeByMs !== null && holding.revokeByMs <= nowMs;
  if (holding.member === ref.member || isRevoked || !isHeld(state, holding)) {
    return null;
  }
  return state.members.get(holding.member) ?? null;
}

/** Whether this very call has had its effect before; what has happened to the task since, its completion too, stands. */
function isTakenBy(holding: Holding | undefined, ref: MemberRef, by: number): boolean {
  const isOwn = holding?.member === ref.member && holding.instance === ref.instance;
  return isOwn && holding.generation === by && holding.released === null;
}

/** For how long nobody has read a task that was given back; `null` where it was not. */
function pausedMsOf(holding: Holding | undefined, nowMs: number): number | null {
  const released = holding?.released ?? null;
  return released === null ? null : nowMs - released.pausedSinceMs;
}

function holdingOf({ member, instance }: MemberRef, generation: number): Holding {
  return { member, instance, generation, revokeByMs: null, released: null };
}

/** Enters into `past` whom `by` takes a task from. */
function remember(
  past: Map<string, { readonly member: string; readonly untilMs: number }>,
  task: string,
  change: { readonly found: Holding | undefined; readonly by: MemberRef; readonly nowMs: number },
): void {
  const { found, by, nowMs } = change;
  if (found !== undefined && found.member !== by.member) {
    past.set(task, { member: found.member, untilMs: nowMs + GROUP_TIMES.memoryMs });
  }
}
