/**
 * One owned task at work: reads its partition within its limits, has the records pushed through its operators, and commits.
 * Lives from an acquisition to the next; what it holds in memory is what the store has, plus what is not committed yet.
 */
import { DecodeError, MillraceError } from "../errors.ts";
import { compareOffsets, type Offset } from "../kernel/offset.ts";
import { decodeTime } from "../kernel/task-time.ts";
import { sleep } from "../ports/clock.ts";
import type { StoredRecord } from "../ports/log.ts";
import type { PortError } from "../ports/port-error.ts";
import type { Commit, Ownership } from "../ports/tasks.ts";
import type { Any } from "../topology/any.ts";
import type { Queue, Stage } from "../topology/stage.ts";
import { buildStages, sinksOf } from "./build-stages.ts";
import { Committer } from "./committer.ts";
import { Credits } from "./credits.ts";
import { Deferred } from "./deferred.ts";
import { dropUnbegun } from "./drop-unbegun.ts";
import { loadStores } from "./load-stores.ts";
import { QuietTime } from "./quiet-time.ts";
import { readWhile } from "./read-while.ts";
import { type RetryOptions, retrying } from "./retrying.ts";
import { Router } from "./router.ts";
import { type Outcome, stuck, type TaskOptions, taskName } from "./task-options.ts";
import type { TaskUnit } from "./task-unit.ts";
import { type LogSnapshot, UnitLoop } from "./unit-loop.ts";
import { MAX_UNIT_RECORDS, UnitSize } from "./unit-size.ts";

export class TaskInstance {
  private readonly options: TaskOptions;
  private readonly ownership: Ownership;
  /** Reading ends in front of this record; `null`: nowhere. */
  private readonly cut: Offset | null;
  private readonly name: string;
  private readonly committer: Committer;
  private readonly credits: Credits;
  private readonly router: Router;
  private readonly unitSize: UnitSize;
  private readonly given = new AbortController();
  private loop: UnitLoop | null = null;
  private stages: Stage<Any> | null = null;
  private outcome: Outcome | null = null;
  private readonly ended = new Deferred<Outcome>();
  /** Resolves at the very end, when what had settled is committed. */
  private readonly finished = new Deferred<void>();
  private closeReader: () => void = () => {};
  private isReading = true;
  /** Reading has ended for good: how the instance ends when the rest is committed. */
  private last: Outcome | null = null;
  private readonly quiet = new QuietTime();
  /** The stages that wait before they begin. */
  private readonly queues: Queue[] = [];
  private isPushing = false;
  private isTickPlanned = false;
  private isDone = false;

  constructor(options: TaskOptions, ownership: Ownership, cut: Offset | null) {
    this.options = options;
    this.ownership = ownership;
    this.cut = cut;
    this.name = taskName(options.ref);
    this.router = new Router(options.topics);
    this.credits = new Credits(options.limits);
    this.unitSize = new UnitSize(options.subTopology.needsSingleRecordUnits ? 1 : MAX_UNIT_RECORDS);
    this.committer = new Committer({
      task: options.ref,
      ownership,
      writer: this.name,
      sinkTopics: sinksOf(options.subTopology.roots).flatMap(({ spec }) =>
        spec.sink === null ? [] : this.router.topicOf(spec.sink),
      ),
      send: (commit) =>
        retrying(() => options.ports.tasks.commit({ ...commit, signal: this.given.signal })(), this.retryOptions()),
      applied: (units, commit) => this.onApplied(units, commit),
      failed: (error) => this.fail(error),
    });
  }

  /** Runs until stopped, complete or failed; what had settled by then is committed. Never rejects. */
  async run(): Promise<Outcome> {
    try {
      await this.start();
    } catch (error) {
      this.fail(error);
    }
    const outcome = await this.ended.promise;
    await this.committer.settledCommitted();
    this.isDone = true;
    this.abandon();
    this.finished.resolve();
    return outcome;
  }

