import { GROUP_TIMES, type GroupSnapshot } from "@millrace/core";
import { type GroupState, type Holding, isHeld } from "./group-state.ts";

/** See `Group.snapshot`. */
export function snapshotOf(state: GroupState, nowMs: number): GroupSnapshot {
  return {
    epoch: state.epoch,
    generation: state.generation,
    members: [...state.members].map(([member, { weight, runs, isLeaving, host, pid, expiresAtMs }]) => ({
      member,
      weight,
      runs: [...runs],
      isLeaving,
      host,
      pid,
      expiresInMs: expiresAtMs - nowMs,
    })),
    plan: Object.fromEntries([...state.plan].map(([topic, entry]) => [topic, { ...entry }])),
    target: Object.fromEntries([...state.target].map(([member, tasks]) => [member, [...tasks]])),
    owners: [...state.holdings]
      .filter(([, holding]) => isHeld(state, holding))
      .map(([task, { member, generation }]) => ({ task, member, generation })),
    pastOwners: pastOwners(state, nowMs),
    completed: [...state.completed],
  };
}

/** One for each task, the latest. */
function pastOwners(state: GroupState, nowMs: number): GroupSnapshot["pastOwners"] {
  const latest = new Map<string, string>();
  for (const [task, { member, untilMs }] of state.past) {
    if (nowMs < untilMs) {
      latest.set(task, member);
    }
  }
  for (const [task, holding] of state.holdings) {
    if (!isHeld(state, holding) && isRemembered(holding, nowMs)) {
      latest.set(task, holding.member);
    }
  }
  return [...latest].map(([task, member]) => ({ task, member }));
}

function isRemembered({ released }: Holding, nowMs: number): boolean {
  return released === null || nowMs < released.atMs + GROUP_TIMES.memoryMs;
}
