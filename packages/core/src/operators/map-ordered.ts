import type { OperatorFunction } from "rxjs";
import { MillraceError } from "../errors.ts";
import { Fifo } from "../kernel/fifo.ts";
import { quote } from "../kernel/name.ts";
import { operatorSpec } from "../topology/node.ts";
import { operator } from "../topology/operator.ts";
import { type CurrentRecord, NO_RECORD, type RecordInfo } from "../topology/record.ts";
import { NO_UNIT, type Stage, type StageEnv, scope, type Unit, within } from "../topology/stage.ts";

/** What a handler is told beside the value and its record. */
export interface Call {
  /** Aborts when the task is given up. */
  readonly signal: AbortSignal;
  /** 1 for the first call. */
  readonly attempt: number;
}

/** How handlers run beside each other. */
export interface MapOrderedOptions<A> {
  /** Handlers that run at once, in each task. A whole number >= 1; default 16. */
  readonly concurrency?: number;
  /**
   * Which handlers may not overlap: those of one key (the default), of one result of a function, or `"none"`: all may.
   * Records of a topic without a key all have the key `""`: one lane, unless another is said.
   */
  readonly lane?: "key" | "none" | ((value: A, record: RecordInfo) => string);
}

type Handler<A, B> = (value: A, record: RecordInfo, call: Call) => PromiseLike<B>;
type LaneOf<A> = ((value: A, record: RecordInfo) => string) | null;

/**
 * Each value as the promise of `f` resolves, in the order of the input. Handlers of one key never overlap; those of
 * different keys run beside each other, up to `concurrency`, and later values wait for earlier results before they leave.
 *
 * A record is acknowledged when its result has left downstream and was committed. A handler that rejects stops the task;
 * what came before it commits. After a crash, handlers of records that were not committed run again: side effects are
 * at-least-once. In a task the number of waiting values is bounded by the worker's limits; on an ordinary Observable by
 * nothing.
 *
 * @example
 * ```ts
 * mapOrdered((order, record, { signal }) => enrich(order, signal), { concurrency: 32 })
 * ```
 */
export function mapOrdered<A, B>(f: Handler<A, B>, options: MapOrderedOptions<A> = {}): OperatorFunction<A, B> {
  const { concurrency = 16, lane = "key" } = options;
  if (!Number.isInteger(concurrency) || concurrency < 1) {
    throw new MillraceError(
      "InvalidOption",
      `mapOrdered: concurrency must be a whole number >= 1, not ${quote(concurrency)}`,
    );
  }
  const laneOf: LaneOf<A> = lane === "none" ? null : lane === "key" ? (_value, record) => record.key : lane;
  const detail = [f.name, `concurrency ${concurrency}`, `lane ${typeof lane === "string" ? lane : "by function"}`];
  return operator(
    operatorSpec({
      kind: "mapOrdered",
      detail: detail.filter((part) => part !== "").join(", "),
      holds: true,
      stage: (down, env) => new MapOrderedStage<A, B>({ f, concurrency, laneOf }, down, env),
    }),
  );
}

/** A place in the output order: a value whose handler waits, runs or is done, or a watermark. */
type Slot<A, B> =
  | {
      readonly kind: "value";
      readonly value: A;
      readonly lane: string | null;
      readonly record: CurrentRecord;
      readonly unit: Unit;
      result: { readonly value: B } | null;
    }
  | { readonly kind: "watermark"; readonly timeMs: number; readonly record: CurrentRecord; readonly unit: Unit };

type ValueSlot<A, B> = Extract<Slot<A, B>, { readonly kind: "value" }>;

class MapOrderedStage<A, B> implements Stage<A> {
  private readonly how: { readonly f: Handler<A, B>; readonly concurrency: number; readonly laneOf: LaneOf<A> };
  private readonly down: Stage<B>;
  private readonly env: StageEnv;
  private readonly abort = new AbortController();
  /** Every slot that has not left, in input order. */
  private readonly slots = new Fifo<Slot<A, B>>();
  /** Slots whose lane is theirs and that wait for a free handler. */
  private readonly ready = new Fifo<ValueSlot<A, B>>();
  /** For each lane that is taken, the slots that wait for it. */
  private readonly lanes = new Map<string, Fifo<ValueSlot<A, B>>>();
  private running = 0;
  private isCompleting = false;
  private isStopped = false;

