/**
 * A foreign RxJS operator in a task.
 *
 * Nothing says which input an output of it belongs to, so nothing is acknowledged by guesswork. (N1) What comes out while a
 * record is pushed belongs to that record. (N2) A record from which nothing comes out stays held until a later one yields
 * something; both then commit together. With `sync`, several things inside may hold records at once, and an output of one
 * says nothing of the others: there a record stays held until the end of the input. With `stateless` nothing is held. (N3)
 * What comes out at any other moment, and work that goes on behind the push, stops the task with an error that names the
 * remedy. (N4) So does an operator that completes, subscribes again or listens no more: records would be lost to it. (N5)
 * When the input has ended for good the operator is completed: what it still emits belongs to the last record, and what it
 * then holds is finished. It may emit only where a record is held: else a restart in front of the end, which pushes nothing
 * again, would lose the value. (N6) What the operator remembers beyond held records starts empty on every owner.
 */

import type { OperatorFunction } from "rxjs";
import { MillraceError } from "../errors.ts";
import type { Any } from "./any.ts";
import { type OperatorSpec, operatorSpec } from "./node.ts";
import { type CurrentRecord, NO_RECORD, PartOfRecord } from "./record.ts";
import { type Fault, MAX_VALUES, Section } from "./section.ts";
import { type Stage, type StageEnv, scope, type Unit, within } from "./stage.ts";

/** The most values that may be held while nothing comes out. */
const MAX_HELD = 256;

/** What the runtime cannot see of a foreign operator. */
export interface NativeOptions {
  readonly name?: string;
  /**
   * A record from which nothing comes out at once is finished, as in a filter. Default `false`: it may come out later. Said
   * of an operator that keeps records, it loses them at a restart.
   */
  readonly stateless?: boolean;
  /**
   * Subscriptions that the operator keeps open inside do not mean asynchronous work, as in `groupBy`. Default `false`: they
   * stop the task. A record from which nothing comes out at once is then held until the end of the input, unless the
   * operator is `stateless`, too. Said of an operator that does work asynchronously, records whose results are still to
   * come may be committed before the task stops at the first of these.
   */
  readonly sync?: boolean;
}

/** The node of a foreign operator. */
export function nativeSpec(apply: OperatorFunction<Any, Any>, options: NativeOptions): OperatorSpec {
  const { name = null, stateless = false, sync = false } = options;
  return operatorSpec({
    kind: "native",
    name,
    detail: stateless ? "" : "memory starts empty on every owner",
    native: { stateless },
    stage: (down, env) => new NativeStage(apply, { stateless, sync }, down, env),
  });
}

/** What an operator did, and what helps. */
const FAULTS: { readonly [Kind in Exclude<Fault["kind"], "threw">]: string } = {
  noObservable: "is none: the function returned no Observable",
  completed:
    "completed: nothing behind it would be processed any more; choose records with filter, end inputs with producer.end()",
  deaf: "does not listen to its input: records would be lost; subscribe at once, and keep what fails inside the operator's function, or give it to mapOrdered or flatMap with onError",
  resubscribed:
    "subscribed to its input once more, as repeat, retry and catchError do: what it has seen does not come again; use mapOrdered with retry, or onError",
  working:
    "works on behind the push: its results could not be acknowledged; use mapOrdered for asynchronous work, or native(name, op, { sync: true }) if it is not",
  observable:
    "emitted an Observable: what comes out of that could not be acknowledged; put it and the operator that consumes it into one native(name, rx.pipe(…))",
  flood: `emitted more than ${MAX_VALUES} values for one record: they would be one commit; split the work over several records`,
  stray:
    "emitted while no record was pushed: the value cannot be acknowledged; use mapOrdered or window instead, or one native(name, rx.pipe(…)) with the operator in front if values come from there",
};

class NativeStage implements Stage<Any> {
  private readonly section: Section;
  private readonly how: { readonly stateless: boolean; readonly sync: boolean };
  private readonly down: Stage<Any>;
  private readonly env: StageEnv;
  private readonly held: Unit[] = [];
  private isEnded = false;
  private last: CurrentRecord | null = null;
  /** How many values have come out beneath the last record. */
  private parts = 0;

