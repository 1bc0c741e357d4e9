/**
 * One pipeline at work on this worker: its topics exist, its tasks are entered as writers, the worker is a member of the
 * group, and runs the tasks that the group gives it.
 */
import * as E from "fp-ts/lib/Either.js";
import { MillraceError } from "../errors.ts";
import type { RetrySchedule } from "../kernel/retry.ts";
import { tasksIn } from "../kernel/target.ts";
import { parseTaskId } from "../kernel/task-id.ts";
import type { Ports } from "../ports/adapter.ts";
import { type Clock, sleep } from "../ports/clock.ts";
import type { GroupView, MemberRef } from "../ports/group.ts";
import type { TopicInfo } from "../ports/log.ts";
import type { PortError } from "../ports/port-error.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import { compile } from "../topology/compile.ts";
import { footprintOf } from "../topology/footprint.ts";
import { planEntryOf } from "../topology/meaning.ts";
import type { Pipeline } from "../topology/pipeline.ts";
import type { SubTopology } from "../topology/sub-topology.ts";
import { Deferred } from "./deferred.ts";
import { demand } from "./demand.ts";
import { Evolution } from "./evolve.ts";
import { HandOver } from "./hand-over.ts";
import type { Share } from "./limits.ts";
import { watchForLosses } from "./loss-watch.ts";
import type { MemberSettings } from "./member-options.ts";
import { Membership } from "./membership.ts";
import { ensureTopics, registerWriters } from "./plan-topics.ts";
import { TaskRunner, type TaskStatus } from "./task-runner.ts";
import { type TimedTask, TimeKeeper } from "./time-keeper.ts";

/** What running a pipeline needs. */
export interface PipelineRunOptions {
  readonly pipeline: Pipeline;
  /** The consumer group, `<app>.<pipeline>`. */
  readonly group: string;
  /** This worker's name in the group. */
  readonly member: string;
  readonly settings: MemberSettings;
  readonly ports: Ports;
  readonly clock: Clock;
  readonly share: Share;
  readonly restart: RetrySchedule;
  readonly emit: Telemetry;
  /** Stores whose state is to be forgotten; names of other pipelines' stores among them mean nothing. */
  readonly reset: ReadonlySet<string>;
}

/** How long tasks may finish when one of them has failed, or all are complete. */
const STOP_WITHIN_MS = 5_000;
/** How long a worker that stops goes on with its tasks until the others know that they are theirs. */
const HAND_OVER_WITHIN_MS = 1_000;

/** However little time is left: a store that is well answers within milliseconds. */
const LEAVE_WITHIN_MS = 250;

export class PipelineRun {
  private readonly options: PipelineRunOptions;
  private readonly subTopologies: ReadonlyMap<string, SubTopology>;
  private readonly evolution: Evolution;
  private topics: ReadonlyMap<string, TopicInfo> = new Map();
  private membership: Membership | null = null;
  private handOver: HandOver | null = null;
  private readonly timeKeepers = new Map<string, TimeKeeper>();
  private view: GroupView | null = null;
  private failure: { readonly error: unknown } | null = null;
  private isStopping = false;
  private isFinishing = false;
  private isStopped = false;
  private readonly watching = new AbortController();
  private readonly stopped = new Deferred<void>();
  /** Resolves when all tasks of the group are complete, or this worker has stopped; rejects with the first failure. */
  readonly done: Promise<void>;

  constructor(options: PipelineRunOptions) {
    this.options = options;
    const subTopologies = compile(options.pipeline.ends, options.group);
    this.subTopologies = new Map(subTopologies.map((part) => [part.source.name, part]));
    this.evolution = new Evolution({
      ports: options.ports,
      pipeline: options.pipeline.name,
      group: options.group,
      member: options.member,
      footprint: footprintOf(subTopologies),
      reset: options.reset,
    });
    this.done = this.end();
    // The caller may look at `done` later; until then a failure is not unhandled.
    this.done.catch(() => {});
  }

  /** What `reset` can name: the stores that the pipeline has, or had when it ran before. Rejects with `MillraceError`. */
  resettable(): Promise<ReadonlySet<string>> {
    return this.evolution.resettable();
  }

  /**
   * Creates the topics that are missing, enters the tasks as writers, and joins the group: every task of every pipeline
   * counts before the first one runs. Rejects with `MillraceError`, `TopologyMismatch` where the pipeline does not fit the
   * state that the group has.
   */
  async prepare(): Promise<void> {
    const { group, ports } = this.options;
    // Before anything is created for a pipeline that does not fit.
    await this.evolution.check();
    const subTopologies = [...this.subTopologies.values()];
    this.topics = await ensureTopics(ports.log, subTopologies);
    const { members } = await demand(ports.group.snapshot(group));
    const isRunning = members.some(({ expiresInMs }) => expiresInMs > 0);
    await registerWriters(ports.log, { group, subTopologies, topics: this.topics }, isRunning);
    this.membership = this.newMembership();
    await this.membership.join();
  }

