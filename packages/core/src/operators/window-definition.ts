import type { Any } from "../topology/any.ts";
import type { CurrentRecord, RecordInfo } from "../topology/record.ts";
import { windowRecord } from "../topology/record.ts";
import { type Stage, type StageEnv, scope, within } from "../topology/stage.ts";
import type { AggregateSet, States } from "./aggregate-set.ts";
import type { StateCodec } from "./state-codec.ts";
import { type Every, NO_END_MS, type WindowSpec } from "./window-spec.ts";

/** When results of windows come. */
export type Emit = "final" | "updates" | Every;

/** A window operator, its options checked. */
export interface WindowDefinition {
  readonly spec: WindowSpec;
  /** For how long after its end (ms) a window takes records: the grace, and for a session the gap, too. */
  readonly waitMs: number;
  /** The grace alone (ms). */
  readonly graceMs: number;
  readonly aggregates: AggregateSet;
  readonly codec: StateCodec;
  readonly emit: Emit;
  readonly by: ((value: Any, record: RecordInfo) => string) | null;
  /** Told of values that no window has taken. */
  readonly whenLate: ((value: Any, record: RecordInfo) => void) | null;
}

/** Which window a result is of. */
export interface Bounds {
  readonly start: number;
  readonly end: number;
}

/** A result on its way: what the window is, and the value; `null` takes back what was said of these bounds. */
export interface Result extends Bounds {
  readonly key: string;
  readonly revision: number;
  /** Of a window that ends, its last instant. */
  readonly timestampMs: number;
  readonly value: object | null;
}

/** A result's event time (ms). `lastMs`: that of the last record in the window. */
export function resultTime(end: number, lastMs: number): number {
  return end === NO_END_MS ? lastMs : end - 1;
}

/** What window operators share: whose windows, which are closed, how results and late values leave. */
export class WindowFrame {
  readonly definition: WindowDefinition;
  readonly env: StageEnv;
  private readonly down: Stage<unknown>;
  /** The watermark (ms) that the operator has seen. */
  watermarkMs = Number.NEGATIVE_INFINITY;

  constructor(definition: WindowDefinition, down: Stage<unknown>, env: StageEnv) {
    this.definition = definition;
    this.down = down;
    this.env = env;
  }

  /** In a task the record already carries the key: the plan repartitions by it. */
  keyOf(value: unknown, record: CurrentRecord): string {
    const { by } = this.definition;
    return this.env.inTask || by === null ? record.key : by(value, record);
  }

  /** Against which time (ms) a record is judged: its own stamp, so that it does not matter when it is read. */
  judgedAt(record: CurrentRecord): number {
    return Math.max(record.watermarkMs, this.watermarkMs);
  }

  /**
   * From when on windows are closed for a record (ms), whose bounds and states depend on records; `null`: it is late for all.
   *
   * Records of one task, and those of a topic's producers, are judged by their stamps, which grow along the log. Those that
   * several tasks have written come in any order, and so do their stamps: if a record could join a window that another one with
   * a later stamp could not, the windows would depend on who came first. So such a record is taken as a whole, iff it is within
   * the grace itself: every window that it can be in is open then, for it and for all others that are taken.
   */
  closedAt(record: CurrentRecord): number | null {
    if (!record.isFromTask) {
      return this.judgedAt(record);
    }
    const isLate = record.timestamp + 1 + this.definition.graceMs <= record.watermarkMs;
    return isLate ? null : this.watermarkMs;
  }

  /** What a value leads to that no window takes. Throws what the user's function throws. */
  late(value: unknown, record: CurrentRecord, windows: number): () => void {
    this.definition.whenLate?.(value, record);
    return () => {
      this.env.late(record, windows);
      this.env.side?.next(value);
    };
  }

  /** Pushes a result on. */
  push(result: Result): void {
    const { key, start, end, revision, value } = result;
    // Of sessions that begin with the same record both may be final: one was over before the other.
    const isFinal = this.definition.emit === "final" && this.definition.spec.kind !== "session";
    const record = windowRecord(this.env.task, {
      ...result,
      store: this.env.node,
      revision: isFinal ? null : revision,
    });
    within(record, scope.unit, () => this.down.next({ key, start, end, revision, value }));
  }

  /** Pushes a result on that time has brought forth; the policy decides where it cannot be made. */
  pushInTime(states: States, of: Omit<Result, "value">): void {
    const { failures } = this.env;
    let value: object;
    try {
      value = this.definition.aggregates.out(states);
    } catch (cause) {
      const record = windowRecord(this.env.task, { ...of, store: this.env.node, revision: null });
      if (failures === null) {
        throw this.env.failure(cause, record);
      }
      failures.decideResult(cause, record);
      return;
    }
    this.push({ ...of, value });
  }
}
