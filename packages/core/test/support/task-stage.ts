import { type MillraceError, systemClock } from "@millrace/core";
import type { OperatorFunction } from "rxjs";
import { unfold } from "../../src/topology/operator.ts";
import { NO_RECORD } from "../../src/topology/record.ts";
import { NO_UNIT, type Stage, type StageEnv, scope, type Unit } from "../../src/topology/stage.ts";

/** A unit that only counts by how many operators it is held. */
export interface CountingUnit extends Unit {
  readonly held: number;
}

/** A unit that nobody holds yet. */
export function countingUnit(): CountingUnit {
  const unit = {
    ...NO_UNIT,
    held: 0,
    retain: () => {
      unit.held += 1;
    },
    release: () => {
      unit.held -= 1;
    },
  };
  return unit;
}

/** The stage of one operator as a task runs it; `failed` notes what ends the instance. */
export function taskStage<A, B>(
  apply: OperatorFunction<A, B>,
  down: Partial<Stage<B>>,
  failed: unknown[] = [],
): Stage<A> {
  const [spec] = unfold(apply);
  if (spec === undefined) {
    throw new Error("not an operator of ours");
  }
  const env: StageEnv = {
    node: spec.kind,
    clock: systemClock,
    failure: (cause) => cause as MillraceError,
    failures: null,
    fail: (error) => failed.push(error),
    again: () => {},
    store: null,
    updates: null,
    side: null,
    resumes: false,
    identity: "test",
    queues: () => {},
    retried: () => {},
    late: () => {},
    task: { topic: "orders", partition: 0 },
    inTask: true,
  };
  const ignore = (): void => {};
  return spec.stage({ next: ignore, watermark: ignore, complete: ignore, stop: ignore, ...down }, env);
}

/** Runs `push` as the loop of a task does for a unit. */
export function inUnit(unit: Unit, push: () => void): void {
  const before = { ...scope };
  Object.assign(scope, { record: NO_RECORD, unit, inTask: true });
  try {
    push();
  } finally {
    Object.assign(scope, before);
  }
}
