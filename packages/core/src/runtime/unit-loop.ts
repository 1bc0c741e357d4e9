/**
 * Pushes the records of one task through its operators, in units, and moves the task's event time on.
 *
 * Every method is synchronous. Units never interleave: each is opened, filled and closed before the next; what operators
 * hold beyond that retains its unit.
 */
import * as E from "fp-ts/lib/Either.js";
import { DecodeError } from "../errors.ts";
import { compareOffsets, type Offset } from "../kernel/offset.ts";
import { advance, fetched, isInactive, reached, type TaskTime, type TimeSnapshot } from "../kernel/task-time.ts";
import type { StoredRecord } from "../ports/log.ts";
import type { Any } from "../topology/any.ts";
import { NO_RECORD, TopicRecord } from "../topology/record.ts";
import { type Stage, scope } from "../topology/stage.ts";
import type { UnitFill } from "../topology/sub-topology.ts";
import type { Topic } from "../topology/topic.ts";
import type { NodeFailures } from "./node-failures.ts";
import { type Route, type StoreOwners, TaskUnit } from "./task-unit.ts";
import type { UnitSize } from "./unit-size.ts";

/** A unit that has caused this many outputs takes no further record. */
const UNIT_OUTPUTS = 400;

/** The same for the bytes of its outputs. */
const UNIT_BYTES = 524_288;

/** What the loop needs of its task. */
export interface UnitLoopOptions {
  readonly source: Topic<Any>;
  readonly at: { readonly topic: string; readonly partition: number };
  readonly unitSize: UnitSize;
  /** For how long, and up to how many records, a unit waits to be filled; `null`: not at all. */
  readonly fill: UnitFill | null;
  /** What becomes of entries that do not decode; `null`: `DecodeError` is thrown. */
  readonly undecodable: NodeFailures | null;
  readonly route: Route;
  readonly nowMs: () => number;
  /** A unit begins. */
  readonly opened: (unit: TaskUnit) => void;
  /** Nothing holds the unit any more. */
  readonly settled: (unit: TaskUnit) => void;
  /** Only a record that is still to come can settle a unit. */
  readonly parked: () => void;
  /** Records that were not processed have vanished from the log. */
  readonly lost: (records: number) => void;
}

/** The times of a partition, and how many records were ever appended to it. */
export type LogSnapshot = TimeSnapshot & { readonly appended: number };

/** Where a task stands. */
export interface Position {
  readonly offset: Offset;
  readonly processed: number;
  readonly time: TaskTime;
}

export class UnitLoop {
  private readonly options: UnitLoopOptions;
  private readonly stages: Stage<Any>;
  private readonly owners: StoreOwners = new Map();
  private offset: Offset;
  private processed: number;
  private time: TaskTime;
  /** The newest of {@link TaskTime.maxEventTimeMs}; `time` has it between units. */
  private maxEventTimeMs: number | null;
  private nextIndex = 0;
  private pushedWatermarkMs = Number.NEGATIVE_INFINITY;
  private isBehind = false;
  /** Still open, and waiting for more records. */
  private filling: TaskUnit | null = null;
  private newest: LogSnapshot | null = null;

  constructor(options: UnitLoopOptions, stages: Stage<Any>, from: Position) {
    this.options = options;
    this.stages = stages;
    this.offset = from.offset;
    this.processed = from.processed;
    this.time = from.time;
    this.maxEventTimeMs = from.time.maxEventTimeMs;
  }

  get position(): Position {
    return { offset: this.offset, processed: this.processed, time: this.time };
  }

  /** Whether operators have more to emit than fitted into the last unit. */
  get hasMore(): boolean {
    return this.isBehind;
  }

  /** An operator asks for another watermark. */
  again(): void {
    this.isBehind = true;
  }

  /**
   * Pushes records until a unit is full or `mayGoOn` says no; returns how many. Throws what an operator threw, or
   * `DecodeError`; in the latter case the records in front are in a unit that will commit.
   */
  pushUnit(records: readonly StoredRecord[], from: number, mayGoOn: () => boolean): number {
    const unit = this.filling ?? this.open();
    this.filling = null;
    let next = from;
    try {
      this.inScope(unit, () => {
        while (next < records.length && !this.isFull(unit) && mayGoOn()) {
          const record = records[next];
          if (record !== undefined) {
            this.pushRecord(unit, record);
          }
          next += 1;
        }
      });
    } catch (error) {
      if (error instanceof DecodeError) {
        this.close(unit, 0);
      }
      throw error;
    }
    if (this.waitsForMore(unit)) {
      this.filling = unit;
    } else {
      this.close(unit, 0);
    }
    return next - from;
  }

  /** When the unit that waits for more records must be closed (ms); `null`: there is none. */
  get closesAtMs(): number | null {
    const { fill } = this.options;
    return this.filling === null || fill === null ? null : this.filling.openedAtMs + fill.withinMs;
  }

  /** Closes the unit that waits for more records, if there is one. Throws what an operator throws. */
  closeOpen(): void {
    const unit = this.filling;
    if (unit !== null) {
      this.filling = null;
      this.close(unit, 0);
    }
  }

  private waitsForMore(unit: TaskUnit): boolean {
    const { fill, nowMs } = this.options;
    return fill !== null && unit.records > 0 && !this.isFull(unit) && nowMs() < unit.openedAtMs + fill.withinMs;
  }

