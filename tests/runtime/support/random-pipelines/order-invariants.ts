/** What must be true of the order in every outcome, and of how it came about. */
import { broken, nameOf } from "./invariants.ts";
import type { Visit } from "./model.ts";
import { lettersByVisit, type Outcome } from "./outcome.ts";
import type { Branch, Operator } from "./shape.ts";

/** Least limit of a task, whatever its worker may hold: see `limits`. */
const LEAST_RECORDS = 512;

/** What is later in the log, and was there first. */
interface Overtaking {
  readonly late: Visit;
  readonly early: Visit;
}

/** G1: in each partition of a topic, values that came in order are in order, save those that were letters on their way. */
export function outputsStayInOrder(outcome: Outcome): void {
  const letters = lettersByVisit(outcome);
  const wasLetter = (late: Visit): boolean => outcome.model.wayTo(late).some((visit) => letters.has(visit));
  for (const { late, early } of overtakings(outcome, outputOrders)) {
    if (!wasLetter(late)) {
      broken("outputsStayInOrder", `${nameOf(late)} is behind ${nameOf(early)}, which came later`);
    }
  }
}

/** What is parked is overtaken by nothing of its key, at any time: later values are in no topic before it. */
export function parkedKeysWait(outcome: Outcome): void {
  const { model } = outcome;
  const letters = lettersByVisit(outcome);
  for (const { late, early } of overtakings(outcome, outputOrders)) {
    const lettersOfLate = model.wayTo(late).flatMap((visit) => letters.get(visit) ?? []);
    const held = lettersOfLate.filter(
      ({ isParked, visit }) => isParked && visit !== undefined && sameKey(outcome, visit, early),
    );
    if (held.length > 0 && held.length === lettersOfLate.length) {
      broken("parkedKeysWait", `${nameOf(late)}, which was parked, is behind ${nameOf(early)} of its key`);
    }
  }
}

/** The same of what a function has written, by the first time: only values that may be dropped or put aside may come late. */
export function writesStayInOrder(outcome: Outcome): void {
  const { model } = outcome;
  const parked = new Set<string>();
  for (const visit of model.visits.values()) {
    if (model.decision(visit.operator, visit.value.n) === "park" && model.mayGiveUp(visit)) {
      parked.add(`${visit.operator.name} ${visit.key}`);
    }
  }
  for (const { late, early } of overtakings(outcome, writeOrders)) {
    const isExcused = model.wayTo(late).some((visit) => {
      const decision = model.decision(visit.operator, visit.value.n);
      const isPutAside = (decision === "skip" || decision === "deadLetter") && model.mayGiveUp(visit);
      return isPutAside || (parked.has(`${visit.operator.name} ${visit.key}`) && !sameKey(outcome, visit, early));
    });
    if (!isExcused) {
      broken("writesStayInOrder", `${nameOf(late)} was written behind ${nameOf(early)}, which came later`);
    }
  }
}

/** What the workers say that they have done away with is what is done. */
export function requestsAddUp({ letters, done }: Outcome): void {
  const closed = letters.filter(({ isOpen }) => !isOpen).length;
  if (closed !== done) {
    broken("requestsAddUp", `${closed} letters are done with, and workers have told of ${done}`);
  }
}

/** G1: calls of one lane never overlap, on whichever workers, as long as none has crashed. */
export function lanesDoNotOverlap({ world }: Outcome): void {
  const [lane] = world.overlaps;
  if (lane !== undefined) {
    broken("lanesDoNotOverlap", `two calls of lane ${lane} ran at once`);
  }
}

/** G4: the idempotency key of a value at an operator is the same in every call, and nobody else's. */
export function idempotencyKeysHold({ world }: Outcome): void {
  const [what] = world.unstableKeys;
  if (what !== undefined) {
    broken("idempotencyKeysHold", what);
  }
}

/** What was done before a commit, or before a letter, is not done again: not by a restart, and not by a redrive. */
export function committedWorkIsNotRepeated({ world }: Outcome): void {
  const [what] = world.repeated;
  if (what !== undefined) {
    broken("committedWorkIsNotRepeated", what);
  }
}

/** G5: no task holds more records that were read and are not committed than its limit. */
export function memoryIsBounded({ spy, maxRecords }: Outcome): void {
  const limit = Math.max(LEAST_RECORDS, maxRecords);
  if (spy.mostHeld > limit) {
    broken("memoryIsBounded", `a task held ${spy.mostHeld} records; its limit is ${limit}`);
  }
}

/** What lies in each partition of the topic of an end, in its order, as ids. */
function outputOrders({ outputs }: Outcome, { end }: Branch): readonly (readonly string[])[] {
  const orders: string[][] = Array.from({ length: end.partitions }, () => []);
  for (const { value, partition } of outputs.get(end.name) ?? []) {
    orders[partition]?.push(value.id);
  }
  return orders;
}

/** What the function of an end has written, in the order of the first time, as ids. */
function writeOrders({ world }: Outcome, { end }: Branch): readonly (readonly string[])[] {
  return [[...(world.written.get(end.name) ?? [])]];
}

/** Pairs that are in another order than in the log although order was promised for them. */
function* overtakings(
  outcome: Outcome,
  ordersOf: (outcome: Outcome, branch: Branch) => readonly (readonly string[])[],
): Iterable<Overtaking> {
  const { shape, model } = outcome;
  for (const branch of shape.branches) {
    const way = [...shape.trunk, ...branch.operators];
    const leaves = new Map((model.leaves.get(branch.end.name) ?? []).map((leaf) => [leaf.value.id, leaf]));
    const orders = way.some(({ kind }) => kind === "mapUnordered") ? [] : ordersOf(outcome, branch);
    for (const pair of orders.flatMap((ids) => [...inversions(ids.flatMap((id) => leaves.get(id) ?? []))])) {
      if (isPromised(outcome, way, pair)) {
        yield pair;
      }
    }
  }
}

/** Order is that of the partition that was read; behind a change of key it is that of the new key, too. */
function isPromised({ model }: Outcome, way: readonly Operator[], { late, early }: Overtaking): boolean {
  const regroups = way.some(({ kind, isSameKey }) => kind === "partitionBy" && !isSameKey);
  const isOfOneSource = model.partitionOf(late.value) === model.partitionOf(early.value);
  return isOfOneSource && (!regroups || late.key === early.key);
}

function* inversions(order: readonly Visit[]): Iterable<Overtaking> {
  let newest = Number.NEGATIVE_INFINITY;
  for (const [index, late] of order.entries()) {
    if (late.place < newest) {
      for (const early of order.slice(0, index)) {
        if (early.place > late.place) {
          yield { late, early };
        }
      }
    }
    newest = Math.max(newest, late.place);
  }
}

/** Whether another value had the same key where `visit` was. */
function sameKey({ model }: Outcome, visit: Visit, other: Visit): boolean {
  return model.wayTo(other).find(({ operator }) => operator === visit.operator)?.key === visit.key;
}
