/**
 * How an operator with state runs: values and watermarks pass one after the other, and those that need entries which are
 * not in memory wait in line until these have been read, those of all that wait in one request.
 */
import { MillraceError } from "../errors.ts";
import { Fifo } from "../kernel/fifo.ts";
import type { Verdict } from "../topology/failure.ts";
import type { CurrentRecord } from "../topology/record.ts";
import { type Stage, type StageEnv, scope, type Unit, within } from "../topology/stage.ts";
import { DueHeap, type DueKey } from "./due-heap.ts";
import type { TaskStore } from "./task-store.ts";
import type { UpdateSchedule } from "./update-schedule.ts";

/** The most results that time alone brings forth in one commit; the rest follow in the next ones. */
const MAX_EXPIRED_AT_ONCE = 500;

/** About what a value takes that waits, besides its keys. */
const SLOT_BYTES = 300;

/** So many entries are read at once: more would keep the commits waiting that share their connection. */
const MAX_KEYS_AT_ONCE = 5_000;

/** What an operator does with its state. */
export interface StateOperator<A, S> {
  readonly store: TaskStore<S>;
  /** The entries that a value needs. Throws what the user's function throws. */
  keysOf(value: A, record: CurrentRecord): readonly string[];
  /**
   * What a value leads to, all its entries being known. Changes nothing itself, so that a value for which the user's function
   * throws has had no effect; what it returns makes the changes and pushes the results on.
   */
  process(value: A, record: CurrentRecord, keys: readonly string[]): (() => void) | null;
  /** Event time as far as it has come for this operator; -Infinity before it has. */
  moved(watermarkMs: number): void;
  /**
   * The time of an entry has come: does what is due by `untilMs`, of several results up to `room`, and puts or deletes the entry.
   * Returns how many results were pushed on.
   */
  expire(key: string, state: S, untilMs: number, room: number): number;
  /** What is promised behind the operator (ms) once nothing is due at or before `watermarkMs` any more. */
  promise(watermarkMs: number): number;
  /** What is to be told at a time of the clock; `null`: nothing ever. */
  readonly updates: UpdateSchedule | null;
}

/** Which entries a value needs. */
interface Needs {
  readonly keys: readonly string[];
  /** What the user's function has thrown that was to say it. */
  readonly thrown: { readonly cause: unknown } | null;
}

type Slot<A> =
  | (Needs & { readonly kind: "value"; readonly value: A; readonly record: CurrentRecord; readonly unit: Unit })
  | { readonly kind: "watermark"; readonly timeMs: number; readonly record: CurrentRecord; readonly unit: Unit };

export class StateLine<A, S> implements Stage<A> {
  private readonly operator: StateOperator<A, S>;
  private readonly down: Stage<unknown>;
  private readonly env: StageEnv;
  /** What waits, in the order of the input. */
  private readonly slots = new Fifo<Slot<A>>();
  private watermarkMs = Number.NEGATIVE_INFINITY;
  /** How many results the watermark at the head may still bring forth. */
  private room = MAX_EXPIRED_AT_ONCE;
  private isReading = false;
  private isPlanned = false;
  private isStopped = false;

  constructor(operator: StateOperator<A, S>, down: Stage<unknown>, env: StageEnv) {
    this.operator = operator;
    this.down = down;
    this.env = env;
  }

  next(value: A): void {
    const { record, unit } = scope;
    if (!this.env.inTask) {
      this.moveOutsideOfTask(record);
    }
    const { keys, thrown } = this.keysOf(value, record);
    if (this.slots.size === 0 && this.areKnown(keys)) {
      this.pass(value, record, { keys, thrown });
      return;
    }
    unit.retain();
    unit.waits(SLOT_BYTES + 2 * keys.reduce((sum, key) => sum + key.length, 0));
    this.slots.push({ kind: "value", value, keys, thrown, record, unit });
    this.planRead();
  }

  watermark(timeMs: number): void {
    if (this.slots.size === 0 && this.passWatermark(timeMs)) {
      return;
    }
    const { record, unit } = scope;
    unit.retain();
    this.slots.push({ kind: "watermark", timeMs, record, unit });
    this.planRead();
  }

  complete(): void {
    do {
      this.watermark(Number.POSITIVE_INFINITY);
    } while (this.operator.store.nextDueMs < Number.POSITIVE_INFINITY);
    this.down.complete();
  }

  stop(): void {
    this.isStopped = true;
    this.operator.updates?.stop();
    this.down.stop();
  }

  private keysOf(value: A, record: CurrentRecord): Needs {
    try {
      return { keys: this.operator.keysOf(value, record), thrown: null };
    } catch (cause) {
      return { keys: [], thrown: { cause } };
    }
  }

  private areKnown(keys: readonly string[]): boolean {
    return keys.every((key) => this.operator.store.isKnown(key));
  }

  private pass(value: A, record: CurrentRecord, { keys, thrown }: Needs): void {
    const { failures } = this.env;
    const refused = failures?.admit(record) ?? null;
    if (refused !== null) {
      failures?.settle(value, refused);
      return;
    }
    let effect: (() => void) | null;
    try {
      if (thrown !== null) {
        throw thrown.cause;
      }
      effect = this.operator.process(value, record, keys);
    } catch (cause) {
      this.failed(value, record, cause);
      return;
    }
    failures?.settle(value, null);
    effect?.();
  }

