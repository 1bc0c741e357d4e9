import { Fifo } from "../kernel/fifo.ts";
import { pauseBefore } from "../kernel/retry.ts";
import { sleep } from "../ports/clock.ts";
import type { Verdict } from "../topology/failure.ts";
import type { CurrentRecord, RecordInfo } from "../topology/record.ts";
import { type Queue, type Stage, type StageEnv, scope, type Unit, within } from "../topology/stage.ts";
import type { Sunk } from "../topology/stream.ts";
import type { Calling } from "./call-options.ts";
import { BatchCall, type SinkCall } from "./external-sink-call.ts";
import { callWithin, Hanging } from "./handler-call.ts";
import { OpenCalls } from "./open-calls.ts";

/** How one external sink is called. */
export interface Writing<A> extends Calling {
  readonly write: (values: readonly A[], call: SinkCall) => PromiseLike<unknown>;
  readonly maxBatch: number;
  /** `null`: the key is that of the record. */
  readonly keyOf: ((value: A, record: RecordInfo) => string) | null;
}

interface ValueSlot<A> {
  readonly kind: "value";
  readonly value: A;
  readonly record: CurrentRecord;
  readonly unit: Unit;
  isDone: boolean;
  /** What becomes of the value instead of being written. */
  verdict: Verdict | null;
}

/** A place in the order: a value that waits, is under way or is done, or a watermark. */
type Slot<A> =
  | ValueSlot<A>
  | { readonly kind: "watermark"; readonly timeMs: number; readonly record: CurrentRecord; readonly unit: Unit };

/** Values that one call gets: at least one. */
type Batch<A> = readonly [ValueSlot<A>, ...ValueSlot<A>[]];

/** How the calls for a batch have ended. */
type Ending =
  | { readonly kind: "written" | "stopped" }
  | { readonly kind: "failed"; readonly cause: unknown; readonly attempts: number };

const WRITTEN: Ending = { kind: "written" };
const STOPPED: Ending = { kind: "stopped" };

/**
 * Calls a function with what waits, one batch after the other, and lets go of a value's unit when the call that covered it has
 * resolved. A batch is begun as soon as the one before it is done; what comes meanwhile is the next one.
 */
export class ExternalSinkStage<A> implements Stage<A>, Queue {
  private readonly how: Writing<A>;
  private readonly down: Stage<Sunk>;
  private readonly env: StageEnv;
  private readonly abort = new AbortController();
  private readonly calls = new OpenCalls();
  /** Every slot that has not left, in input order. */
  private readonly slots = new Fifo<Slot<A>>();
  /** Whether the loop that calls is at work. It stays so when it has failed: nothing is called any more. */
  private isWorking = false;
  private hasPlace = false;
  private gotPlace: () => void = () => {};
  /** The last unit of which a value was begun; a unit of which some values have left must be finished, too. */
  private begunIndex = -1;
  /** Nothing is begun in units behind this one. */
  private lastIndex = Number.POSITIVE_INFINITY;
  private isCompleting = false;
  private isStopped = false;

