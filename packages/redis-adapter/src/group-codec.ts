/** How consumer groups lie in their keys, and how the scripts' answers are read. `keys.ts` says what each key holds. */
import {
  GROUP_TIMES,
  type GroupSnapshot,
  type GroupView,
  type JoinRequest,
  type MemberInfo,
  type PlanEntry,
  type StoredTopology,
  type TakeAnswer,
  type TopologyAnswer,
} from "@millrace/core";
import { integerOf, listOf, pairsOf, textIn } from "./reply.ts";

const PLAN = "plan:";

/** What a member says of itself, for humans and for the assignor. */
type Details = Pick<MemberInfo, "weight" | "runs" | "host" | "pid">;

/** What {@link GroupSnapshot} lists of a task whose entry in `owners` this is. */
interface Holding {
  readonly task: string;
  readonly member: string;
  /** Empty once the task was released. */
  readonly instance: string;
  readonly generation: number;
  /** `null`: it was not released. */
  readonly stoppedAtMs: number | null;
}

/** Instances are any text; encoded they hold no `;`. */
export function encodeInstance(instance: string): string {
  return encodeURIComponent(instance);
}

/** The member's entry in `members`. */
export function encodeMember({ instance, sessionMs, revocationMs, weight, plan, host, pid }: JoinRequest): string {
  const details: Details = { weight, runs: Object.keys(plan), host, pid };
  return `${encodeInstance(instance)};${sessionMs};${revocationMs};${JSON.stringify(details)}`;
}

/** A sub-topology's entry in the plan. */
export function encodePlanEntry({ partitions, meaning }: PlanEntry): string {
  return `${partitions};${meaning}`;
}

/** The answer of `scripts/join.ts` and `scripts/heartbeat.ts`. */
export function viewIn(answer: readonly unknown[]): GroupView {
  const [, epoch, generation, target, members, staying, nextExpiryMs, proposal, completed] = answer;
  return {
    epoch: integerOf(epoch),
    generation: integerOf(generation),
    target: target === null ? null : tasksIn(textIn(target)),
    members: integerOf(members),
    staying: integerOf(staying),
    nextExpiryMs: integerOf(nextExpiryMs),
    proposal: nullIfNegative(integerOf(proposal)),
    completed: integerOf(completed),
  };
}

/** The answer of `scripts/take.ts`. */
export function takeAnswerIn([code, granted, held]: readonly unknown[]): TakeAnswer {
  if (code === "outdated") {
    return { isCurrent: false, granted: [], held: [] };
  }
  return {
    isCurrent: true,
    granted: pairsOf(granted).map(([task, pausedMs]) => ({ task, pausedMs: nullIfNegative(integerOf(pausedMs)) })),
    held: heldIn(listOf(held)),
  };
}

function heldIn(flat: readonly unknown[]): TakeAnswer["held"] {
  const held: TakeAnswer["held"][number][] = [];
  for (let at = 0; at + 2 < flat.length; at += 3) {
    held.push({ task: textIn(flat[at]), member: textIn(flat[at + 1]), forMs: integerOf(flat[at + 2]) });
  }
  return held;
}

/** The answer of `scripts/snapshot.ts`. */
export function snapshotIn(answer: readonly unknown[]): GroupSnapshot {
  const [, now, group, members, sessions, leaving, target, owners, past, completed] = answer;
  const nowMs = integerOf(now);
  const fields = pairsOf(group);
  const numbers = new Map(fields);
  const stays = new Map(pairsOf(members).map(([member, entry]) => [member, stayIn(entry)]));
  const isHeld = ({ member, instance }: Holding): boolean => stays.get(member)?.instance === instance;
  const holdings = pairsOf(owners).map(holdingIn);
  const expiries = new Map(pairsOf(sessions));
  const isLeaving = new Set(listOf(leaving).map(textIn));
  return {
    epoch: Number(numbers.get("epoch") ?? 0),
    generation: Number(numbers.get("generation") ?? 0),
    members: [...stays].map(
      ([
        member,
        {
          details: { weight, runs, host, pid },
        },
      ]) => ({
        member,
        weight,
        runs,
        isLeaving: isLeaving.has(member),
        host,
        pid,
        expiresInMs: Number(expiries.get(member) ?? nowMs) - nowMs,
      }),
    ),
    plan: planIn(fields),
    target: Object.fromEntries(pairsOf(target).map(([member, tasks]) => [member, tasksIn(tasks)])),
    owners: holdings.filter(isHeld).map(({ task, member, generation }) => ({ task, member, generation })),
    pastOwners: pastOwners(
      holdings.filter((holding) => !isHeld(holding)),
      pairsOf(past),
      nowMs,
    ),
    completed: listOf(completed).map(textIn),
  };
}

/** The answer of `scripts/topology.ts`. */
export function topologyIn([, revision, topology]: readonly unknown[]): StoredTopology | null {
  return revision === null ? null : { revision: integerOf(revision), topology: textIn(topology) };
}

/** The answer of `scripts/store-topology.ts`. */
export function topologyAnswerIn([code]: readonly unknown[]): TopologyAnswer {
  const answer = textIn(code);
  if (answer === "stored" || answer === "changed" || answer === "shared") {
    return answer;
  }
  throw new TypeError("Expected what became of a topology from Redis");
}

/** One for each task, the latest. */
function pastOwners(
  gone: readonly Holding[],
  past: ReturnType<typeof pairsOf>,
  nowMs: number,
): GroupSnapshot["pastOwners"] {
  const latest = new Map<string, string>();
  for (const [task, entry] of past) {
    const [member = "", untilMs = ""] = entry.split(";");
    if (nowMs < Number(untilMs)) {
      latest.set(task, member);
    }
  }
  for (const { task, member, stoppedAtMs } of gone) {
    if (stoppedAtMs === null || nowMs < stoppedAtMs + GROUP_TIMES.memoryMs) {
      latest.set(task, member);
    }
  }
  return [...latest].map(([task, member]) => ({ task, member }));
}

function holdingIn([task, entry]: readonly [string, string]): Holding {
  const [member = "", instance = "", generation, stoppedAt = ""] = entry.split(";");
  return {
    task,
    member,
    instance,
    generation: Number(generation),
    stoppedAtMs: stoppedAt === "" ? null : Number(stoppedAt),
  };
}

function stayIn(entry: string): { readonly instance: string; readonly details: Details } {
  const [instance = "", , , ...details] = entry.split(";");
  return { instance, details: JSON.parse(details.join(";")) as Details };
}

function planIn(fields: ReturnType<typeof pairsOf>): GroupSnapshot["plan"] {
  const plan: Record<string, PlanEntry> = {};
  for (const [field, entry] of fields) {
    if (field.startsWith(PLAN)) {
      const semicolon = entry.indexOf(";");
      plan[field.slice(PLAN.length)] = {
        partitions: Number(entry.slice(0, semicolon)),
        meaning: entry.slice(semicolon + 1),
      };
    }
  }
  return plan;
}

function tasksIn(json: string): readonly string[] {
  return JSON.parse(json) as string[];
}

/** Scripts have no `null` among numbers. */
function nullIfNegative(number: number): number | null {
  return number < 0 ? null : number;
}