  constructor(
    how: { readonly f: Handler<A, B>; readonly concurrency: number; readonly laneOf: LaneOf<A> },
    down: Stage<B>,
    env: StageEnv,
  ) {
    this.how = how;
    this.down = down;
    this.env = env;
  }

  next(value: A): void {
    const { record, unit } = scope;
    let lane: string | null;
    try {
      lane = this.how.laneOf?.(value, record) ?? null;
    } catch (cause) {
      throw this.env.failure(cause, record);
    }
    unit.retain();
    const slot: ValueSlot<A, B> = { kind: "value", value, lane, record, unit, result: null };
    this.slots.push(slot);
    this.enter(slot);
    this.startReady();
  }

  watermark(timeMs: number): void {
    if (this.slots.size === 0) {
      this.down.watermark(timeMs);
      return;
    }
    const { record, unit } = scope;
    unit.retain();
    this.slots.push({ kind: "watermark", timeMs, record, unit });
  }

  complete(): void {
    this.isCompleting = true;
    this.emitDone();
  }

  stop(): void {
    this.isStopped = true;
    this.abort.abort();
    this.down.stop();
  }

  private enter(slot: ValueSlot<A, B>): void {
    const waiting = slot.lane === null ? undefined : this.lanes.get(slot.lane);
    if (waiting !== undefined) {
      waiting.push(slot);
      return;
    }
    if (slot.lane !== null) {
      this.lanes.set(slot.lane, new Fifo());
    }
    this.ready.push(slot);
  }

  private startReady(): void {
    while (this.running < this.how.concurrency && !this.isStopped) {
      const slot = this.ready.shift();
      if (slot === undefined) {
        return;
      }
      this.running += 1;
      this.call(slot).then(
        (value) => this.finished(slot, value),
        (cause: unknown) => this.failed(slot, cause),
      );
    }
  }

  /** What the handler subscribes or calls is its own: it runs outside of the task's push. */
  private async call(slot: ValueSlot<A, B>): Promise<B> {
    const { inTask, record, unit } = scope;
    scope.inTask = false;
    scope.record = NO_RECORD;
    scope.unit = NO_UNIT;
    let result: PromiseLike<B>;
    try {
      result = this.how.f(slot.value, slot.record, { signal: this.abort.signal, attempt: 1 });
    } finally {
      scope.inTask = inTask;
      scope.record = record;
      scope.unit = unit;
    }
    return await result;
  }

  private finished(slot: ValueSlot<A, B>, value: B): void {
    if (this.isStopped) {
      return;
    }
    this.running -= 1;
    slot.result = { value };
    this.leaveLane(slot);
    this.startReady();
    try {
      this.emitDone();
    } catch (error) {
      this.env.fail(error);
    }
  }

  private failed(slot: ValueSlot<A, B>, cause: unknown): void {
    if (!this.isStopped) {
      this.env.fail(this.env.failure(cause, slot.record));
    }
  }

  private leaveLane(slot: ValueSlot<A, B>): void {
    if (slot.lane === null) {
      return;
    }
    const next = this.lanes.get(slot.lane)?.shift();
    if (next === undefined) {
      this.lanes.delete(slot.lane);
    } else {
      this.ready.push(next);
    }
  }

  /** Sends everything from the head of the order that is done. */
  private emitDone(): void {
    const inTaskBefore = scope.inTask;
    scope.inTask = this.env.inTask;
    try {
      let slot = this.slots.peek();
      while (slot !== undefined && !this.isStopped && this.emit(slot)) {
        slot = this.slots.peek();
      }
    } finally {
      scope.inTask = inTaskBefore;
    }
    if (this.isCompleting && this.slots.size === 0 && !this.isStopped) {
      this.down.complete();
    }
  }

  private emit(slot: Slot<A, B>): boolean {
    if (slot.kind === "value" && slot.result === null) {
      return false;
    }
    this.slots.shift();
    within(slot.record, slot.unit, () => {
      if (slot.kind === "watermark") {
        this.down.watermark(slot.timeMs);
      } else if (slot.result !== null) {
        this.down.next(slot.result.value);
      }
    });
    slot.unit.release();
    return true;
  }
}
