/** The calls by which workers enter a group, stay in it and leave it. Pure. */
import {
  type Fenced,
  GROUP_TIMES,
  type GroupMismatch,
  type GroupView,
  type JoinRequest,
  type MemberRef,
  type NotMember,
  type PlanEntry,
  portError,
} from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import {
  changed,
  type GroupState,
  memberOf,
  renewed,
  replaced,
  type Step,
  swept,
  withMember,
  withoutMember,
} from "./group-state.ts";

/** See `Group.join`. */
export function join(
  before: GroupState,
  request: JoinRequest,
  nowMs: number,
): E.Either<GroupMismatch | Fenced, Step<GroupView>> {
  const { member: name, instance, previous } = request;
  const state = swept(before, name, (listed) => listed === instance || listed === previous, nowMs);
  const listed = state.members.get(name);
  if (listed?.instance === instance) {
    return E.right(view(withMember(state, name, renewed(listed, nowMs)), name, 0, nowMs));
  }
  if (listed !== undefined && previous !== null && previous !== listed.instance) {
    return E.left(replaced(request));
  }
  const { sessionMs, revocationMs, weight, host, pid } = request;
  const planned = withPlan(state, request);
  if (E.isLeft(planned)) {
    return planned;
  }
  const entered = withMember(planned.right, name, {
    instance,
    sessionMs,
    revocationMs,
    weight,
    runs: Object.keys(request.plan),
    host,
    pid,
    isLeaving: false,
    expiresAtMs: nowMs + sessionMs,
  });
  return E.right(view(changed(entered, "join", nowMs), name, 0, nowMs));
}

/** See `Group.heartbeat`. */
export function heartbeat(
  before: GroupState,
  ref: MemberRef,
  knows: { readonly generation: number; readonly isLeaving: boolean },
  nowMs: number,
): E.Either<NotMember | Fenced, Step<GroupView>> {
  const state = swept(before, ref.member, (listed) => listed === ref.instance, nowMs);
  const found = memberOf(state, ref);
  if (E.isLeft(found)) {
    return found;
  }
  // What was announced is not taken back: a call that arrives late would do so.
  const isLeaving = knows.isLeaving || found.right.isLeaving;
  const next = withMember(state, ref.member, { ...renewed(found.right, nowMs), isLeaving });
  const isChange = isLeaving !== found.right.isLeaving;
  return E.right(view(isChange ? changed(next, "loss", nowMs) : next, ref.member, knows.generation, nowMs));
}

/** See `Group.leave`. What a late repeat says of the group may be outdated, so it changes nothing. */
export function leave(state: GroupState, ref: MemberRef, nowMs: number): Step<void> {
  const found = memberOf(state, ref);
  if (E.isLeft(found)) {
    return { state, answer: undefined, hint: null };
  }
  const without = withoutMember(state, ref.member, nowMs);
  // A target that was made without the member still fits.
  const left = found.right.isLeaving && state.pending === null ? { ...without, pending: null } : without;
  return {
    state: left,
    answer: undefined,
    hint: { kind: "changed" },
  };
}

/** The plan with what the request brings. Where there is nobody else, there is nobody to agree with: it begins anew. */
function withPlan(state: GroupState, request: JoinRequest): E.Either<GroupMismatch, GroupState> {
  const isAlone = [...state.members.keys()].every((name) => name === request.member);
  const plan = new Map(isAlone ? [] : state.plan);
  for (const [topic, { partitions, meaning }] of Object.entries(request.plan)) {
    const found = plan.get(topic);
    // What nobody has any more binds nobody.
    const isRun = [...state.members].some(([name, { runs }]) => name !== request.member && runs.includes(topic));
    if (found !== undefined && isRun && (found.partitions !== partitions || found.meaning !== meaning)) {
      return E.left(mismatch(request, topic, found, { partitions, meaning }));
    }
    plan.set(topic, { partitions, meaning });
  }
  return E.right({ ...state, plan, completed: isAlone ? new Set() : state.completed });
}

function mismatch({ group, member }: JoinRequest, topic: string, theirs: PlanEntry, own: PlanEntry): GroupMismatch {
  const show = ({ partitions, meaning }: PlanEntry): string => `${partitions} partitions, ${meaning}`;
  const message =
    `member ${member} of group ${group} understands the sub-topology of topic ${topic} in another way than its members: ` +
    `they have ${show(theirs)}; it has ${show(own)}. Run the same pipeline in all workers, or stop the others first`;
  return portError("GroupMismatch", message);
}

/** What the caller is told, and the claim to propose, where it gets it. */
function view(state: GroupState, name: string, knownGeneration: number, nowMs: number): Step<GroupView> {
  const { epoch, generation, target, completed } = state;
  const members = [...state.members.values()];
  const [claimed, proposal] = proposalOf(state, name, nowMs);
  const answer: GroupView = {
    epoch,
    generation,
    target: generation === knownGeneration ? null : [...(target.get(name) ?? [])],
    members: members.length,
    staying: members.filter(({ isLeaving }) => !isLeaving).length,
    nextExpiryMs: Math.min(...members.map(({ expiresAtMs }) => expiresAtMs)) - nowMs,
    proposal,
    completed: completed.size,
  };
  return { state: claimed, answer, hint: null };
}

/** `GroupView.proposal`, and the state after it: one member at a time has the claim. */
function proposalOf(
  state: GroupState,
  name: string,
  nowMs: number,
): readonly [state: GroupState, proposal: number | null] {
  const { pending } = state;
  if (pending === null) {
    return [state, null];
  }
  const { dueAtMs, claim } = pending;
  if (nowMs < dueAtMs) {
    return [state, dueAtMs - nowMs];
  }
  const instance = state.members.get(name)?.instance ?? "";
  if (claim !== null && claim.instance !== instance && claim.untilMs > nowMs) {
    return [state, claim.untilMs - nowMs];
  }
  const next = { ...pending, claim: { instance, untilMs: nowMs + GROUP_TIMES.claimMs } };
  return [{ ...state, pending: next }, 0];
}