  /**
   * A unit for what no record causes that is read now: redriven letters, and notes of the task. Event time stands still, so that
   * what it would cause, and fail by, is no part of it. Throws what `push` throws.
   */
  pushAside(push: () => void): void {
    this.closeOpen();
    const unit = this.open();
    this.inScope(unit, () => {
      push();
      if (this.options.fill !== null) {
        this.stages.watermark(this.pushedWatermarkMs);
      }
    });
    this.end(unit, 0);
  }

  /** A unit without records, for what event time alone causes. */
  pushTime(idleMs: number): void {
    this.closeOpen();
    this.close(this.open(), idleMs);
  }

  /** Whether {@link pushTime} would have an effect. */
  isTimeDue(idleMs: number): boolean {
    const { time: policy } = this.options.source;
    const next = advance(this.time, policy, idleMs);
    return this.isBehind || next.watermarkMs > this.pushedWatermarkMs || isInactive(next, policy, idleMs);
  }

  /** The writers' table and the end of the partition were fetched. */
  onTimes(snapshot: LogSnapshot): void {
    this.newest = snapshot;
    this.time = reached(fetched(this.time, snapshot), this.offset);
    this.findGap();
  }

  /** Whether all that there will ever be has been processed. */
  get isComplete(): boolean {
    const { watermarkMs, applied, pending } = this.time;
    return watermarkMs === Number.POSITIVE_INFINITY && applied !== null && pending === null && !this.isBehind;
  }

  /**
   * Where the end of the log is reached, as many records must have been processed as were appended. Also behind the end:
   * what was trimmed at the tail leaves the end in front of the position.
   */
  private findGap(): void {
    if (this.newest !== null && compareOffsets(this.offset, this.newest.end) >= 0) {
      const lost = this.newest.appended - this.processed;
      if (lost > 0) {
        this.processed += lost;
        this.options.lost(lost);
      }
    }
  }

  private open(): TaskUnit {
    const at = { index: this.nextIndex, openedAtMs: this.options.nowMs() };
    this.nextIndex += 1;
    const { route, settled, parked, opened } = this.options;
    const unit = new TaskUnit(at, { route, owners: this.owners, settled, parked });
    opened(unit);
    return unit;
  }

  private isFull(unit: TaskUnit): boolean {
    const { unitSize, fill } = this.options;
    return (
      unit.records >= Math.max(unitSize.current, fill?.records ?? 0) ||
      unit.outputCount >= UNIT_OUTPUTS ||
      unit.outputBytes >= UNIT_BYTES
    );
  }

  private pushRecord(unit: TaskUnit, stored: StoredRecord): void {
    const { at, undecodable } = this.options;
    const decoded = this.decode(stored);
    if (undecodable === null && E.isLeft(decoded)) {
      throw decoded.left;
    }
    unit.records += 1;
    unit.bytes += stored.bytes;
    const record = new TopicRecord(at, stored, this.promisedBefore(stored));
    scope.record = record;
    const refused = undecodable?.admit(record) ?? null;
    if (undecodable !== null && (refused !== null || E.isLeft(decoded))) {
      const isForeign = stored.problem !== null;
      const cause = E.isLeft(decoded) ? decoded.left : null;
      const verdict = refused ?? undecodable.decide(cause, { record, attempts: 1, isForeign });
      undecodable.settle(stored.payload, verdict, isForeign);
    } else if (E.isRight(decoded)) {
      this.stages.next(decoded.right);
    }
    this.offset = stored.offset;
    this.processed += 1;
  }

  private decode(stored: StoredRecord): E.Either<DecodeError, Any> {
    const { source, at } = this.options;
    const decoded =
      stored.problem === null ? source.codec.decode(stored.payload) : E.left([{ path: "", message: stored.problem }]);
    return E.isRight(decoded)
      ? decoded
      : E.left(new DecodeError({ ...at, offset: stored.offset, raw: stored.payload, issues: decoded.left }));
  }

  /** What was promised of event time before this record; a producer's record moves the promise on. */
  private promisedBefore(stored: StoredRecord): number {
    if (stored.watermarkMs !== null) {
      return stored.watermarkMs;
    }
    const before = this.maxEventTimeMs;
    if (before === null || stored.timestampMs > before) {
      this.maxEventTimeMs = stored.timestampMs;
    }
    return before === null ? Number.NEGATIVE_INFINITY : before - this.options.source.time.outOfOrdernessMs;
  }

  private close(unit: TaskUnit, idleMs: number): void {
    const { time: policy } = this.options.source;
    const { maxEventTimeMs } = this;
    this.time = advance(reached({ ...this.time, maxEventTimeMs }, this.offset), policy, idleMs);
    this.findGap();
    if (this.time.watermarkMs > this.pushedWatermarkMs || this.isBehind || this.options.fill !== null) {
      this.pushedWatermarkMs = this.time.watermarkMs;
      this.isBehind = false;
      this.inScope(unit, () => this.stages.watermark(this.time.watermarkMs));
    }
    this.end(unit, idleMs);
  }

  private end(unit: TaskUnit, idleMs: number): void {
    const { time: policy } = this.options.source;
    unit.closedAtMs = this.options.fill === null ? null : this.options.nowMs();
    unit.closed = { ...this.position, isInactive: isInactive(this.time, policy, idleMs) };
    unit.release();
  }

  private inScope(unit: TaskUnit, push: () => void): void {
    const { record, unit: unitBefore, inTask } = scope;
    scope.record = NO_RECORD;
    scope.unit = unit;
    scope.inTask = true;
    try {
      push();
    } finally {
      scope.record = record;
      scope.unit = unitBefore;
      scope.inTask = inTask;
    }
  }
}