  private failed(value: A, record: CurrentRecord, cause: unknown): void {
    const { failures } = this.env;
    if (failures === null) {
      throw this.env.failure(cause, record);
    }
    const verdict: Verdict = failures.decide(cause, { record, attempts: 1 });
    failures.settle(value, verdict);
  }

  /** `false`: it must wait for what has to be read. */
  private passWatermark(timeMs: number): boolean {
    const { operator } = this;
    const { store } = operator;
    this.watermarkMs = Math.max(this.watermarkMs, timeMs);
    operator.moved(this.watermarkMs);
    while (this.room > 0 && store.isDue(this.watermarkMs)) {
      const due = store.due(this.watermarkMs, this.room);
      if (due === null) {
        return false;
      }
      this.expire(due);
    }
    if (operator.updates?.tick() === false) {
      return false;
    }
    this.room = MAX_EXPIRED_AT_ONCE;
    const isBehind = store.isDue(this.watermarkMs);
    const promiseMs = operator.promise(isBehind ? store.nextDueMs - 1 : this.watermarkMs);
    this.down.watermark(promiseMs);
    this.env.side?.watermark(promiseMs);
    if (isBehind) {
      this.env.again();
    }
    return true;
  }

  /** By due time and key; an entry that is due more than once has its turn with each time. */
  private expire(due: readonly DueKey[]): void {
    const { operator } = this;
    const { store } = operator;
    const behindMs = Math.min(this.watermarkMs + 1, store.nextDueMs);
    const order = new DueHeap();
    for (const entry of due) {
      order.push(entry);
    }
    const take = (most: number): readonly DueKey[] =>
      order.take(Number.POSITIVE_INFINITY, most, (key) => store.dueMsOf(key));
    while (this.room > 0) {
      const [next] = take(1);
      if (next === undefined) {
        return;
      }
      const { key, dueMs } = next;
      const state = store.get(key);
      if (state !== null) {
        const nextMs = Math.min(order.leastMs, behindMs);
        // Entries that go without a result count, too: each is a write.
        this.room -= Math.max(1, operator.expire(key, state, Math.max(dueMs, nextMs - 1), this.room));
      }
      const againMs = store.dueMsOf(key);
      if (againMs !== null && againMs < behindMs) {
        order.push({ key, dueMs: againMs });
      }
    }
    store.giveBack(take(Number.POSITIVE_INFINITY));
  }

  private moveOutsideOfTask(record: CurrentRecord): void {
    if (Number.isNaN(record.timestamp)) {
      throw new MillraceError(
        "InvalidOperator",
        `${this.env.node} needs event times: on an ordinary Observable put asRecords(topic) in front of it`,
      );
    }
    if (record.watermarkMs > this.watermarkMs) {
      within(record, scope.unit, () => this.watermark(record.watermarkMs));
    }
  }

  /** Reads when all that is pushed now has come in. */
  private planRead(): void {
    if (!this.isPlanned && !this.isReading) {
      this.isPlanned = true;
      queueMicrotask(() => {
        this.isPlanned = false;
        this.read().catch((error: unknown) => this.env.fail(error));
      });
    }
  }

  private async read(): Promise<void> {
    const head = this.slots.peek();
    if (head === undefined || this.isStopped) {
      return;
    }
    this.isReading = true;
    try {
      await Promise.all([this.readKeys(), head.kind === "watermark" ? this.readDue() : null]);
    } finally {
      this.isReading = false;
    }
    this.advance();
  }

  /** The entries that are missing to what waits, from the head of the line on. */
  private async readKeys(): Promise<void> {
    const missing = new Set<string>();
    for (const slot of this.slots) {
      if (missing.size >= MAX_KEYS_AT_ONCE) {
        break;
      }
      for (const key of slot.kind === "value" ? slot.keys : []) {
        if (!this.operator.store.isKnown(key)) {
          missing.add(key);
        }
      }
    }
    if (missing.size > 0) {
      await this.operator.store.fetch([...missing]);
    }
  }

  private async readDue(): Promise<void> {
    const { store } = this.operator;
    if (store.isDue(this.watermarkMs) && this.room > 0) {
      await store.fetchDue(this.watermarkMs, this.room);
    } else {
      await this.operator.updates?.wait();
    }
  }

  /** Passes everything from the head of the line that need not wait. */
  private advance(): void {
    let slot = this.slots.peek();
    while (slot !== undefined && !this.isStopped && this.leave(slot)) {
      slot = this.slots.peek();
    }
    this.operator.store.tidy();
    if (slot !== undefined && !this.isStopped) {
      this.planRead();
    }
  }

  private leave(slot: Slot<A>): boolean {
    if (slot.kind === "value" && !this.areKnown(slot.keys)) {
      return false;
    }
    let hasPassed = true;
    const { inTask } = scope;
    scope.inTask = this.env.inTask;
    try {
      within(slot.record, slot.unit, () => {
        if (slot.kind === "watermark") {
          hasPassed = this.passWatermark(slot.timeMs);
        } else {
          this.pass(slot.value, slot.record, slot);
        }
      });
    } finally {
      scope.inTask = inTask;
    }
    if (hasPassed) {
      this.slots.shift();
      slot.unit.release();
    }
    return hasPassed;
  }
}
