import * as E from "fp-ts/lib/Either.js";
import { MillraceError } from "../errors.ts";
import { committable } from "../kernel/commit-prefix.ts";
import { Fifo } from "../kernel/fifo.ts";
import { encodeTime } from "../kernel/task-time.ts";
import type { NewRecord, TopicInfo } from "../ports/log.ts";
import type { Commit, CommitError, Output, Ownership, StateDelta, StatePut, TaskRef } from "../ports/tasks.ts";
import type { Destination } from "./router.ts";
import type { TaskUnit, UnitEnd } from "./task-unit.ts";

/** About 500 records or 1 MB hold Redis for a millisecond. */
const LIMITS = { maxOutputs: 500, maxBytes: 1_048_576, maxWrites: 2_000 };

/** What the committer needs of its task. */
export interface CommitterOptions {
  readonly task: TaskRef;
  readonly ownership: Ownership;
  /** This task's entry in the writers' tables. */
  readonly writer: string;
  /** The topic that each sink writes, by the sink's number. */
  readonly sinkTopics: readonly TopicInfo[];
  /** Sends a commit until the store has answered; `Left` when it never can. */
  readonly send: (commit: Commit) => Promise<E.Either<CommitError, unknown>>;
  /** A commit was applied; the units are done. */
  readonly applied: (units: readonly TaskUnit[], commit: Commit | null) => void;
  /** The task can commit no more. */
  readonly failed: (error: unknown) => void;
}

/** Commits the units of one task in order, one commit at a time; what settles meanwhile is merged into the next. */
export class Committer {
  private readonly options: CommitterOptions;
  private readonly units = new Fifo<TaskUnit>();
  /** The newest watermark of each sink, as far as units were committed. */
  private readonly sinkWatermarks: number[];
  /** What the writers' tables were last told. */
  private readonly published = new Map<string, number | null>();
  private sequence: number;
  private isSending = false;
  private isClosed = false;
  private isHeld = false;
  private whenIdle: (() => void)[] = [];

  constructor(options: CommitterOptions) {
    this.options = options;
    this.sequence = options.ownership.sequence;
    this.sinkWatermarks = options.sinkTopics.map(() => Number.NEGATIVE_INFINITY);
  }

  /** How many commits of the task the store has acknowledged, those of its owners before included. */
  get acknowledged(): number {
    return this.sequence;
  }

  /** Whether every unit has been committed. */
  get isIdle(): boolean {
    return this.units.size === 0 && !this.isSending;
  }

  /** Whether nothing can be committed any more without another record. */
  get isDrained(): boolean {
    return (
      !this.isSending &&
      committable(this.units, LIMITS) === 0 &&
      [...this.units].every(({ isSettled, isParked }) => isSettled || isParked)
    );
  }

  /** Enters a unit; units come in log order. */
  add(unit: TaskUnit): void {
    this.units.push(unit);
  }

  /** Begins no commit until {@link resume}. */
  hold(): void {
    this.isHeld = true;
  }

  /** Ends a {@link hold}. */
  resume(): void {
    if (this.isHeld) {
      this.isHeld = false;
      this.kick();
    }
  }

  /** Commits what can be committed. Call it when a unit has settled. */
  kick(): void {
    if (this.isSending || this.isClosed || this.isHeld) {
      return;
    }
    const count = committable(this.units, LIMITS);
    if (count > 0) {
      this.isSending = true;
      this.commitFirst(count).catch((error: unknown) => this.fail(error));
    }
  }

  /** Resolves when nothing is left that could be committed: all units, or those before the first unsettled one. */
  async settledCommitted(): Promise<void> {
    while (!this.isClosed && (this.isSending || committable(this.units, LIMITS) > 0)) {
      await new Promise<void>((resolve) => this.whenIdle.push(resolve));
    }
  }

  /** Resolves with `true` when every unit has been committed, with `false` when nothing is committed any more. */
  async idle(): Promise<boolean> {
    while (!this.isClosed && !this.isIdle) {
      await new Promise<void>((resolve) => this.whenIdle.push(resolve));
    }
    return !this.isClosed;
  }

  /** Begins no further commit; one that is under way goes on. */
  close(): void {
    this.isClosed = true;
    this.wake();
  }

