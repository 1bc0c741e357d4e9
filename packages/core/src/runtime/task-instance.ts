/**
 * One owned task at work: reads its partition within its limits, has the records pushed through its operators, and commits.
 * Lives from an acquisition to the next; what it holds in memory is what the store has, plus what is not committed yet.
 */
import { MillraceError } from "../errors.ts";
import { BEFORE_FIRST, type Offset } from "../kernel/offset.ts";
import { decodeTime } from "../kernel/task-time.ts";
import { MAX_UNIT_RECORDS } from "../kernel/unit-limit.ts";
import { sleep } from "../ports/clock.ts";
import type { PortError } from "../ports/port-error.ts";
import type { Commit, Ownership } from "../ports/tasks.ts";
import type { Queue } from "../topology/stage.ts";
import { buildStages, sinksOf, type TaskStages } from "./build-stages.ts";
import { Committer } from "./committer.ts";
import { Credits } from "./credits.ts";
import { Deferred } from "./deferred.ts";
import { dropUnbegun } from "./drop-unbegun.ts";
import { Feed } from "./feed.ts";
import { openStores } from "./open-stores.ts";
import { type RetryOptions, retrying } from "./retrying.ts";
import { Router } from "./router.ts";
import { type ControlHost, refuseOrphans, TaskControl } from "./task-control.ts";
import { type Outcome, type TaskOptions, taskName } from "./task-options.ts";
import type { TaskUnit } from "./task-unit.ts";
import { type LogSnapshot, type Position, UnitLoop } from "./unit-loop.ts";
import { UnitSize } from "./unit-size.ts";

/** What an instance is for. */
export interface InstanceOptions {
  /** Reading ends in front of this record; `null`: nowhere. */
  readonly cut: Offset | null;
  /** Why the task is quarantined where reading ends, at once without a cut; `null`: it is not. */
  readonly quarantine: MillraceError | null;
  /** Redriven letters that have stopped the task, with what they did it by. */
  readonly avoid: Map<string, unknown>;
}

export class TaskInstance {
  private readonly options: TaskOptions;
  private readonly ownership: Ownership;
  private readonly how: InstanceOptions;
  private readonly name: string;
  private readonly committer: Committer;
  private readonly credits: Credits;
  private readonly router: Router;
  private readonly unitSize: UnitSize;
  private readonly given = new AbortController();
  private loop: UnitLoop | null = null;
  private feed: Feed | null = null;
  private stages: TaskStages | null = null;
  private control: TaskControl | null = null;
  private outcome: Outcome | null = null;
  private readonly ended = new Deferred<Outcome>();
  /** Resolves at the very end, when what had settled is committed. */
  private readonly finished = new Deferred<void>();
  /** Reading has ended for good: how the instance ends when the rest is committed. */
  private last: Outcome | null = null;
  /** The stages that wait before they begin. */
  private readonly queues: Queue[] = [];
  private isDone = false;

  constructor(options: TaskOptions, ownership: Ownership, how: InstanceOptions) {
    this.options = options;
    this.ownership = ownership;
    this.how = how;
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
    this.stages?.root.stop();
  }

  /** The writers' table and the end of the partition, as they were a moment ago. */
  onTimes(snapshot: LogSnapshot): void {
    if (this.outcome === null && this.loop !== null) {
      this.loop.onTimes(snapshot);
      this.feed?.tick();
    }
  }

  /** Where the task stands; `null` before it has started. */
  get position(): Position | null {
    return this.loop?.position ?? null;
  }

  /** How many commits of the task the store has acknowledged. */
  get sequence(): number {
    return this.committer.acknowledged;
  }

  get isQuarantined(): boolean {
    return this.control !== null && this.control.quarantine !== null;
  }

  private async start(): Promise<void> {
    const { ref, subTopology, clock } = this.options;
    const time = decodeTime(this.ownership.time);
    if (time === null) {
      throw new MillraceError("DecodeError", `the stored event time of task ${this.name} does not decode`);
    }
    const { stores, sources } = await openStores(this.options, this.retryOptions());
    await refuseOrphans(this.options, stores, this.retryOptions());
    if (this.outcome !== null) {
      return;
    }
    const stages = buildStages({
      options: this.options,
      stores,
      sources,
      resumes: this.ownership.offset !== BEFORE_FIRST && time.watermarkMs !== Number.POSITIVE_INFINITY,
      fail: (error) => this.fail(error),
      again: () => {
        this.loop?.again();
        if (this.committer.isIdle) {
          this.feed?.planTick();
        }
      },
      queues: (queue) => this.queues.push(queue),
    });
    this.stages = stages;
    const loop = new UnitLoop(
      {
        source: subTopology.source,
        at: { topic: ref.topic.name, partition: ref.partition },
        unitSize: this.unitSize,
        fill: subTopology.fill,
        undecodable: stages.undecodable,
        route: (to, record, partition) => this.router.route(to, record, partition),
        nowMs: () => clock.now(),
        opened: (unit) => this.committer.add(unit),
        settled: (unit) => this.onSettled(unit),
        held: (bytes) => this.credits.take(0, bytes),
        parked: () => {
          this.endWhenDone();
          this.feed?.onParked();
        },
        lost: (records) => this.options.emit({ _tag: "Gap", task: this.name, lost: records }),
      },
      stages.root,
      { ...this.ownership, time },
    );
    this.loop = loop;
    this.feed = this.newFeed(loop);
    const work = { options: this.options, entries: stages.entries, stores };
    this.control = new TaskControl(work, this.controlHost(loop, this.feed));
    this.begin(this.control, this.feed);
  }

