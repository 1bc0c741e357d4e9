import { kindOf } from "../codec/schema.ts";
import { MillraceError } from "../errors.ts";
import { Fifo } from "../kernel/fifo.ts";
import type { Verdict } from "../topology/failure.ts";
import type { CurrentRecord, RecordInfo } from "../topology/record.ts";
import { type Queue, type Stage, type StageEnv, scope, type Unit, within } from "../topology/stage.ts";
import { pushParts } from "./flat-map.ts";
import { Hanging } from "./handler-call.ts";
import { HandlerPool, type PoolEntry, type Pooling } from "./handler-pool.ts";

/** How the handlers of one operator run, and how their results leave. */
export interface Handling<A> extends Pooling<A> {
  /** The operator, for messages. */
  readonly operator: string;
  /** `null`: all may overlap. */
  readonly laneOf: ((value: A, record: RecordInfo) => string) | null;
  /** Whether a result is a list whose values leave one by one. */
  readonly spreads: boolean;
  /** Whether results may overtake each other within a unit. */
  readonly shuffles: boolean;
}

interface ValueSlot<A> extends PoolEntry<A> {
  readonly kind: "value";
  readonly unit: Unit;
  hasLeft: boolean;
  outcome: { readonly result: unknown; readonly verdict: null } | { readonly verdict: Verdict } | null;
}

/** A place in the output order: a value whose handler waits, runs or is done, or a watermark. */
type Slot<A> =
  | ValueSlot<A>
  | { readonly kind: "watermark"; readonly timeMs: number; readonly record: CurrentRecord; readonly unit: Unit };

/** Runs handlers beside each other and sends their results on in the order of the input, or at least of its units. */
export class MapOrderedStage<A> implements Stage<A>, Queue {
  private readonly how: Handling<A>;
  private readonly down: Stage<unknown>;
  private readonly env: StageEnv;
  private readonly pool: HandlerPool<A, ValueSlot<A>>;
  /** Every slot that has not left, in input order. */
  private readonly slots = new Fifo<Slot<A>>();
  /** The unit whose results leave now, where they need not wait for each other. */
  private leaving: Unit | null = null;
  /** Whether slots were refused since results were last sent on. */
  private hasRefused = false;
  /** The last unit of which a value was begun; a unit of which some values have left must be finished, too. */
  private begunIndex = -1;
  /** Nothing is begun in units behind this one. */
  private lastIndex = Number.POSITIVE_INFINITY;
  private isCompleting = false;
  private isStopped = false;

  constructor(how: Handling<A>, down: Stage<unknown>, env: StageEnv) {
    this.how = how;
    this.down = down;
    this.env = env;
    this.pool = new HandlerPool<A, ValueSlot<A>>(how, env, {
      mayCall: (slot) => this.mayCall(slot),
      resolved: (slot, result) => this.finish(slot, { result, verdict: null }),
      failed: (slot, cause) => this.failed(slot, cause),
      begun: () => this.emitRefused(),
    });
    env.queues(this);
  }

  next(value: A): void {
    const { record, unit } = scope;
    if (unit.index > this.lastIndex) {
      unit.park();
      return;
    }
    const { lane, verdict } = this.laneOf(value, record);
    unit.retain();
    const slot: ValueSlot<A> = {
      kind: "value",
      value,
      lane,
      record,
      unit,
      attempt: 1,
      hasLeft: false,
      outcome: verdict === null ? null : { verdict },
    };
    this.slots.push(slot);
    if (verdict === null) {
      this.pool.enter(slot);
      this.pool.begin();
    } else {
      this.begunIndex = Math.max(this.begunIndex, unit.index);
      this.emitDone();
    }
  }

  watermark(timeMs: number): void {
    if (this.slots.size === 0) {
      this.down.watermark(timeMs);
      return;
    }
    const { record, unit } = scope;
    if (unit.index > this.lastIndex) {
      unit.park();
      return;
    }
    unit.retain();
    this.slots.push({ kind: "watermark", timeMs, record, unit });
  }

  ended(): Promise<void> {
    return this.pool.ended();
  }

  lastBegun(): number {
    return this.begunIndex;
  }

  dropBehind(index: number): void {
    this.lastIndex = index;
    for (const { unit } of this.slots) {
      if (unit.index > index) {
        unit.park();
        unit.release();
      }
    }
  }

  complete(): void {
    this.isCompleting = true;
    this.emitDone();
  }

