/**
 * Windows at work in one task.
 *
 * A record is late, and dropped, iff its window had closed before it in the order of the log (`record.watermarkMs`), or has
 * closed already. A window closes when the watermark reaches `end + grace`; what is passed on is `watermark - grace`, so
 * that the results of windows still open, whose time is `end - 1`, are late for nobody downstream.
 */
import { MillraceError } from "../errors.ts";
import { isClosed, tumblingStart } from "../kernel/window-bounds.ts";
import { type CurrentRecord, type RecordInfo, windowRecord } from "../topology/record.ts";
import { type Stage, type StageEnv, type StageFactory, scope, type Unit, within } from "../topology/stage.ts";
import type { Aggregate } from "./aggregates.ts";
import { WindowStore } from "./window-store.ts";

/** The most windows that close in one commit; the rest follow in the next ones. */
const MAX_CLOSED_AT_ONCE = 500;

/** A window operator, its options checked. */
export interface WindowDefinition {
  /** What the store holds, as text. */
  readonly text: string;
  readonly sizeMs: number;
  readonly graceMs: number;
  readonly aggregates: readonly (readonly [name: string, aggregate: Aggregate<unknown, unknown>])[];
  // biome-ignore lint/suspicious/noExplicitAny: the values' type is checked where the operator is declared.
  readonly by: ((value: any, record: RecordInfo) => string) | null;
}

/** The stage of a window operator. */
export function windowStage(definition: WindowDefinition): StageFactory<unknown, unknown> {
  return (down, env) => new WindowStage(definition, down, env);
}

class WindowStage implements Stage<unknown> {
  private readonly definition: WindowDefinition;
  private readonly down: Stage<unknown>;
  private readonly env: StageEnv;
  private readonly store: WindowStore;
  private watermarkMs = Number.NEGATIVE_INFINITY;
  /** The last unit that was told of a change. */
  private touched: Unit | null = null;

  constructor(definition: WindowDefinition, down: Stage<unknown>, env: StageEnv) {
    this.definition = definition;
    this.down = down;
    this.env = env;
    this.store = new WindowStore({ name: env.node, definition: definition.text }, env.restored());
  }

  next(value: unknown): void {
    const { record } = scope;
    if (!this.env.inTask) {
      this.prepareOutsideOfTask(record);
    }
    const { sizeMs, graceMs } = this.definition;
    const start = tumblingStart(record.timestamp, sizeMs);
    if (isClosed(start + sizeMs, graceMs, Math.max(record.watermarkMs, this.watermarkMs))) {
      this.env.late(record);
      return;
    }
    let key: string;
    let states: unknown[];
    try {
      key = this.keyOf(value, record);
      states = this.add(this.store.get(start, key), value, record);
    } catch (cause) {
      throw this.env.failure(cause, record);
    }
    this.touch();
    this.store.put(start, key, states);
  }

  watermark(timeMs: number): void {
    this.watermarkMs = Math.max(this.watermarkMs, timeMs);
    const { sizeMs, graceMs } = this.definition;
    let room = MAX_CLOSED_AT_ONCE;
    let start = this.store.firstStart();
    while (start !== null && room > 0 && isClosed(start + sizeMs, graceMs, this.watermarkMs)) {
      room -= this.close(start, room);
      start = this.store.firstStart();
    }
    const isBehind = start !== null && isClosed(start + sizeMs, graceMs, this.watermarkMs);
    this.down.watermark(isBehind && start !== null ? start + sizeMs - 1 : this.watermarkMs - graceMs);
    if (isBehind) {
      this.env.again();
    }
  }

  complete(): void {
    do {
      this.watermark(Number.POSITIVE_INFINITY);
    } while (this.store.firstStart() !== null);
    this.down.complete();
  }

  stop(): void {
    this.down.stop();
  }

  /** Emits up to `room` results of the window at `start`; returns how many. */
  private close(start: number, room: number): number {
    const { sizeMs } = this.definition;
    const end = start + sizeMs;
    this.touch();
    const closing = this.store.take(start, room);
    for (const [key, states] of closing) {
      const record = windowRecord(this.env.task, { store: this.env.node, key, start, end });
      within(record, scope.unit, () => {
        let value: object;
        try {
          value = this.result(states);
        } catch (cause) {
          throw this.env.failure(cause, record);
        }
        this.down.next({ key, start, end, revision: 1, value });
      });
    }
    return closing.length;
  }

  private add(before: readonly unknown[] | null, value: unknown, record: CurrentRecord): unknown[] {
    return this.definition.aggregates.map(([, aggregate], index) =>
      aggregate.add(before === null ? aggregate.init() : before[index], value, record),
    );
  }

  private result(states: readonly unknown[]): object {
    return Object.fromEntries(
      this.definition.aggregates.map(([name, aggregate], index) => [name, aggregate.out(states[index])]),
    );
  }

  /** In a task the record already carries the key: the plan repartitions by it. */
  private keyOf(value: unknown, record: CurrentRecord): string {
    return this.env.inTask || this.definition.by === null ? record.key : this.definition.by(value, record);
  }

  private prepareOutsideOfTask(record: CurrentRecord): void {
    if (Number.isNaN(record.timestamp)) {
      throw new MillraceError(
        "InvalidOperator",
        "window needs event times: on an ordinary Observable put asRecords(topic) in front of it",
      );
    }
    if (record.watermarkMs > this.watermarkMs) {
      within(record, scope.unit, () => this.watermark(record.watermarkMs));
    }
  }

  /** Before a change, so that the unit before can still collect what it changed. */
  private touch(): void {
    if (this.touched !== scope.unit) {
      this.touched = scope.unit;
      scope.unit.touch(this.store);
    }
  }
}