  constructor(
    apply: OperatorFunction<Any, Any>,
    how: { readonly stateless: boolean; readonly sync: boolean },
    down: Stage<Any>,
    env: StageEnv,
  ) {
    this.how = how;
    this.down = down;
    this.env = env;
    this.section = new Section({
      sync: how.sync,
      strayed: (fault) => env.fail(this.refusal(fault, "while no record was pushed")),
    });
    const inTaskBefore = scope.inTask;
    scope.inTask = env.inTask;
    try {
      this.start(apply);
    } finally {
      scope.inTask = inTaskBefore;
    }
  }

  next(value: Any): void {
    const { record, unit } = scope;
    this.last = record;
    this.parts = 0;
    const { values, fault } = this.section.push(value);
    if (fault !== null) {
      throw this.failure(fault, record);
    }
    this.emit(values, record);
    if (values.length === 0) {
      this.hold(unit);
    } else if (!this.how.sync) {
      this.releaseWith(unit);
    }
  }

  watermark(timeMs: number): void {
    // Without any record at all nothing is to come out; in a run before this one there may have been some.
    if (timeMs === Number.POSITIVE_INFINITY && (this.last !== null || this.env.resumes) && !this.isEnded) {
      this.isEnded = true;
      this.finish(this.last ?? NO_RECORD);
    }
    this.down.watermark(timeMs);
  }

  complete(): void {
    this.down.complete();
  }

  stop(): void {
    try {
      this.section.stop();
    } catch (error) {
      this.env.fail(this.refusal({ kind: "threw", error }, "when it was stopped"));
    }
    this.down.stop();
  }

  private start(apply: OperatorFunction<Any, Any>): void {
    const { values, fault } = this.section.start(apply);
    if (fault !== null) {
      this.section.stop();
      throw this.refusal(fault, "when it was subscribed");
    }
    if (values.length > 0) {
      this.section.stop();
      throw this.problem(
        "emitted before the first record: a value without a record cannot be acknowledged; write it with a producer",
        NO_RECORD,
      );
    }
  }

  /** The input has ended for good: what is held comes out now, beneath the last record, or never. */
  private finish(last: CurrentRecord): void {
    const { values, fault } = this.section.end();
    if (fault !== null) {
      // No record's failure: a run that ended in front of the last one would repeat nothing.
      throw this.failure(fault, NO_RECORD);
    }
    if (values.length > 0 && this.held.length === 0) {
      throw this.problem(
        "emitted at the end of its input, where it held no record: after a restart the value would be missing; drop it inside one native(name, rx.pipe(…)), or write it with a producer",
        last,
      );
    }
    within(last, scope.unit, () => this.emit(values, last));
    this.releaseWith(scope.unit);
  }

  private emit(values: readonly Any[], whole: CurrentRecord): void {
    try {
      for (const value of values) {
        scope.record = new PartOfRecord(whole, this.parts);
        this.parts += 1;
        this.down.next(value);
      }
    } finally {
      scope.record = whole;
    }
  }

  private hold(unit: Unit): void {
    if (this.how.stateless) {
      return;
    }
    if (this.held.length >= MAX_HELD) {
      throw this.problem(
        `yielded nothing for ${MAX_HELD} records, which are not acknowledged before it does: if it only drops them, say native(name, op, { stateless: true }) or use filter; if it collects them, use window`,
        scope.record,
      );
    }
    unit.park();
    this.held.push(unit);
  }

  private releaseWith(unit: Unit): void {
    for (const held of this.held) {
      held.joinWith(unit);
      held.unpark();
    }
    this.held.length = 0;
  }

  /** Of what happened in a push: where it threw, as of any operator; else the operator itself is at fault, not the record. */
  private failure(fault: Fault, record: CurrentRecord): MillraceError {
    return fault.kind === "threw" ? this.env.failure(fault.error, record) : this.problem(FAULTS[fault.kind], record);
  }

  /** Of what happened while no record was pushed. */
  private refusal(fault: Fault, when: string): MillraceError {
    if (fault.kind !== "threw") {
      return this.problem(FAULTS[fault.kind], NO_RECORD);
    }
    const { error } = fault;
    const what = error instanceof MillraceError ? error.message : "see cause";
    return this.problem(`failed ${when}: ${what}`, NO_RECORD, error);
  }

  private problem(what: string, { topic, partition, offset }: CurrentRecord, cause?: unknown): MillraceError {
    const place = offset === "" ? "" : ` (at ${topic}/${partition} offset ${offset})`;
    const text = `the foreign operator "${this.env.node}" ${what}${place}`;
    return new MillraceError("NativeOperatorError", text, cause);
  }
}
