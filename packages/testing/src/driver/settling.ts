import type { App, GroupDescription, Log, TopicTimes } from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import type { VirtualClock } from "../virtual-clock.ts";
import type { Activity } from "./activity.ts";
import { type LiveWorker, pendingMoves, pendingWork } from "./caught-up.ts";
import type { DriverSettings } from "./driver-options.ts";
import type { DriverWorker } from "./driver-worker.ts";
import { isMore, pause, quiet, refuseFakes, underway } from "./event-loop.ts";
import { TestDriverError } from "./test-driver-error.ts";
import type { Topics } from "./topics.ts";

/**
 * How far a call goes on: `"stands"`: until nothing happens without time; `"group"`: also until tasks and event time are where they
 * belong; `"passes"`: also until records are processed.
 */
export type Extent = "stands" | "group" | "passes";

/** What settling needs. */
export interface SettlingOptions {
  readonly clock: VirtualClock;
  /** Whether a call may wait for virtual time: a timer waits that a user has set on the clock, or nobody knows of any. */
  readonly mayWaitForTime: () => boolean;
  readonly settings: DriverSettings;
  readonly activity: Activity;
  readonly topics: Topics;
  readonly app: App;
  readonly log: Log;
  readonly workers: () => readonly DriverWorker[];
  readonly isClosed: () => boolean;
  /** How many calls of the driver wait for the one that settles. */
  readonly callsBehind: () => number;
}

/** After so much virtual time (ms) it is looked whether the driver was closed. */
const LONGEST_STEP_MS = 60_000;

/** Causes may go round in a circle. */
const MOST_CAUSES = 10;

/** Lets workers catch up: in real time as long as users' calls need it, in virtual time as far as it must. */
export class Settling {
  private readonly options: SettlingOptions;
  /** As of which change of the calls real time was waited for in vain. */
  private waitedAt = -1;

  constructor(options: SettlingOptions) {
    this.options = options;
  }

  /** Resolves when the workers have caught up. Rejects with `WorkerFailed`, or `NotSettled`. */
  async settle(extent: Extent): Promise<void> {
    const { clock, settings } = this.options;
    const deadlineMs = clock.now() + settings.withinMs;
    // Who waits for records waits anew for calls that were waited for in vain before.
    this.waitedAt = extent === "passes" ? -1 : this.waitedAt;
    for (;;) {
      await this.rest();
      this.refuseIfClosed();
      const pending = extent === "stands" ? null : await this.pending(extent);
      if (pending === null) {
        this.throwFailure();
        return;
      }
      if (!(await this.passTime(deadlineMs))) {
        await this.lastPatience(pending);
      }
    }
  }

  /** Lets time pass until a promise settles, and returns what it resolves to. Rejects as it does, or with `NotSettled`. */
  async until<B>(what: string, promise: PromiseLike<B>): Promise<B> {
    const { clock, settings } = this.options;
    const deadlineMs = clock.now() + settings.withinMs;
    const state = { isSettled: false };
    const settled = (): void => {
      state.isSettled = true;
    };
    promise.then(settled, settled);
    for (;;) {
      await this.rest(() => state.isSettled);
      if (state.isSettled) {
        return await promise;
      }
      this.refuseIfClosed();
      if (!(await this.passTime(deadlineMs))) {
        await this.lastPatience(what, () => state.isSettled);
      }
    }
  }

  /** Moves time on by exactly so much. */
  async advance(ms: number): Promise<void> {
    const { clock } = this.options;
    const untilMs = clock.now() + ms;
    await this.rest();
    while (clock.now() < untilMs) {
      this.refuseIfClosed();
      await clock.advance(Math.min(LONGEST_STEP_MS, untilMs - clock.now()));
    }
  }

  /**
   * Resolves when nothing happens any more without virtual time, or when `isOver`; what the clock waits for at every timer. While users'
   * calls are open and none of them can wait for virtual time, they are at work in real time, whether or not Node shows it.
   */
  async rest(isOver: () => boolean = () => false): Promise<void> {
    const { settings, mayWaitForTime, isClosed } = this.options;
    await this.turns();
    const isEnough = (): boolean => this.callCount === 0 || isOver() || isClosed();
    if (isEnough() || this.waitedAt === this.callChanges) {
      return;
    }
    await this.waitFor(() => (!mayWaitForTime() || this.isBusy ? settings.realWithinMs : 0), isEnough);
    this.waitedAt = isEnough() ? this.waitedAt : this.callChanges;
  }

  /** Throws `WorkerFailed` where workers have failed, and nobody was told. Others have failed as well when they took over. */
  throwFailure(): void {
    const failures = this.options.workers().flatMap((worker) => {
      const error = worker.takeFailure();
      return error === null ? [] : [{ name: worker.name, error }];
    });
    const [first] = failures;
    if (first !== undefined) {
      const names = failures.map(({ name }) => name).join(", ");
      const text = `${failures.length === 1 ? "worker" : "workers"} ${names} stopped: ${first.error.message}${rootOf(first.error)}`;
      throw new TestDriverError("WorkerFailed", text, first.error);
    }
  }

  /** Rejects once the driver is closed, so that nothing goes on behind the test. */
  private refuseIfClosed(): void {
    if (this.options.isClosed()) {
      throw new TestDriverError("Closed", "the test driver was closed before the call had ended");
    }
  }

  /** Moves on to the next timer; `false`: there is none in time. */
  private async passTime(deadlineMs: number): Promise<boolean> {
    const { clock } = this.options;
    const ms = clock.untilNext();
    if (clock.now() + ms > deadlineMs) {
      return false;
    }
    await clock.advance(ms);
    return true;
  }