  stop(): void {
    this.isStopped = true;
    this.pool.stop();
    this.down.stop();
  }

  /** The lane of a value, or what becomes of a value that has none because the user's function fails. */
  private laneOf(value: A, record: CurrentRecord): { readonly lane: string | null; readonly verdict: Verdict | null } {
    const { laneOf, operator } = this.how;
    if (laneOf === null) {
      return { lane: null, verdict: null };
    }
    try {
      const lane: unknown = laneOf(value, record);
      if (typeof lane !== "string") {
        throw new MillraceError("InvalidOperator", `${operator}: lane must be a string, not ${kindOf(lane)}`);
      }
      return { lane, verdict: null };
    } catch (cause) {
      if (this.env.failures === null) {
        throw this.env.failure(cause, record);
      }
      return { lane: null, verdict: this.env.failures.decide(cause, { record, attempts: 1 }) };
    }
  }

  /** Whether the handler is to be called. A slot that its policy refuses has its outcome, and leaves its lane. */
  private mayCall(slot: ValueSlot<A>): boolean {
    if (slot.unit.index > this.lastIndex) {
      return false;
    }
    this.begunIndex = Math.max(this.begunIndex, slot.unit.index);
    const refused = this.env.failures?.admit(slot.record) ?? null;
    if (refused !== null) {
      slot.outcome = { verdict: refused };
      this.hasRefused = true;
      this.pool.leave(slot);
    }
    return refused === null;
  }

  private emitRefused(): void {
    if (this.hasRefused) {
      this.hasRefused = false;
      this.emitDone();
    }
  }

  private finish(slot: ValueSlot<A>, outcome: NonNullable<ValueSlot<A>["outcome"]>): void {
    slot.outcome = outcome;
    this.pool.leave(slot);
    if (this.how.shuffles && slot.unit === this.leaving) {
      this.leave(slot);
    }
    this.emitDone();
    this.pool.begin();
  }

  private failed(slot: ValueSlot<A>, cause: unknown): void {
    const { failures } = this.env;
    const { record, attempt: attempts } = slot;
    if (failures === null || cause instanceof Hanging) {
      // Nobody knows what a handler that hangs still does, so that nothing may follow it in its lane.
      throw this.env.failure(cause, record);
    }
    this.finish(slot, { verdict: failures.decide(cause, { record, attempts }) });
  }

  /** Sends everything from the head of the order that is done. */
  private emitDone(): void {
    let slot = this.slots.peek();
    while (slot !== undefined && !this.isStopped && this.passHead(slot)) {
      slot = this.slots.peek();
    }
    if (this.isCompleting && this.slots.size === 0 && !this.isStopped) {
      this.down.complete();
    }
  }

  private passHead(slot: Slot<A>): boolean {
    if (slot.unit.index > this.lastIndex) {
      return false;
    }
    if (slot.kind === "value" && this.how.shuffles && this.leaving !== slot.unit) {
      this.beginLeaving(slot.unit);
    }
    if (slot.kind === "value" && slot.outcome === null) {
      return false;
    }
    this.slots.shift();
    if (slot.kind === "watermark" || !slot.hasLeft) {
      this.leave(slot);
    }
    return true;
  }

  /** It is a unit's turn, whose results need not wait for each other. */
  private beginLeaving(unit: Unit): void {
    this.leaving = unit;
    for (const slot of this.slots) {
      if (slot.unit !== unit || this.isStopped) {
        return;
      }
      if (slot.kind === "value" && slot.outcome !== null) {
        this.leave(slot);
      }
    }
  }

  private leave(slot: Slot<A>): void {
    const { inTask } = scope;
    scope.inTask = this.env.inTask;
    try {
      within(slot.record, slot.unit, () => this.emit(slot));
    } finally {
      scope.inTask = inTask;
    }
    slot.unit.release();
  }

  private emit(slot: Slot<A>): void {
    if (slot.kind === "watermark") {
      this.down.watermark(slot.timeMs);
      return;
    }
    const { value, outcome } = slot;
    slot.hasLeft = true;
    if (outcome === null) {
      return;
    }
    this.env.failures?.settle(value, outcome.verdict);
    if (outcome.verdict === null) {
      if (this.how.spreads) {
        pushParts(outcome.result as readonly unknown[], this.down);
      } else {
        this.down.next(outcome.result);
      }
    }
  }
}
