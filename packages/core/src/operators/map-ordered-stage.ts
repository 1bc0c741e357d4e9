import { Fifo } from "../kernel/fifo.ts";
import { pauseBefore, type RetrySchedule } from "../kernel/retry.ts";
import { type CurrentRecord, NO_RECORD, type RecordInfo } from "../topology/record.ts";
import { NO_UNIT, type Queue, type Stage, type StageEnv, scope, type Unit, within } from "../topology/stage.ts";
import { type Handler, HandlerCall } from "./handler.ts";
import { callWithin, Hanging, type TimeLimit } from "./handler-call.ts";
import type { Places } from "./limiter.ts";

/** How the handlers of one operator run. */
export interface Handling<A, B> {
  readonly f: Handler<A, B>;
  readonly concurrency: number;
  /** `null`: all may overlap. */
  readonly laneOf: ((value: A, record: RecordInfo) => string) | null;
  readonly time: TimeLimit | null;
  readonly retry: (RetrySchedule & { readonly when: (error: unknown) => boolean }) | null;
  readonly places: Places | null;
}

interface ValueSlot<A, B> {
  readonly kind: "value";
  readonly value: A;
  readonly lane: string | null;
  readonly record: CurrentRecord;
  readonly unit: Unit;
  /** How many values this operator got before from the same record. */
  readonly ordinal: number;
  attempt: number;
  isBegun: boolean;
  result: { readonly value: B } | null;
}

/** A place in the output order: a value whose handler waits, runs or is done, or a watermark. */
type Slot<A, B> =
  | ValueSlot<A, B>
  | { readonly kind: "watermark"; readonly timeMs: number; readonly record: CurrentRecord; readonly unit: Unit };

/** Runs handlers beside each other and sends their results on in the order of the input. */
export class MapOrderedStage<A, B> implements Stage<A>, Queue {
  private readonly how: Handling<A, B>;
  private readonly down: Stage<B>;
  private readonly env: StageEnv;
  private readonly abort = new AbortController();
  /** Every slot that has not left, in input order. */
  private readonly slots = new Fifo<Slot<A, B>>();
  /** Slots whose lane is theirs and that wait for a free handler. */
  private readonly ready = new Fifo<ValueSlot<A, B>>();
  /** The same for slots whose pause is over: they go first. */
  private readonly again = new Fifo<ValueSlot<A, B>>();
  /** For each lane that is taken, the slots that wait for it. */
  private readonly lanes = new Map<string, Fifo<ValueSlot<A, B>>>();
  /** What ends the pauses in front of repetitions. */
  private readonly pauses = new Set<() => void>();
  private readonly wake = (): void => this.startReady();
  /** Calls that have not ended, also when the stage was stopped meanwhile. */
  private openCalls = 0;
  private whenEnded: (() => void)[] = [];
  private running = 0;
  private lastSource = "";
  private lastOrdinal = -1;
  /** Nothing is begun in units behind this one. */
  private lastIndex = Number.POSITIVE_INFINITY;
  private isCompleting = false;
  private isStopped = false;

  constructor(how: Handling<A, B>, down: Stage<B>, env: StageEnv) {
    this.how = how;
    this.down = down;
    this.env = env;
    env.queues(this);
  }

  next(value: A): void {
    const { record, unit } = scope;
    if (unit.index > this.lastIndex) {
      unit.park();
      return;
    }
    let lane: string | null;
    try {
      lane = this.how.laneOf?.(value, record) ?? null;
    } catch (cause) {
      throw this.env.failure(cause, record);
    }
    unit.retain();
    const ordinal = this.ordinalOf(record);
    const slot: ValueSlot<A, B> = {
      kind: "value",
      value,
      lane,
      record,
      unit,
      ordinal,
      attempt: 1,
      isBegun: false,
      result: null,
    };
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
    if (unit.index > this.lastIndex) {
      unit.park();
      return;
    }
    unit.retain();
    this.slots.push({ kind: "watermark", timeMs, record, unit });
  }

  async ended(): Promise<void> {
    while (this.openCalls > 0) {
      await new Promise<void>((resolve) => this.whenEnded.push(resolve));
    }
  }