  /**
   * Stops reading, lets what was begun finish and commit for up to `withinMs`, and gives up the rest. Resolves with whether
   * all that was begun was committed.
   */
  async drain(withinMs: number): Promise<boolean> {
    const isFirst = this.last === null;
    this.finish({ kind: "stopped" });
    if (isFirst) {
      dropUnbegun(this.queues);
      this.endWhenDone();
    }
    const late = sleep(this.options.clock, withinMs, this.given.signal).then(() => this.isDone);
    const isDone = await Promise.race([this.finished.promise.then(() => true), late]);
    this.abandon();
    return isDone;
  }

  /** Resolves when no handler runs any more, also of an instance that was given up. */
  async handlersEnded(): Promise<void> {
    await Promise.all(this.queues.map((queue) => queue.ended()));
  }

  /** Ends the instance at once, and commits nothing more. */
  abandon(): void {
    this.end({ kind: "stopped" });
    this.committer.close();
    this.given.abort();
    this.stages?.stop();
  }

  /** The writers' table and the end of the partition, as they were a moment ago. */
  onTimes(snapshot: LogSnapshot): void {
    if (this.outcome === null && this.loop !== null) {
      this.loop.onTimes(snapshot);
      this.tick();
    }
  }

  /** How many records the task has read, and its event time; `null` before it has started. */
  get progress(): { readonly processed: number; readonly watermarkMs: number } | null {
    const position = this.loop?.position;
    return position === undefined ? null : { processed: position.processed, watermarkMs: position.time.watermarkMs };
  }

  private async start(): Promise<void> {
    const { ports, ref, subTopology, clock } = this.options;
    const time = decodeTime(this.ownership.time);
    if (time === null) {
      throw new MillraceError("DecodeError", `the stored event time of task ${this.name} does not decode`);
    }
    const stores = await loadStores(ports.state, { ref, stores: subTopology.stores }, this.retryOptions());
    if (this.outcome !== null) {
      return;
    }
    this.stages = buildStages({
      options: this.options,
      stores,
      fail: (error) => this.fail(error),
      again: () => {
        this.loop?.again();
        this.planTick();
      },
      queues: (queue) => this.queues.push(queue),
    });
    this.loop = new UnitLoop(
      {
        source: subTopology.source,
        at: { topic: ref.topic.name, partition: ref.partition },
        unitSize: this.unitSize,
        route: (to, record) => this.router.route(to, record),
        nowMs: () => clock.now(),
        opened: (unit) => this.committer.add(unit),
        settled: (unit) => this.onSettled(unit),
        parked: () => this.onParked(),
        lost: (records) => this.options.emit({ _tag: "Gap", task: this.name, lost: records }),
      },
      this.stages,
      { ...this.ownership, time },
    );
    if (time.watermarkMs !== Number.NEGATIVE_INFINITY) {
      // What operators knew of time before a restart: nothing that was late is in time again. The store knows it, so it
      // commits with whatever is read first.
      this.committer.hold();
      this.loop.pushTime(0);
      if (!this.credits.hasRoom) {
        // Nothing is read before this is committed.
        this.committer.resume();
      }
    }
    void this.readLoop(this.loop).catch((error: unknown) => this.fail(error));
  }

  private async readLoop(loop: UnitLoop): Promise<void> {
    const { ports, ref, clock } = this.options;
    const reader = ports.log.reader(ref.topic, ref.partition, this.ownership.offset);
    this.closeReader = () => reader.close();
    await readWhile({
      reader,
      clock,
      credits: this.credits,
      maxRecords: MAX_UNIT_RECORDS,
      quiet: this.quiet,
      signal: this.given.signal,
      isReading: () => this.isReading,
      before: () => this.failIfStuck(),
      read: (records) => this.onBatch(loop, records),
      stalled: (error) => this.stalled(error),
    });
    reader.close();
  }

  private onBatch(loop: UnitLoop, records: readonly StoredRecord[]): void {
    if (records.length > 0) {
      this.options.stirred();
    }
    const { cut } = this;
    const cutAt = cut === null ? -1 : records.findIndex(({ offset }) => compareOffsets(offset, cut) >= 0);
    this.push(loop, cutAt < 0 ? records : records.slice(0, cutAt));
    if (cutAt >= 0) {
      this.finish({ kind: "reachedCut" });
    }
    this.committer.resume();
  }

