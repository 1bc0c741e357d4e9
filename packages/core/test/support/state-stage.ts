import type { Clock, MillraceError } from "@millrace/core";
import type { OperatorFunction } from "rxjs";
import { TaskUnit } from "../../src/runtime/task-unit.ts";
import { unfold } from "../../src/topology/operator.ts";
import { type CurrentRecord, TopicRecord } from "../../src/topology/record.ts";
import {
  type CollectedDelta,
  type DirtyStore,
  NO_UNIT,
  type Stage,
  type StageEnv,
  type StoreSource,
  scope,
  type Unit,
} from "../../src/topology/stage.ts";

/** What came out of a stage, in order: values with the record and the unit that they belong to, and watermarks. */
export type Out<B> =
  | { readonly value: B; readonly record: CurrentRecord; readonly unit: number }
  | { readonly watermarkMs: number; readonly unit: number };

/** An operator with state as a task runs it, and units as the task's loop has them. */
export class StateStage<A, B> {
  readonly out: Out<B>[] = [];
  /** What came too late, as it was counted. */
  readonly late: number[] = [];
  /** What has ended the instance. */
  readonly failed: unknown[] = [];
  /** The indices of units that were settled, with what they write. */
  readonly settled: { readonly index: number; readonly deltas: readonly CollectedDelta[] }[] = [];
  readonly stage: Stage<A>;
  private readonly owners = new Map<DirtyStore, TaskUnit>();
  private units = 0;
  /** How often operators asked for another watermark. */
  again = 0;

  constructor(
    apply: OperatorFunction<A, B>,
    how: { readonly store: StoreSource; readonly clock: Clock; readonly updates?: StoreSource },
  ) {
    const [spec] = unfold(apply);
    if (spec === undefined) {
      throw new Error("not an operator of ours");
    }
    const env: StageEnv = {
      node: spec.kind,
      clock: how.clock,
      failure: (cause, record) => ({ cause, at: record.offset }) as unknown as MillraceError,
      failures: null,
      fail: (error) => this.failed.push(error),
      again: () => {
        this.again += 1;
      },
      store: how.store,
      updates: how.updates ?? null,
      side: null,
      resumes: false,
      identity: "test",
      queues: () => {},
      retried: () => {},
      late: (_record, windows) => this.late.push(windows),
      task: { topic: "orders", partition: 0 },
      inTask: true,
    };
    const down: Stage<B> = {
      next: (value) => this.out.push({ value, record: scope.record, unit: scope.unit.index }),
      watermark: (watermarkMs) => this.out.push({ watermarkMs, unit: scope.unit.index }),
      complete: () => {},
      stop: () => {},
    };
    this.stage = spec.stage(down, env);
  }

  /** One unit: values with key and time, then a watermark. Throws what the operator throws. */
  unit(values: readonly (readonly [value: A, key: string, timestampMs: number])[], watermarkMs?: number): void {
    const unit = this.open();
    this.inScope(unit, () => {
      for (const [value, key, timestampMs] of values) {
        const what = { offset: `${unit.index}/${timestampMs}`, key, timestampMs, headers: {} };
        scope.record = new TopicRecord({ topic: "orders", partition: 0 }, what, Number.NEGATIVE_INFINITY);
        this.stage.next(value);
      }
      if (watermarkMs !== undefined) {
        this.stage.watermark(watermarkMs);
      }
    });
    unit.release();
  }

  /** The values that came out. */
  get values(): readonly B[] {
    return this.out.flatMap((one) => ("value" in one ? [one.value] : []));
  }

  private open(): TaskUnit {
    const { owners } = this;
    const unit: TaskUnit = new TaskUnit(
      { index: this.units, openedAtMs: 0 },
      {
        owners,
        route: () => {
          throw new Error("nothing is written to topics here");
        },
        settled: ({ index, deltas }) => this.settled.push({ index, deltas }),
        parked: () => {},
        held: () => {},
      },
    );
    this.units += 1;
    return unit;
  }

  private inScope(unit: Unit, push: () => void): void {
    scope.unit = unit;
    scope.inTask = true;
    try {
      push();
    } finally {
      scope.unit = NO_UNIT;
      scope.inTask = false;
    }
  }
}