  private async commitFirst(count: number): Promise<void> {
    const units: TaskUnit[] = [];
    for (let i = 0; i < count; i++) {
      const unit = this.units.shift();
      if (unit !== undefined) {
        units.push(unit);
      }
    }
    const commit = this.merge(units);
    const sent = commit === null ? E.right(null) : await this.options.send(commit);
    this.isSending = false;
    if (E.isLeft(sent)) {
      this.fail(new MillraceError(sent.left));
      return;
    }
    if (commit !== null) {
      this.sequence += 1;
      for (const { topic, watermarkMs } of commit.watermarks) {
        this.published.set(topic.name, watermarkMs);
      }
    }
    for (const { applied } of units.flatMap(({ deltas }) => deltas)) {
      applied?.();
    }
    this.options.applied(units, commit);
    this.kick();
    this.wake();
  }

  private fail(error: unknown): void {
    this.close();
    this.options.failed(error);
  }

  private wake(): void {
    const waiting = this.whenIdle;
    this.whenIdle = [];
    for (const resume of waiting) {
      resume();
    }
  }

  /** The units as one commit; `null` when they have no effect. */
  private merge(units: readonly TaskUnit[]): Commit | null {
    const end = units.at(-1)?.closed ?? null;
    if (end === null) {
      return null;
    }
    const outputs = mergeOutputs(units);
    const state = mergeDeltas(units);
    const watermarks = this.watermarksAfter(units, end);
    const hasRecords = units.some(({ records }) => records > 0);
    if (!hasRecords && outputs.length === 0 && state.length === 0 && watermarks.length === 0) {
      return null;
    }
    const { task, ownership } = this.options;
    const { offset, processed, time } = end;
    const { nonce } = ownership;
    const { sequence } = this;
    return { task, nonce, sequence, offset, processed, outputs, state, time: encodeTime(time), watermarks };
  }

  /** What the writers' tables need to be told: of a topic with several sinks, the least. */
  private watermarksAfter(units: readonly TaskUnit[], end: UnitEnd): Commit["watermarks"] {
    for (const unit of units) {
      for (const [sink, watermarkMs] of unit.sinkWatermarks) {
        this.sinkWatermarks[sink] = watermarkMs;
      }
    }
    const least = new Map<TopicInfo, number>();
    this.options.sinkTopics.forEach((topic, sink) => {
      const watermarkMs = this.sinkWatermarks[sink] ?? Number.NEGATIVE_INFINITY;
      least.set(topic, Math.min(least.get(topic) ?? Number.POSITIVE_INFINITY, watermarkMs));
    });
    const { writer } = this.options;
    return [...least]
      .map(([topic, watermarkMs]) => ({ topic, writer, watermarkMs: end.isInactive ? null : watermarkMs }))
      .filter(
        ({ topic, watermarkMs }) =>
          watermarkMs !== Number.NEGATIVE_INFINITY && this.published.get(topic.name) !== watermarkMs,
      );
  }
}

function mergeOutputs(units: readonly TaskUnit[]): readonly Output[] {
  const merged = new Map<Destination, NewRecord[][]>();
  for (const unit of units) {
    for (const [destination, records] of unit.outputs) {
      const parts = merged.get(destination);
      if (parts === undefined) {
        merged.set(destination, [records]);
      } else {
        parts.push(records);
      }
    }
  }
  return [...merged].map(([{ topic, partition }, parts]) => ({ topic, partition, records: parts.flat() }));
}

function mergeDeltas(units: readonly TaskUnit[]): readonly StateDelta[] {
  const stores = new Map<string, StateDelta[]>();
  for (const delta of units.flatMap(({ deltas }) => deltas)) {
    const deltas = stores.get(delta.store);
    if (deltas === undefined) {
      stores.set(delta.store, [delta]);
    } else {
      deltas.push(delta);
    }
  }
  return [...stores].map(([store, deltas]) => {
    const [only] = deltas;
    return only !== undefined && deltas.length === 1 ? only : mergeDeltasOf(store, deltas);
  });
}

/** Of several changes of a key the last one counts; a due time stays until it is changed. */
function mergeDeltasOf(store: string, deltas: readonly StateDelta[]): StateDelta {
  const changes = new Map<string, StatePut | null>();
  for (const { puts, deletes } of deltas) {
    for (const put of puts) {
      changes.set(put[0], putAfter(changes.get(put[0]), put));
    }
    for (const key of deletes) {
      changes.set(key, null);
    }
  }
  return {
    store,
    puts: [...changes.values()].filter((put) => put !== null),
    deletes: [...changes].flatMap(([key, put]) => (put === null ? [key] : [])),
  };
}

/** `before`: what changed earlier; `null`: the entry was deleted, and its due time with it. */
function putAfter(before: StatePut | null | undefined, put: StatePut): StatePut {
  if (before === undefined || put[2] !== undefined) {
    return put;
  }
  const [key, value] = put;
  const dueMs = before === null ? null : before[2];
  return dueMs === undefined ? [key, value] : [key, value, dueMs];
}
