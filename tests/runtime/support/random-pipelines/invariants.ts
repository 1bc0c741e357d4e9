/** What must be true of values and letters in every outcome. Each throws with a message that begins with its own name. */
import { partitionOf } from "@millrace/core";
import type { Visit } from "./model.ts";
import { type Letter, lettersByVisit, mayBeDiscarded, type Outcome, skipAt } from "./outcome.ts";
import type { Branch } from "./shape.ts";

/** Fails with the name of the invariant. */
export function broken(invariant: string, what: string): never {
  throw new Error(`${invariant}: ${what}`);
}

export const nameOf = ({ operator, value }: Visit): string => `value ${value.id} at ${operator.name}`;

/** The values that have reached an end: those in its topic, or those that its function has written. */
function arrivedAt({ outputs, world }: Outcome, { end }: Branch): readonly string[] {
  return end.kind === "topic"
    ? (outputs.get(end.name) ?? []).map(({ value }) => value.id)
    : [...(world.written.get(end.name) ?? [])];
}

/** A value becomes a letter because its operator failed for it, or because its key is parked. */
export function lettersAreDeserved({ letters, model }: Outcome): void {
  for (const { id, visit, isBehind, isParked } of letters) {
    if (visit === undefined) {
      broken("lettersAreDeserved", `letter ${id} holds a value that never came to its operator`);
    }
    const decision = model.decision(visit.operator, visit.value.n);
    const isMeant = isParked ? decision === "park" : decision === "deadLetter";
    if (!isBehind && (!isMeant || !model.mayGiveUp(visit))) {
      broken("lettersAreDeserved", `${nameOf(visit)} became letter ${id}, although it does not fail so`);
    }
    const first = letters.find(
      (other) =>
        other.isParked && !other.isBehind && other.visit?.operator === visit.operator && other.visit.key === visit.key,
    );
    if (isBehind && first === undefined) {
      broken("lettersAreDeserved", `${nameOf(visit)} became letter ${id} behind none`);
    }
  }
}

/** Letters are numbered from 1 without a gap, for each operator and partition, and no value is in two of them. */
export function lettersAreWrittenOnce({ letters }: Outcome): void {
  const numbers = new Map<string, number>();
  const seen = new Set<string>();
  for (const { id, node, partition, number, value, visit } of letters) {
    const expected = (numbers.get(`${node}/${partition}`) ?? 0) + 1;
    numbers.set(`${node}/${partition}`, expected);
    if (number !== expected) {
      broken("lettersAreWrittenOnce", `letter ${id} is the ${expected}th of its operator and partition`);
    }
    const one = `${visit?.operator.name}:${value.id}`;
    if (seen.has(one)) {
      broken("lettersAreWrittenOnce", `value ${value.id} of ${node} is in two letters`);
    }
    seen.add(one);
  }
}

/** Outputs are what the operators make of values, in the partition of their key. */
export function outputsAreThoseOfTheModel({ outputs, shape, model }: Outcome): void {
  for (const { end } of shape.branches) {
    const expected = new Map((model.leaves.get(end.name) ?? []).map(({ value }) => [value.id, value]));
    for (const { value, partition } of outputs.get(end.name) ?? []) {
      if (JSON.stringify(expected.get(value.id)) !== JSON.stringify(value)) {
        broken("outputsAreThoseOfTheModel", `${end.name} has ${JSON.stringify(value)}`);
      }
      if (partitionOf(value.key, end.partitions) !== partition) {
        broken("outputsAreThoseOfTheModel", `value ${value.id} of ${end.name} is in partition ${partition}`);
      }
    }
  }
}

/** G4: no output is in a topic twice. */
export function nothingIsDoubled(outcome: Outcome): void {
  for (const branch of outcome.shape.branches) {
    const seen = new Set<string>();
    for (const id of arrivedAt(outcome, branch)) {
      if (seen.has(id)) {
        broken("nothingIsDoubled", `value ${id} is in the topic of ${branch.end.name} twice`);
      }
      seen.add(id);
    }
  }
}

/** G3: every value is at each end, or was skipped on the way, or is a letter there, or was discarded as one. */
export function nothingIsLost(outcome: Outcome): void {
  const { model, shape } = outcome;
  const letters = lettersByVisit(outcome);
  for (const branch of shape.branches) {
    const arrived = new Set(arrivedAt(outcome, branch));
    for (const leaf of model.leaves.get(branch.end.name) ?? []) {
      const isExcused = model.wayTo(leaf).some((visit) => {
        const letter = letters.get(visit);
        return (
          skipAt(model, visit) !== "never" ||
          (letter !== undefined && (letter.isOpen || mayBeDiscarded(outcome, letter)))
        );
      });
      if (!arrived.has(leaf.value.id) && !isExcused) {
        broken("nothingIsLost", `${nameOf(leaf)} has not arrived, and nothing says where it is`);
      }
    }
  }
}

/** A value that is an open letter, or fails for ever, has no effect behind its operator. */
export function nothingIsBothLetterAndOutput(outcome: Outcome): void {
  const { model, shape } = outcome;
  const letters = lettersByVisit(outcome);
  for (const branch of shape.branches) {
    const arrived = new Set(arrivedAt(outcome, branch));
    for (const leaf of model.leaves.get(branch.end.name) ?? []) {
      const way = model.wayTo(leaf);
      const held = way.filter((visit) => letters.get(visit)?.isOpen === true || skipAt(model, visit) === "always");
      const isInTwo = way.filter((visit) => letters.get(visit)?.isOpen === true).length > 1;
      if ((arrived.has(leaf.value.id) && held.length > 0) || isInTwo) {
        broken("nothingIsBothLetterAndOutput", `${nameOf(leaf)} is there, but also at ${held.map(nameOf).join()}`);
      }
    }
  }
}

/** When everything is mended and redriven, only what fails for ever is left, and what is parked behind it. */
export function nothingStaysThatCouldGo({ letters, model }: Outcome): void {
  const isStuck = ({ visit }: Letter): boolean =>
    visit !== undefined && model.failure(visit.operator, visit.value)?.kind === "forever";
  for (const letter of letters.filter(({ isOpen }) => isOpen)) {
    const blocker = letters.find(
      (other) =>
        other.isOpen &&
        isStuck(other) &&
        other.node === letter.node &&
        other.isParked &&
        letter.isParked &&
        other.visit?.key === letter.visit?.key &&
        other.number < letter.number,
    );
    if (!isStuck(letter) && blocker === undefined) {
      broken("nothingStaysThatCouldGo", `letter ${letter.id} (value ${letter.value.id}) is still open`);
    }
  }
}

/** When the letters in front are done with, a parked key flows again: what is sent then becomes no letter. */
export function parkedKeysFlowAgain({ letters }: Outcome): void {
  for (const probe of letters.filter(({ value }) => value.trail.startsWith("probe"))) {
    const isHeld = letters.some(
      ({ node, number, visit, isOpen }) =>
        isOpen && node === probe.node && visit?.key === probe.visit?.key && number < probe.number,
    );
    if (!isHeld) {
      broken("parkedKeysFlowAgain", `value ${probe.value.id} became letter ${probe.id}, behind none that is open`);
    }
  }
}