  private push(loop: UnitLoop, records: readonly StoredRecord[]): void {
    for (const { bytes } of records) {
      this.credits.take(1, bytes);
    }
    let next = 0;
    this.isPushing = true;
    try {
      while (next < records.length && this.isReading) {
        next += loop.pushUnit(records, next, () => this.isReading);
      }
    } catch (error) {
      if (error instanceof DecodeError) {
        // It has changed nothing: what came before it commits.
        this.finish({ kind: "failed", error });
      } else {
        this.fail(error);
      }
    } finally {
      this.isPushing = false;
    }
  }

  /** A foreign operator has taken the last hold on a unit. */
  private onParked(): void {
    this.endWhenDone();
    if (!this.isPushing) {
      this.failIfStuck();
    }
  }

  /** Without credits no record is read, and without a record foreign operators let go of nothing. */
  private failIfStuck(): void {
    if (this.isReading && !this.credits.hasRoom && !this.committer.isIdle && this.committer.isDrained) {
      this.fail(stuck(this.name));
    }
  }

  /** Moves event time on where that has an effect. */
  private tick(): void {
    if (this.loop !== null && this.outcome === null && this.credits.hasRoom && this.last === null) {
      const idleMs = this.idleMs();
      if (this.loop.isTimeDue(idleMs)) {
        try {
          this.loop.pushTime(idleMs);
        } catch (error) {
          this.fail(error);
        }
      }
      this.endWhenDone();
    }
  }

  private planTick(): void {
    if (!this.isTickPlanned) {
      this.isTickPlanned = true;
      setImmediate(() => {
        this.isTickPlanned = false;
        this.tick();
      });
    }
  }

  /** For how long nothing has come, 0 while the task is busy: waiting for credits is not quiet. */
  private idleMs(): number {
    return this.credits.hasRoom && this.committer.isIdle ? this.quiet.ms : 0;
  }

  private onSettled(unit: TaskUnit): void {
    this.unitSize.settled(unit.records, unit.openedAtMs, this.options.clock.now());
    this.credits.take(0, unit.outputBytes);
    this.committer.kick();
  }

  private onApplied(units: readonly TaskUnit[], commit: Commit | null): void {
    let records = 0;
    let outputs = 0;
    for (const unit of units) {
      this.credits.giveBack(unit.records, unit.bytes + unit.outputBytes);
      records += unit.records;
      outputs += unit.outputCount;
    }
    if (commit !== null) {
      this.options.emit({ _tag: "Committed", task: this.name, offset: commit.offset, records, outputs });
    }
    if (this.loop?.hasMore === true) {
      this.planTick();
    }
    this.endWhenDone();
  }

  /** No record is read any more; the instance ends so when the rest is committed. */
  private finish(outcome: Outcome): void {
    this.last ??= outcome;
    this.stopReading();
    this.endWhenDone();
  }

  private endWhenDone(): void {
    if (this.last !== null && this.committer.isDrained) {
      this.end(this.last);
    } else if (this.committer.isIdle && this.loop?.isComplete === true) {
      this.end({ kind: "complete" });
    }
  }

  /** Ends the instance with a failure; the first end counts. */
  fail(error: unknown): void {
    const text = `task ${this.name} failed (see cause)`;
    const known = error instanceof MillraceError ? error : new MillraceError("HandlerError", text, error);
    this.end({ kind: "failed", error: known });
  }

  private end(outcome: Outcome): void {
    if (this.outcome === null) {
      this.outcome = outcome;
      this.stopReading();
      this.ended.resolve(outcome);
    }
  }

  private stopReading(): void {
    this.isReading = false;
    this.committer.resume();
    this.credits.close();
    this.closeReader();
  }

  private retryOptions(): RetryOptions {
    return { clock: this.options.clock, signal: this.given.signal, stalled: (error) => this.stalled(error) };
  }

  private stalled({ code, message }: PortError): void {
    this.options.emit({ _tag: "Stalled", task: this.name, code, message });
  }
}