  constructor(how: Writing<A>, down: Stage<Sunk>, env: StageEnv) {
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
    unit.retain();
    this.slots.push({ kind: "value", value, record, unit, isDone: false, verdict: null });
    if (!this.isWorking) {
      this.isWorking = true;
      void this.work();
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
    return this.calls.ended();
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
    this.completeWhenDone();
  }

  stop(): void {
    this.isStopped = true;
    // Ends pauses, too. A call that was told to abort does not count any more: some never end.
    this.abort.abort();
    this.leavePlace();
    this.how.places?.leave(this.takePlace);
    this.down.stop();
  }

  /** Writes batches as long as values wait. */
  private async work(): Promise<void> {
    try {
      while (this.mayGoOn()) {
        await this.place();
        const batch = this.takeBatch();
        if (batch !== null) {
          await this.writeBatch(batch);
        }
        this.leavePlace();
        this.emitDone();
      }
      this.isWorking = false;
      this.completeWhenDone();
    } catch (error) {
      this.env.fail(error);
    }
  }

  private mayGoOn(): boolean {
    const first = this.slots.peek();
    return !this.isStopped && first !== undefined && first.unit.index <= this.lastIndex;
  }

  /** The values of the next call; `null`: there are none. Values that are not admitted are done. */
  private takeBatch(): Batch<A> | null {
    const taken: ValueSlot<A>[] = [];
    for (const slot of this.slots) {
      if (taken.length === this.how.maxBatch || slot.unit.index > this.lastIndex) {
        break;
      }
      if (slot.kind === "value" && this.isAdmitted(slot)) {
        taken.push(slot);
      }
    }
    return isBatch(taken) ? taken : null;
  }

  private isAdmitted(slot: ValueSlot<A>): boolean {
    this.begunIndex = Math.max(this.begunIndex, slot.unit.index);
    slot.verdict = this.env.failures?.admit(slot.record) ?? null;
    slot.isDone = slot.verdict !== null;
    return slot.verdict === null;
  }

  /** Has a batch written, or settles its values one by one. Throws the error with which the task is to fail. */
  private async writeBatch(batch: Batch<A>): Promise<void> {
    const ending = await this.callWhileFailing(batch);
    if (ending.kind === "failed") {
      await this.failed(batch, ending);
    } else if (ending.kind === "written") {
      for (const slot of batch) {
        slot.isDone = true;
      }
    }
  }

  private async failed(batch: Batch<A>, { cause, attempts }: Extract<Ending, { kind: "failed" }>): Promise<void> {
    const { failures } = this.env;
    const [first, ...others] = batch;
    const mustFind = failures !== null || batch.some(({ record }) => record.letter !== null);
    if (cause instanceof Hanging || !mustFind || (failures === null && others.length === 0)) {
      // Nobody knows what a call that hangs still does, so that nothing may follow it.
      throw this.env.failure(cause, first.record);
    }
    if (failures !== null && others.length === 0) {
      first.verdict = failures.decide(cause, { record: first.record, attempts });
      first.isDone = true;
    } else {
      await this.writeEach(batch);
    }
  }

  /** One value at a time, to find those that fail. A value in front may have changed what becomes of those behind it. */
  private async writeEach(batch: Batch<A>): Promise<void> {
    for (const slot of batch) {
      if (this.isAdmitted(slot)) {
        await this.writeBatch([slot]);
      }
      this.emitDone();
    }
  }

  private async callWhileFailing(batch: Batch<A>): Promise<Ending> {
    for (let attempt = 1; ; attempt += 1) {
      await this.place();
      const ending = this.isStopped ? STOPPED : await this.call(batch, attempt);
      if (this.isStopped) {
        return STOPPED;
      }
      this.leavePlace();
      const pauseMs = ending.kind === "failed" ? this.pauseAfter(batch, ending) : null;
      if (pauseMs === null) {
        return ending;
      }
      this.env.retried(batch[0].record, attempt + 1, pauseMs);
      await sleep(this.env.clock, pauseMs, this.abort.signal);
    }
  }

  private async call(batch: Batch<A>, attempts: number): Promise<Ending> {
    const { time, write } = this.how;
    const { clock, identity } = this.env;
    const keyOf = this.how.keyOf ?? ((_value: A, { id, path }: CurrentRecord) => `${identity}/${id}${path}`);
    const run = (signal: AbortSignal): PromiseLike<unknown> =>
      this.calls.track(() =>
        write(
          batch.map(({ value }) => value),
          new BatchCall(batch, { signal, attempt: attempts, keyOf }),
        ),
      );
    try {
      const { signal } = this.abort;
      await (time === null ? run(signal) : callWithin(run, time, { clock, given: signal }));
      return WRITTEN;
    } catch (cause) {
      return { kind: "failed", cause, attempts };
    }
  }

  /** The pause before the next call; `null`: there is none. A call that hangs is not repeated beside itself. */
  private pauseAfter(batch: Batch<A>, { cause, attempts }: Extract<Ending, { kind: "failed" }>): number | null {
    const { retry } = this.how;
    if (retry === null || attempts >= retry.attempts || cause instanceof Hanging) {
      return null;
    }
    try {
      return retry.when(cause) ? pauseBefore(attempts + 1, retry, Math.random()) : null;
    } catch (error) {
      throw this.env.failure(error, batch[0].record);
    }
  }

  /**
   * Resolves when the operator has a place at its limiter, or was stopped before it waited for one. Never at once: what is
   * pushed in one go is called together, and outside of the push.
   */
  private async place(): Promise<void> {
    if (!this.isStopped && !this.hasPlace && !this.takePlace()) {
      await new Promise<void>((resolve) => {
        this.gotPlace = resolve;
      });
    }
  }

  /** Takes a place at once when there is one: who waited for its turn may not lose it to somebody who is quicker. */
  private readonly takePlace = (): boolean => {
    this.hasPlace = this.how.places?.take(this.takePlace) ?? true;
    if (this.hasPlace) {
      this.gotPlace();
    }
    return this.hasPlace;
  };

  private leavePlace(): void {
    if (this.hasPlace) {
      this.hasPlace = false;
      this.how.places?.free();
    }
  }

  /** Lets everything from the head of the order leave that is done. */
  private emitDone(): void {
    let slot = this.slots.peek();
    while (slot !== undefined && this.mayGoOn() && (slot.kind === "watermark" || slot.isDone)) {
      this.slots.shift();
      this.leave(slot);
      slot = this.slots.peek();
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
    this.env.failures?.settle(slot.value, slot.verdict);
    if (slot.verdict === null) {
      this.down.next(slot.value as unknown as Sunk);
    }
  }

  private completeWhenDone(): void {
    if (this.isCompleting && this.slots.size === 0 && !this.isStopped) {
      this.down.complete();
    }
  }
}

function isBatch<A>(slots: readonly ValueSlot<A>[]): slots is Batch<A> {
  return slots.length > 0;
}
