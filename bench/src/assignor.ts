// The kernel is no part of the published surface, so its built file is imported by its path: what is measured is what ships.
// `tsc -b` builds it first, and checks the types.
import { assign, type GroupState, type TargetAssignment } from "../../packages/core/dist/kernel/assignor.js";
import { distributionOf, median } from "./distribution.ts";
import { minimalMoves } from "./minimal-moves.ts";
import type { Report, Row, Trial } from "./trial.ts";

const TASKS = 10_000;
const MEMBERS = 500;
const ROUNDS = 5;
const SUB_TOPOLOGIES = [1, 10, 100];
const GOAL_MS = 1_000;
const GENERATION = 1;

interface Scenario {
  readonly name: string;
  readonly state: GroupState;
  /** The owners before. */
  readonly before: TargetAssignment | null;
}

interface Result {
  readonly subTopologies: number;
  readonly scenario: string;
  readonly medianMs: number;
  readonly maxMs: number;
  /** Median of the CPU time, compilation and garbage collection included: what a busy machine does not change. */
  readonly cpuMs: number;
  /** Tasks taken from members that stay. */
  readonly moves: number;
}

/** How long the computation of a target takes. */
export const assignor: Trial = (setting) => {
  const tasks = setting.partitions ?? TASKS;
  const members = setting.workers ?? MEMBERS;
  const rounds = setting.rounds ?? ROUNDS;
  const results = SUB_TOPOLOGIES.filter((count) => count <= tasks).flatMap((subTopologies) =>
    scenariosOf({ tasks, members, subTopologies }).map((scenario) =>
      measured(scenario, { subTopologies, tasks, rounds }),
    ),
  );
  return Promise.resolve<Report>({
    title: `assignor: ${tasks} tasks, ${members} members, ${rounds} rounds`,
    head: ["median ms", "max ms", "CPU ms", "moves"],
    rows: results.map(rowOf),
    figures: { tasks, members, rounds, results },
  });
};

function rowOf({ subTopologies, scenario, medianMs, maxMs, cpuMs, moves }: Result): Row {
  return {
    what: `${subTopologies} sub-topolog${subTopologies === 1 ? "y" : "ies"}: ${scenario}`,
    cells: [medianMs.toFixed(0), maxMs.toFixed(0), cpuMs.toFixed(0), String(moves)],
    verdict: { goal: `median < ${GOAL_MS} ms`, isMet: medianMs < GOAL_MS },
  };
}

function scenariosOf(size: {
  readonly tasks: number;
  readonly members: number;
  readonly subTopologies: number;
}): readonly Scenario[] {
  const { members } = size;
  const initial = stateOf(size, members, null);
  const fewer = assign(stateOf(size, members - 1, null));
  const more = assign(stateOf(size, members + 1, null));
  return [
    { name: "initial", state: initial, before: null },
    { name: "one joins", state: stateOf(size, members, fewer), before: fewer },
    { name: "one leaves", state: stateOf(size, members, more), before: more },
  ];
}

/** A group of `members` with the claims of those who own something. */
function stateOf(
  { tasks, subTopologies }: { readonly tasks: number; readonly subTopologies: number },
  members: number,
  before: TargetAssignment | null,
): GroupState {
  const names = Array.from({ length: subTopologies }, (_, index) => `topic-${index}`);
  const claims = [...(before?.tasksOf ?? [])].flatMap(([member, owned]) =>
    owned.map((task) => ({ member, task, generation: GENERATION })),
  );
  return {
    members: Array.from({ length: members }, (_, index) => ({ id: `member-${index}`, runs: names })),
    bundles: Array.from({ length: tasks }, (_, index) => {
      const subTopology = names[index % subTopologies] ?? "";
      return [{ id: `${subTopology}/${Math.floor(index / subTopologies)}`, subTopology }];
    }),
    claims,
    pastOwners: claims,
  };
}

function measured(
  { name, state, before }: Scenario,
  { subTopologies, tasks, rounds }: { readonly subTopologies: number; readonly tasks: number; readonly rounds: number },
): Result {
  const times: number[] = [];
  const cpuTimes: number[] = [];
  let moves = 0;
  for (let round = 0; round < rounds; round += 1) {
    const cpuBefore = process.cpuUsage();
    const startMs = performance.now();
    const target = assign(state);
    times.push(performance.now() - startMs);
    const { user, system } = process.cpuUsage(cpuBefore);
    cpuTimes.push((user + system) / 1_000);
    moves = before === null ? 0 : movesBetween(before, target);
    check(target, { tasks, before: subTopologies === 1 ? before : null, moves });
  }
  return {
    subTopologies,
    scenario: name,
    medianMs: median(times),
    maxMs: distributionOf(times).max,
    cpuMs: median(cpuTimes),
    moves,
  };
}

function movesBetween(before: TargetAssignment, { tasksOf }: TargetAssignment): number {
  return [...before.tasksOf]
    .map(([member, owned]) => {
      const kept = tasksOf.get(member);
      const has = new Set(kept);
      return kept === undefined ? 0 : owned.filter((task) => !has.has(task)).length;
    })
    .reduce((sum, count) => sum + count, 0);
}

/** Throws unless every task has one owner, nobody has two more than another, and no task moved in vain. */
function check(
  { tasksOf, unassigned }: TargetAssignment,
  {
    tasks,
    before,
    moves,
  }: { readonly tasks: number; readonly before: TargetAssignment | null; readonly moves: number },
): void {
  const counts = [...tasksOf.values()].map(({ length }) => length);
  const distinct = new Set([...tasksOf.values()].flat()).size;
  const { max } = distributionOf(counts);
  if (distinct !== tasks || unassigned.length > 0 || max - Math.min(...counts) > 1) {
    throw new Error(`assignor: ${distinct} of ${tasks} tasks assigned, ${Math.min(...counts)} to ${max} each`);
  }
  if (before !== null) {
    const owned = [...tasksOf.keys()].map((member) => before.tasksOf.get(member)?.length ?? 0);
    const least = minimalMoves(owned, tasks);
    if (moves !== least) {
      throw new Error(`assignor: ${moves} moves, ${least} would do`);
    }
  }
}