  /** Begins to work. */
  start(): void {
    const { membership } = this;
    if (membership === null || this.isStopping) {
      return;
    }
    this.handOver = this.newHandOver(membership);
    for (const topic of this.subTopologies.keys()) {
      this.keepTimeOf(topic);
    }
    membership.run().catch((error: unknown) => this.fail(error));
    this.watch(this.handOver).catch((error: unknown) => this.fail(error));
  }

  /**
   * Lets the others take the tasks over one by one, what was begun finish and commit for up to `withinMs`, then gives up
   * what is left. A later call with less time hastens the first.
   */
  async stop(withinMs: number): Promise<void> {
    const isFirst = !this.isStopping;
    this.isStopping = true;
    const deadlineMs = this.options.clock.now() + withinMs;
    if (isFirst && (this.view?.staying ?? 0) > 1 && !this.isFinishing) {
      await this.offerTasks(Math.min(withinMs / 4, HAND_OVER_WITHIN_MS));
    }
    if (this.isFinishing) {
      this.handOver?.finish();
    } else {
      await this.handOver?.giveAll(Math.max(0, deadlineMs - this.options.clock.now()));
    }
    if (!this.isStopped) {
      this.isStopped = true;
      this.options.share.set(this.options.group, 0);
      await this.leave(deadlineMs - this.options.clock.now());
      for (const keeper of this.timeKeepers.values()) {
        keeper.stop();
      }
      this.watching.abort();
      if (this.view !== null) {
        this.options.emit({ _tag: "Stopped", group: this.options.group });
      }
      this.stopped.resolve();
    }
    await this.stopped.promise;
  }

  /** A store that does not answer is not waited for: the session ends by itself. */
  private async leave(withinMs: number): Promise<void> {
    if (this.membership !== null) {
      const answered = new AbortController();
      void this.membership
        .leave()
        .catch((error: unknown) => this.fail(error))
        .finally(() => answered.abort());
      await sleep(this.options.clock, Math.max(LEAVE_WITHIN_MS, withinMs), answered.signal);
    }
  }

  private async end(): Promise<void> {
    await this.stopped.promise;
    if (this.failure !== null) {
      throw this.failure.error;
    }
  }

  get group(): string {
    return this.options.group;
  }

  status(): readonly TaskStatus[] {
    return (this.handOver?.tasks.runners ?? []).map((runner) => runner.status());
  }

  /** Announces the leave, and waits until the others have been given the tasks. */
  private async offerTasks(withinMs: number): Promise<void> {
    const { clock } = this.options;
    this.membership?.announceLeaving();
    const enough = new AbortController();
    const offered = this.handOver?.offered() ?? Promise.resolve();
    await Promise.race([offered, sleep(clock, withinMs, enough.signal)]);
    enough.abort();
  }

  private newMembership(): Membership {
    const { group, member, settings, ports, clock, emit } = this.options;
    const { sessionMs, revocationMs, weight, host, pid, heartbeatMs } = settings;
    const plan = Object.fromEntries(
      [...this.subTopologies].flatMap(([name, subTopology]) => {
        const topic = this.topics.get(name);
        return topic === undefined ? [] : [[name, planEntryOf(subTopology, topic)]];
      }),
    );
    let joined: MemberRef | null = null;
    return new Membership({
      group: this.evolution.guard(ports.group, this.topics),
      clock,
      heartbeatMs,
      request: { group, member, sessionMs, revocationMs, weight, host, pid, plan },
      confirmed: (ref, view) => {
        if (joined?.instance !== ref.instance) {
          joined = ref;
          emit({ _tag: "Joined", group, member, epoch: view.epoch });
        }
        this.onView(ref, view);
      },
      over: (reason) => {
        emit({ _tag: "SessionLost", group, reason });
        this.handOver?.drop(reason);
      },
      released: () => this.handOver?.look(),
      failed: (error) => {
        this.handOver?.drop(error.message);
        this.fail(error);
      },
      stalled: (error) => this.stalled(error),
    });
  }

  private newHandOver(membership: Membership): HandOver {
    const { group, settings, ports, clock, emit } = this.options;
    return new HandOver({
      group: ports.group,
      clock,
      name: group,
      revocationMs: settings.revocationMs,
      makeRunner: (task, generation) => this.newRunner(task, generation),
      began: (task) => this.timeKeepers.get(parseTaskId(task).topic)?.poke(),
      emit,
      outdated: () => membership.poke(),
      completed: (count) => this.finishIfComplete(count),
      failed: (error, task) => this.fail(error, task),
      stalled: (error) => this.stalled(error),
    });
  }