  lastBegun(): number {
    let last = -1;
    for (const slot of this.slots) {
      if (slot.kind === "value" && slot.isBegun) {
        last = Math.max(last, slot.unit.index);
      }
    }
    return last;
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
    this.abort.abort();
    // Calls that were told to abort do not count any more: some never end.
    for (; this.running > 0; this.running -= 1) {
      this.how.places?.free();
    }
    this.how.places?.leave(this.wake);
    for (const cancel of this.pauses) {
      cancel();
    }
    this.down.stop();
  }

  private ordinalOf(record: CurrentRecord): number {
    // Results of windows have no offset.
    const source = record.offset === "" ? record.id : record.offset;
    this.lastOrdinal = source === this.lastSource ? this.lastOrdinal + 1 : 0;
    this.lastSource = source;
    return this.lastOrdinal;
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
    const { concurrency, places } = this.how;
    while (this.running < concurrency && !this.isStopped && this.again.size + this.ready.size > 0) {
      if (places !== null && !places.take(this.wake)) {
        return;
      }
      const slot = this.again.shift() ?? this.ready.shift();
      if (slot === undefined || slot.unit.index > this.lastIndex) {
        places?.free();
      } else {
        this.running += 1;
        slot.isBegun = true;
        this.openCalls += 1;
        this.call(slot).then(
          (value) => this.finished(slot, value),
          (cause: unknown) => this.failed(slot, cause),
        );
      }
    }
  }

  private async call(slot: ValueSlot<A, B>): Promise<B> {
    const { time } = this.how;
    const { signal } = this.abort;
    if (time === null) {
      return await this.handle(slot, signal);
    }
    return await callWithin((own) => this.handle(slot, own), time, { clock: this.env.clock, given: signal });
  }

  /** What the handler subscribes or calls is its own: it runs outside of the task's push. */
  private handle(slot: ValueSlot<A, B>, signal: AbortSignal): PromiseLike<B> {
    const { inTask, record, unit } = scope;
    scope.inTask = false;
    scope.record = NO_RECORD;
    scope.unit = NO_UNIT;
    try {
      return this.how.f(slot.value, slot.record, new HandlerCall(slot, signal, this.env.identity));
    } finally {
      scope.inTask = inTask;
      scope.record = record;
      scope.unit = unit;
    }
  }

  private finished(slot: ValueSlot<A, B>, value: B): void {
    this.callEnded();
    if (this.isStopped) {
      return;
    }
    this.how.places?.free();
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
    this.callEnded();
    if (this.isStopped) {
      return;
    }
    this.how.places?.free();
    this.running -= 1;
    try {
      const pauseMs = this.pauseAfter(slot, cause);
      if (pauseMs === null) {
        this.env.fail(this.env.failure(cause, slot.record));
      } else {
        this.repeatIn(slot, pauseMs);
      }
    } catch (error) {
      this.env.fail(this.env.failure(error, slot.record));
    }
  }

  private callEnded(): void {
    this.openCalls -= 1;
    if (this.openCalls === 0 && this.whenEnded.length > 0) {
      const waiting = this.whenEnded;
      this.whenEnded = [];
      for (const resume of waiting) {
        resume();
      }
    }
  }

  /** The pause before the next call; `null`: there is none. A handler that hangs is not called beside itself. */
  private pauseAfter(slot: ValueSlot<A, B>, cause: unknown): number | null {
    const { retry } = this.how;
    if (retry === null || cause instanceof Hanging || !retry.when(cause)) {
      return null;
    }
    return pauseBefore(slot.attempt + 1, retry, Math.random());
  }

  /** The slot keeps its place and its lane; its handler's place is free for others meanwhile. */
  private repeatIn(slot: ValueSlot<A, B>, pauseMs: number): void {
    slot.attempt += 1;
    this.env.retried(slot.record, slot.attempt, pauseMs);
    const cancel = this.env.clock.after(pauseMs, () => {
      this.pauses.delete(cancel);
      this.again.push(slot);
      this.startReady();
    });
    this.pauses.add(cancel);
    this.startReady();
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
    if (slot.unit.index > this.lastIndex || (slot.kind === "value" && slot.result === null)) {
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
