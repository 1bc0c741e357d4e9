import type { App, GroupDescription, Log, TopicTimes } from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import type { VirtualClock } from "../virtual-clock.ts";
import type { Activity } from "./activity.ts";
import { type LiveWorker, pendingMoves, pendingWork } from "./caught-up.ts";
import type { DriverSettings } from "./driver-options.ts";
import type { DriverWorker } from "./driver-worker.ts";
import { isMore, pause, quiet, underway } from "./event-loop.ts";
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
  /** How many timers wait that users have set on the driver's clock. */
  readonly userTimers: () => number;
  readonly settings: DriverSettings;
  readonly activity: Activity;
  readonly topics: Topics;
  readonly app: App;
  readonly log: Log;
  readonly workers: () => readonly DriverWorker[];
  readonly isClosed: () => boolean;
}

/** After so much virtual time (ms) it is looked whether the driver was closed. */
const LONGEST_STEP_MS = 60_000;

/** For so long (ms of real time) calls are waited for of which nothing shows that they use real time. */
const SHORT_PATIENCE_MS = 25;

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
    this.waitedAt = -1;
    for (;;) {
      await this.quiet(extent);
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
    this.waitedAt = -1;
    for (;;) {
      await this.quiet("passes");
      if (state.isSettled) {
        return await promise;
      }
      this.refuseIfClosed();
      if (!(await this.passTime(deadlineMs))) {
        await this.lastPatience(what);
      }
    }
  }

  /** Moves time on by exactly so much. */
  async advance(ms: number): Promise<void> {
    const { clock } = this.options;
    const untilMs = clock.now() + ms;
    this.waitedAt = -1;
    await this.rest();
    while (clock.now() < untilMs) {
      this.refuseIfClosed();
      await clock.advance(Math.min(LONGEST_STEP_MS, untilMs - clock.now()));
    }
  }

  /** Resolves when nothing happens any more without virtual time; what the clock waits for at every timer. */
  rest(): Promise<void> {
    return this.quiet("stands");
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
      const text = `${failures.length === 1 ? "worker" : "workers"} ${names} stopped: ${first.error.message}`;
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
  private async lastPatience(what: string): Promise<void> {
    const { settings, activity, workers } = this.options;
    const before = activity.count;
    await this.waitFor(() => settings.realWithinMs);
    if (activity.count !== before) {
      return;
    }
    this.throwFailure();
    const calls = workers().flatMap((worker) => (worker.isLive ? worker.calls.describe() : []));
    const under = calls.length === 0 ? "" : ` Under way: ${calls.join("; ")}.`;
    throw new TestDriverError(
      "NotSettled",
      `after ${settings.withinMs} ms of virtual time and ${settings.realWithinMs} ms of real time still to come: ${what}.${under} ` +
        "A promise that never settles needs a timeout, what takes longer the options within or realWithin; " +
        'send(…, { time: "stands" }) does not wait. Fake timers of a test runner must leave setImmediate alone',
    );
  }

  /** Resolves when nothing happens any more without virtual time. */
  private async quiet(extent: Extent): Promise<void> {
    const { settings, userTimers } = this.options;
    await this.turns();
    if (this.callCount === 0 || this.waitedAt === this.callChanges) {
      return;
    }
    const isBusy = (): boolean =>
      this.live.some(({ calls }) => calls.count > 0 && isMore(underway(), calls.busyBefore));
    const short = extent === "stands" || userTimers() > 0 ? 0 : SHORT_PATIENCE_MS;
    await this.waitFor(() => (isBusy() ? settings.realWithinMs : short));
    this.waitedAt = this.callChanges;
  }

  private async turns(): Promise<void> {
    const { activity } = this.options;
    if (!(await quiet(() => activity.count))) {
      const text = "records are processed without end: does a pipeline read what it has written?";
      throw new TestDriverError("NotSettled", `${text} Its records must become fewer on the way`);
    }
  }

  /** Waits in real time while calls run, as long as each time something happens within the patience (ms) that there is. */
  private async waitFor(patienceMs: () => number): Promise<void> {
    const { activity } = this.options;
    // Counted, not measured: what measures time may be faked.
    for (let waitedMs = 0; waitedMs < patienceMs(); waitedMs += 1) {
      const before = activity.count;
      await pause(1);
      await this.turns();
      if (activity.count !== before && this.callCount === 0) {
        return;
      }
      waitedMs = activity.count === before ? waitedMs : 0;
    }
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