  /** Virtual time does not help. Whatever goes on without a trace has real time for the last time. */
  private async lastPatience(what: string, isOver: () => boolean = () => false): Promise<void> {
    const { settings, activity, isClosed } = this.options;
    const before = activity.count;
    const hasMoved = (): boolean => activity.count !== before && this.callCount === 0;
    await this.waitFor(
      () => settings.realWithinMs,
      () => hasMoved() || isOver() || isClosed(),
    );
    if (activity.count !== before || isOver() || isClosed()) {
      return;
    }
    this.throwFailure();
    throw new TestDriverError("NotSettled", this.notSettled(what));
  }

  private notSettled(what: string): string {
    const { settings, workers, callsBehind } = this.options;
    const calls = workers().flatMap((worker) => (worker.isLive ? worker.calls.describe() : []));
    const under = calls.length === 0 ? "" : ` Under way: ${calls.join("; ")}.`;
    const behind = callsBehind();
    const waiting =
      behind === 0
        ? ""
        : ` ${behind === 1 ? "1 call" : `${behind} calls`} of the driver ${behind === 1 ? "waits" : "wait"} behind this one: ` +
          "a handler, or a promise given to until(), that waits for a call of the driver waits for ever.";
    return (
      `after ${settings.withinMs} ms of virtual time and ${settings.realWithinMs} ms of real time still to come: ${what}.` +
      `${under}${waiting} A promise that never settles needs a timeout, what takes longer the options within or realWithin; ` +
      'send(…, { time: "stands" }) does not wait for the end of calls'
    );
  }

  private async turns(): Promise<void> {
    const { activity } = this.options;
    refuseFakes();
    if (!(await quiet(() => activity.count))) {
      const text = "records are processed without end: does a pipeline read what it has written?";
      throw new TestDriverError("NotSettled", `${text} Its records must become fewer on the way`);
    }
  }

  /** Waits in real time until it is enough, as long as each time something happens within the patience (ms) that there is. */
  private async waitFor(patienceMs: () => number, isEnough: () => boolean): Promise<void> {
    const { activity } = this.options;
    // Counted, not measured: what measures time may be faked.
    for (let waitedMs = 0; waitedMs < patienceMs(); waitedMs += 1) {
      const before = activity.count;
      await pause(1);
      await this.turns();
      if (isEnough()) {
        return;
      }
      waitedMs = activity.count === before ? waitedMs : 0;
    }
  }

  /** Whether the process shows work that has begun since calls are open. */
  private get isBusy(): boolean {
    return this.live.some(({ calls }) => calls.count > 0 && isMore(underway(), calls.busyBefore));
  }

  private get live(): readonly DriverWorker[] {
    return this.options.workers().filter(({ isLive }) => isLive);
  }

  private get callCount(): number {
    return this.live.reduce((sum, { calls }) => sum + calls.count, 0);
  }

  private get callChanges(): number {
    return this.live.reduce((sum, { calls }) => sum + calls.changes, 0);
  }

  /** What is still to come, or the first that was found; `null`: nothing. */
  private async pending(extent: "group" | "passes"): Promise<string | null> {
    const { live } = this;
    const stopping = live.find(({ isStopping }) => isStopping);
    if (stopping !== undefined) {
      return `worker ${stopping.name} is about to stop`;
    }
    if (extent === "passes" && this.callCount > 0) {
      return "the end of calls";
    }
    for (const group of new Set(live.flatMap(({ groups }) => groups))) {
      const description = await this.options.app.describeGroup(group.slice(this.options.settings.name.length + 1));
      const times = await this.times(description);
      const workers = live.filter(({ groups }) => groups.includes(group)).map((worker) => asLive(worker, group, times));
      const found =
        pendingMoves(description, workers) ?? (extent === "passes" ? pendingWork(description, workers) : null);
      if (found !== null) {
        return found;
      }
    }
    return null;
  }

  /** The times of all topics that a group reads. */
  private async times({ tasks }: GroupDescription): Promise<ReadonlyMap<string, TopicTimes>> {
    const times = new Map<string, TopicTimes>();
    for (const name of new Set(tasks.map(({ task }) => parseTask(task).topic))) {
      const info = this.options.topics.find(name);
      const found = info === undefined ? null : await this.options.log.times(info)();
      if (found !== null && E.isRight(found)) {
        times.set(name, found.right);
      }
    }
    return times;
  }
}

function asLive(worker: DriverWorker, group: string, times: ReadonlyMap<string, TopicTimes>): LiveWorker {
  const { sightings } = worker;
  const tasks = worker.tasks();
  return {
    name: worker.name,
    isUpToDate: ({ epoch, generation }) => {
      const view = sightings.view(group);
      return view !== null && view.proposal === null && view.epoch === epoch && view.generation === generation;
    },
    doing: (task) => tasks.get(`${group}/${task}`) ?? "nothing",
    knowsTime: (task) => {
      const { topic, partition } = parseTask(task);
      const now = times.get(topic);
      return now === undefined || sightings.isUpToDate(group, topic, partition, now);
    },
    waitsFor: (task) => {
      const { topic, partition } = parseTask(task);
      return worker.waitsFor(group, topic, partition);
    },
  };
}

/** Names of topics hold no slash. */
function parseTask(task: string): { readonly topic: string; readonly partition: number } {
  const [topic = "", partition = ""] = task.split("/");
  return { topic, partition: Number(partition) };
}

/** What was thrown first, for people: the errors around it do not repeat it. */
function rootOf(error: Error): string {
  let root: unknown = error;
  for (let depth = 0; depth < MOST_CAUSES && root instanceof Error && root.cause !== undefined; depth += 1) {
    root = root.cause;
  }
  return root === error ? "" : ` (${root instanceof Error ? `${root.name}: ${root.message}` : String(root)})`;
}