  /** Looks for lost commits once in a session: then the bound of a take-over holds for what was lost, too. */
  private watch(handOver: HandOver): Promise<void> {
    const { group, ports, clock, settings } = this.options;
    return watchForLosses<TaskRunner>({
      ports,
      group,
      clock,
      everyMs: settings.sessionMs,
      signal: this.watching.signal,
      known: () => handOver.tasks.runners,
      lost: (runner, message) => handOver.setBack(runner, message),
      isWaiting: () => handOver.tasks.complete.length > 0 && !this.isFinishing,
      compare: (snapshot) => handOver.compare(snapshot),
    });
  }

  private onView(ref: MemberRef, view: GroupView): void {
    this.view = view;
    this.handOver?.confirm(ref, view);
    this.options.share.set(this.options.group, this.handOver?.tasks.count ?? 0);
    this.finishIfComplete(view.completed);
  }

  private newRunner(task: string, generation: number): TaskRunner {
    const { group, ports, clock, emit, share: limits, restart } = this.options;
    const { topics } = this;
    const { topic: name, partition } = parseTaskId(task);
    const topic = topics.get(name);
    const subTopology = this.subTopologies.get(name);
    if (topic === undefined || subTopology === undefined || partition >= topic.partitions) {
      throw new MillraceError("InvalidPipeline", `the group gave this worker task ${task}, which is none of its plan`);
    }
    const ref = { group, topic, partition };
    const stirred = (): void => this.timeKeepers.get(name)?.stir();
    const storeName = (store: string): string => this.evolution.storeName(store);
    const what = { ports, clock, ref, subTopology, topics, limits, restart, emit, stirred, storeName };
    return new TaskRunner(what, generation);
  }

  private keepTimeOf(name: string): void {
    const { ports, clock } = this.options;
    const topic = this.topics.get(name);
    if (topic === undefined) {
      return;
    }
    const tasks = (): ReadonlyMap<number, TimedTask> =>
      new Map(
        (this.handOver?.tasks.runners ?? [])
          .filter(({ ref }) => ref.topic.name === name)
          .map((runner) => [
            runner.ref.partition,
            { onTimes: (times) => runner.onTimes(times), fail: (error) => runner.fail(new MillraceError(error)) },
          ]),
      );
    const keeper = new TimeKeeper({ log: ports.log, clock, topic, tasks });
    this.timeKeepers.set(name, keeper);
    keeper.run().catch((error: unknown) => this.fail(error));
  }

  /** All tasks that any member knows of are complete: asked for exactly, since members may know different ones. */
  private finishIfComplete(completed: number): void {
    const own = [...this.subTopologies.keys()].reduce((sum, name) => sum + (this.topics.get(name)?.partitions ?? 0), 0);
    if (completed >= own && !this.isFinishing) {
      this.lookWhetherComplete().catch((error: unknown) => this.fail(error));
    }
  }

  private async lookWhetherComplete(): Promise<void> {
    const { ports, group } = this.options;
    const snapshot = await ports.group.snapshot(group)();
    if (E.isRight(snapshot)) {
      const { completed, members, plan } = snapshot.right;
      const done = new Set(completed);
      // What no member of today can run is nobody's to wait for.
      const known = new Set(members.flatMap(({ runs }) => runs));
      const tasks = tasksIn(plan).filter(({ subTopology }) => known.has(subTopology));
      const own = this.handOver?.tasks;
      // What this worker knows of its own tasks counts more than what a store says that may have lost something.
      if (tasks.every(({ id }) => done.has(id)) && own?.complete.length === own?.runners.length) {
        this.finish();
      }
    }
  }

  private finish(): void {
    if (!this.isFinishing && !this.isStopping) {
      this.isFinishing = true;
      this.options.emit({ _tag: "Finished", group: this.options.group });
      void this.stop(STOP_WITHIN_MS);
    }
  }

  /** One task that stops for good stops the pipeline: the others commit what they have. */
  private fail(error: unknown, task = this.options.group): void {
    if (this.failure === null) {
      this.failure = { error };
      if (error instanceof MillraceError) {
        this.options.emit({ _tag: "Failed", task, error });
      }
      void this.stop(STOP_WITHIN_MS);
    }
  }

  private stalled({ code, message }: PortError): void {
    this.options.emit({ _tag: "Stalled", task: this.options.group, code, message });
  }
}
