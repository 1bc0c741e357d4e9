/**
 * Pushes the records of one task through its operators, in units, and moves the task's event time on.
 *
 * Every method is synchronous. Units never interleave: each is opened, filled and closed before the next; what operators
 * hold beyond that retains its unit.
 */
import * as E from "fp-ts/lib/Either.js";
import { DecodeError, type Issue } from "../errors.ts";
import { compareOffsets, type Offset } from "../kernel/offset.ts";
import { judgeTimes, type TimeVerdict, withTimes } from "../kernel/record-time.ts";
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

/** The same for entries of stores that it changes. */
const UNIT_WRITES = 1_000;

/** The same for values that wait inside operators. */
const UNIT_WAITING = 1_000;

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
  /** Values that wait inside operators take so many bytes more. */
  readonly held: (bytes: number) => void;
  /** Records that were not processed have vanished from the log. */
  readonly lost: (records: number) => void;
}

/** The times of a partition, and how many records were ever appended to it. */
export type LogSnapshot = TimeSnapshot & { readonly appended: number };

/** Who has records pushed. */
export interface Pusher {
  /** Whether another record may follow. */
  readonly mayGoOn: () => boolean;
  /** A record is ahead of time. */
  readonly ahead: (at: Offset, verdict: AheadVerdict) => void;
}

/** What is done with a record that is ahead of time. */
type AheadVerdict = Extract<TimeVerdict, { readonly aheadMs: number }>;

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
  private looks = 0;

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
   * Pushes records until a unit is full or the pusher says no; returns how many. Throws what an operator threw, or
   * `DecodeError`; in the latter case the records in front are in a unit that will commit.
   */
  pushUnit(records: readonly StoredRecord[], from: number, pusher: Pusher): number {
    const unit = this.filling ?? this.open();
    this.filling = null;
    let next = from;
    try {
      this.inScope(unit, () => {
        while (next < records.length && !this.isFull(unit) && pusher.mayGoOn()) {
          const record = records[next];
          if (record !== undefined) {
            this.pushRecord(unit, record, pusher);
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
    this.looks += 1;
    this.time = reached(fetched(this.time, snapshot), this.offset);
    this.findGap();
  }

  /**
   * Whether the newest look at the log found nothing behind the position. The first look does not count: it may have been
   * under way before the task was acquired.
   */
  get isAtEnd(): boolean {
    return this.looks > 1 && this.newest !== null && compareOffsets(this.offset, this.newest.end) >= 0;
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
    const { route, settled, parked, held, opened } = this.options;
    const unit = new TaskUnit(at, { route, owners: this.owners, settled, parked, held });
    opened(unit);
    return unit;
  }

  private isFull(unit: TaskUnit): boolean {
    const { unitSize, fill } = this.options;
    return (
      unit.records >= Math.max(unitSize.current, fill?.records ?? 0) ||
      unit.outputCount >= UNIT_OUTPUTS ||
      unit.outputBytes >= UNIT_BYTES ||
      unit.writes >= UNIT_WRITES ||
      unit.waiting >= UNIT_WAITING
    );
  }

  private pushRecord(unit: TaskUnit, found: StoredRecord, pusher: Pusher): void {
    const { at, source, undecodable } = this.options;
    const verdict = judgeTimes(found, found.problem === null ? source.ahead : null);
    const stored = withTimes(found, verdict);
    const decoded = this.decode(stored, verdict);
    if ("aheadMs" in verdict) {
      pusher.ahead(stored.offset, verdict);
    }
    if (undecodable === null && E.isLeft(decoded)) {
      throw decoded.left;
    }
    unit.records += 1;
    unit.bytes += stored.bytes;
    const record = new TopicRecord(at, stored, this.promisedBefore(stored, verdict), stored.watermarkMs !== null);
    scope.record = record;
    const isForeign = stored.problem !== null || verdict.kind === "invalid";
    this.pushDecoded(decoded, { record, isForeign, payload: stored.payload });
    this.offset = stored.offset;
    this.processed += 1;
  }

  /** Pushes the value, unless the stream's policy has something else for the record: it does not decode, or its key is parked. */
  private pushDecoded(
    decoded: E.Either<DecodeError, Any>,
    of: { readonly record: TopicRecord; readonly isForeign: boolean; readonly payload: string },
  ): void {
    const { undecodable } = this.options;
    const { record, isForeign, payload } = of;
    const refused = undecodable?.admit(record) ?? null;
    if (undecodable !== null && (refused !== null || E.isLeft(decoded))) {
      const cause = E.isLeft(decoded) ? decoded.left : null;
      const decision = refused ?? undecodable.decide(cause, { record, attempts: 1, isForeign });
      undecodable.settle(payload, decision, isForeign);
    } else if (E.isRight(decoded)) {
      this.stages.next(decoded.right);
    }
  }

  private decode(stored: StoredRecord, verdict: TimeVerdict): E.Either<DecodeError, Any> {
    const { source, at } = this.options;
    const issue = issueOf(stored, verdict);
    const decoded = issue === null ? source.codec.decode(stored.payload) : E.left([issue]);
    return E.isRight(decoded)
      ? decoded
      : E.left(new DecodeError({ ...at, offset: stored.offset, raw: stored.payload, issues: decoded.left }));
  }

  /**
   * What was promised of event time before this record; a producer's record moves the promise on. What is no record says
   * nothing of time, and what was refused because of its time is not believed.
   */
  private promisedBefore(stored: StoredRecord, verdict: TimeVerdict): number {
    if (stored.watermarkMs !== null) {
      return stored.watermarkMs;
    }
    const before = this.maxEventTimeMs;
    const isBelieved = issueOf(stored, verdict) === null;
    if (isBelieved && (before === null || stored.timestampMs > before)) {
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

/** Why the entry is not processed, whatever its payload; `null`: it is a record with a time that counts. */
function issueOf({ problem }: StoredRecord, verdict: TimeVerdict): Issue | null {
  if (problem !== null) {
    return { path: "", message: problem };
  }
  return "message" in verdict ? { path: verdict.path, message: verdict.message } : null;
}