  private newFeed(loop: UnitLoop): Feed {
    return new Feed(this.options, {
      loop,
      committer: this.committer,
      credits: this.credits,
      from: this.ownership.offset,
      quietMs: this.ownership.quietMs,
      cut: this.how.cut,
      signal: this.given.signal,
      reachedCut: () => this.reachCut(),
      undecodable: (error) => this.finish({ kind: "failed", error }),
      failed: (error) => this.fail(error),
      stalled: (error) => this.stalled(error),
      moved: () => this.endWhenDone(),
    });
  }

  private begin(control: TaskControl, feed: Feed): void {
    const { cut, quarantine } = this.how;
    if (quarantine !== null && cut === null) {
      this.reachCut();
      return;
    }
    feed.hold();
    control.start((push) => this.loop?.pushAside(push));
    if (control.quarantine === null) {
      feed.restoreTime();
    } else {
      const { message, errors } = control.quarantine;
      this.options.emit({ _tag: "Quarantined", task: this.name, message, errors });
    }
    if (cut === null) {
      // Releases the feed when what was asked of the task is done: it comes before what may make the task fail again.
      control.run().catch((error: unknown) => this.fail(error));
    } else {
      feed.release();
    }
  }

  private controlHost(loop: UnitLoop, feed: Feed): ControlHost {
    return {
      hold: () => {
        feed.hold();
        this.committer.resume();
        return this.committer.idle();
      },
      release: () => {
        if (this.control?.quarantine === null) {
          feed.release();
        }
      },
      commit: (pushes, blame) => feed.commit(pushes, blame),
      resumed: () => feed.restoreTime(),
      watermarkMs: () => loop.position.time.watermarkMs,
      avoid: this.how.avoid,
      retry: this.retryOptions(),
    };
  }

  /** Everything in front of the cut was read. */
  private reachCut(): void {
    const { quarantine } = this.how;
    if (quarantine !== null) {
      this.loop?.pushAside(() => this.control?.setQuarantine(quarantine));
    }
    this.finish({ kind: "reachedCut" });
    this.committer.resume();
  }

  private onSettled(unit: TaskUnit): void {
    this.unitSize.settled(unit.records, unit.closedAtMs ?? unit.openedAtMs, this.options.clock.now());
    this.credits.take(0, unit.outputBytes);
    this.committer.kick();
    this.endWhenDone();
  }

  private onApplied(units: readonly TaskUnit[], commit: Commit | null): void {
    let records = 0;
    let outputs = 0;
    for (const unit of units) {
      this.credits.giveBack(unit.records, unit.bytes + unit.outputBytes + unit.waitingBytes);
      records += unit.records;
      outputs += unit.outputCount;
    }
    if (commit !== null) {
      this.options.emit({ _tag: "Committed", task: this.name, offset: commit.offset, records, outputs });
    }
    if (this.loop?.hasMore === true) {
      this.feed?.planTick();
    }
    this.endWhenDone();
  }

  /** No record is read any more; the instance ends so when the rest is committed. */
  private finish(outcome: Outcome): void {
    if (this.outcome === null) {
      this.feed?.closeUnit();
    }
    this.last ??= outcome;
    this.stopReading();
    this.endWhenDone();
  }

  private endWhenDone(): void {
    if (this.last !== null && this.committer.isDrained) {
      this.end(this.last);
    } else if (this.committer.isIdle && this.loop?.isComplete === true && this.feed?.isHeld === false) {
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
      if (outcome.kind === "failed") {
        this.stages?.root.stop();
      }
      this.stopReading();
      this.ended.resolve(outcome);
    }
  }

  private stopReading(): void {
    this.feed?.stop();
    this.committer.resume();
    this.credits.close();
  }

  private retryOptions(): RetryOptions {
    return { clock: this.options.clock, signal: this.given.signal, stalled: (error) => this.stalled(error) };
  }

  private stalled({ code, message }: PortError): void {
    this.options.emit({ _tag: "Stalled", task: this.name, code, message });
  }
}
