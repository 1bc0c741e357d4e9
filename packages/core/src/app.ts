import { randomUUID } from "node:crypto";
import { setMaxListeners } from "node:events";
import * as E from "fp-ts/lib/Either.js";
import { type Observable, type OperatorFunction, Subject } from "rxjs";
import { MillraceError } from "./errors.ts";
import type { Duration } from "./kernel/duration.ts";
import type { RetrySchedule } from "./kernel/retry.ts";
import type { Adapter, Ports } from "./ports/adapter.ts";
import { type Clock, systemClock } from "./ports/clock.ts";
import type { AppEvent } from "./ports/telemetry.ts";
import { type DeadLetters, PipelineLetters } from "./runtime/dead-letters.ts";
import { demand } from "./runtime/demand.ts";
import { describeGroup, type GroupDescription } from "./runtime/describe-group.ts";
import { type Limits, Share } from "./runtime/limits.ts";
import { type MemberOptions, type MemberSettings, memberSettings } from "./runtime/member-options.ts";
import { type ObserveOptions, observeTopic } from "./runtime/observe.ts";
import { PipelineRun } from "./runtime/pipeline-run.ts";
import { openProducer, type Producer, type ProducerOptions } from "./runtime/producer.ts";
import { queryStore } from "./runtime/query-store.ts";
import { type RestartOptions, restartSchedule } from "./runtime/restart.ts";
import { RunningPipelines, refuseUnknownResets, resetOption, startInOrder } from "./runtime/running-pipelines.ts";
import type { TaskStatus } from "./runtime/task-runner.ts";
import { warnOf } from "./runtime/warn.ts";
import type { Any } from "./topology/any.ts";
import { compile } from "./topology/compile.ts";
import { foreignOperators } from "./topology/foreign.ts";
import { checkOptions } from "./topology/options.ts";
import { type Pipeline, refuseForeignCopy } from "./topology/pipeline.ts";
import type { StreamRecord } from "./topology/record.ts";
import { checkName, DEFAULT_PARTITIONS, durationOption, type Topic } from "./topology/topic.ts";

/** What an app is made of. */
export interface AppOptions {
  /** First part of the names of its consumer groups, `<app>.<pipeline>`. */
  readonly name: string;
  /** The store: `redisAdapter({ url })`, `memoryAdapter()`, … */
  readonly adapter: Adapter;
  /** Bounds of what this worker holds in memory. */
  readonly limits?: Limits;
  /** How this worker takes part in consumer groups: its name, its session, its weight. */
  readonly member?: MemberOptions;
  /** How tasks start again whose operators have failed. Default: after 250 ms to 30 s, as often as it takes. */
  readonly restart?: RestartOptions;
  /** Whether `run` refuses pipelines with foreign RxJS operators. Default `false`. */
  readonly strictNative?: boolean;
  /** Default: the system's time. */
  readonly clock?: Clock;
}

const RUN_OPTIONS = ["signal", "reset"];
const APP_OPTIONS = ["name", "adapter", "limits", "member", "restart", "strictNative", "clock"];

/** Pipelines at work on this worker. Disposing it stops them as {@link stop} does. */
export interface Running extends AsyncDisposable {
  /**
   * Resolves when every task of the group is complete, on whichever worker (its input was ended with `producer.end()`, and
   * all of it is processed and committed), or after {@link stop}. Rejects with the `MillraceError` that stopped a pipeline
   * on this worker.
   */
  readonly done: Promise<void>;
  /** How far each task is that this worker runs at the moment. Costs no I/O. */
  status(): readonly TaskStatus[];
  /**
   * Leaves the groups: other workers take the tasks over one by one, each as soon as what was begun of it is finished and
   * committed; without others, it is finished and committed. What was read and not begun is left to the next owner. After `within` (default `"10 s"`) what is left is dropped and
   * will be processed again by the next owner. Idempotent; a later call with less time hastens the first.
   */
  stop(options?: { readonly within?: Duration }): Promise<void>;
}

/** How pipelines are run. */
export interface RunOptions {
  /** Stops the pipelines, as {@link Running.stop} does. */
  readonly signal?: AbortSignal;
  /**
   * Names of stores whose state is forgotten for good: they begin empty, at the position where the pipelines are. Each must be
   * one that a pipeline of this call has, or had when it ran before; else `InvalidOption`. Refused (`TopologyMismatch`) while
   * other workers of the group run. A worker that is started with it again resets again. Default: none.
   */
  readonly reset?: readonly string[];
}

/** A program's connection to a store. Disposing it closes it. */
export interface App extends AsyncDisposable {
  readonly name: string;
  /**
   * What happens in all pipelines of the app. Subscribe before `run`, and nothing is missed. While nobody has subscribed,
   * tasks that fail or are quarantined are told by `process.emitWarning`.
   */
  readonly events$: Observable<AppEvent>;
  /**
   * Runs pipelines: creates the topics that are missing, and joins the consumer groups. The tasks of a group are shared
   * among its workers and follow soon; `events$` tells of them. Rejects with `MillraceError` when the store cannot be used,
   * a topic has another number of partitions, the group's workers run another pipeline under that name, or the pipeline does
   * not fit the state that the group has (`TopologyMismatch`, docs/guides/evolution.md); then nothing runs.
   */
  run(pipelines: Pipeline | readonly Pipeline[], options?: RunOptions): Promise<Running>;
  /**
   * Who the workers of a pipeline's group are, which tasks they have, and how far these are, whether or not this app runs
   * the pipeline. Rejects with `MillraceError` when the store cannot be asked.
   */
  describeGroup(pipeline: Pipeline | string): Promise<GroupDescription>;
  /** The values that the pipeline's operators failed to process, to list, redrive or discard. Needs no worker but to redrive and discard. */
  deadLetters(pipeline: Pipeline): DeadLetters;
  /**
   * Has the quarantined tasks of a pipeline go on; returns how many there were. A task whose operator fails again is
   * quarantined again. Rejects with `NoWorker` when workers take longer than `within` (default `"1 minute"`); it is then
   * still done as soon as they run.
   */
  resume(pipeline: Pipeline, options?: { readonly within?: Duration }): Promise<number>;
  /**
   * What an operator of a pipeline knows of a key, from any process, whether or not a worker runs: its results as of the last
   * commit. Of `aggregate` one or none; of `window` the windows that are open for the key, by start. The operator is the one that
   * the pipeline was made with, which types the results; or the name of its store.
   *
   * The answer is as old as the way to Redis is long, and several reads are not one moment. A key whose `ttl` is over may still
   * be there. Costs one or two round trips; of `tumbling` and `hopping`, where more than 1,000 windows are open, one for each
   * start of a window. Rejects with `InvalidOption` when there is no such store, `DecodeError` when this version cannot read it.
   */
  queryStore<B>(pipeline: Pipeline, store: OperatorFunction<Any, B>, key: string): Promise<readonly B[]>;
  queryStore(pipeline: Pipeline, store: string, key: string): Promise<readonly unknown[]>;
  /** Opens a producer of a topic, which is created where it is missing. Rejects with `MillraceError`. */
  producer<A>(topic: Topic<A>, options?: ProducerOptions): Promise<Producer<A>>;
  /** The committed records of a topic, read-only. */
  observe<A>(topic: Topic<A>, options?: ObserveOptions): Observable<StreamRecord<A>>;
  /**
   * Stops what runs, gives up what producers have not stored yet (close them first), completes observers, and frees the
   * connections. Idempotent.
   */
  close(): Promise<void>;
}

/**
 * Makes an app. Nothing is connected before its first call. Throws `InvalidName`, or `InvalidOption` for options of the
 * member that do not go together.
 *
 * @example
 * ```ts
 * await using app = createApp({ name: "billing", adapter: redisAdapter({ url: "redis://127.0.0.1:6379" }) });
 * const running = await app.run(regionTotals);
 * await running.done;
 * ```
 */
export function createApp(options: AppOptions): App {
  checkOptions("createApp", options, APP_OPTIONS);
  checkName("app", options.name);
  return new PortsApp(options);
}

class PortsApp implements App {
  readonly name: string;
  readonly events$: Observable<AppEvent>;
  private readonly options: AppOptions;
  private readonly clock: Clock;
  private readonly events = new Subject<AppEvent>();
  private readonly settings: MemberSettings;
  private readonly member: string;
  private readonly share: Share;
  private readonly restart: RetrySchedule;
  private readonly running = new Set<RunningPipelines>();
  /** Runs that are on their way. */
  private readonly starting = new Set<Promise<unknown>>();
  private closed: Promise<void> | null = null;
  private ports: Promise<Ports> | null = null;
  private readonly closing = new AbortController();

  constructor(options: AppOptions) {
    this.name = options.name;
    this.options = options;
    this.clock = options.clock ?? systemClock;
    this.settings = memberSettings(options.member);
    this.share = new Share(options.limits ?? {});
    this.restart = restartSchedule(options.restart ?? {});
    this.member = this.settings.id ?? randomUUID();
    this.events$ = this.events.asObservable();
    // Every producer and every observer listens.
    setMaxListeners(0, this.closing.signal);
  }

  async run(pipelines: Pipeline | readonly Pipeline[], options: RunOptions = {}): Promise<Running> {
    checkOptions("run", options, RUN_OPTIONS);
    const reset = resetOption(options.reset);
    const list = "ends" in pipelines ? [pipelines] : pipelines;
    const groups = list.map(({ name }) => this.groupOf(name));
    const twice = groups.find((group, index) => groups.indexOf(group) !== index);
    if (twice !== undefined) {
      throw new MillraceError("InvalidPipeline", `two pipelines would be the group "${twice}": give one another name`);
    }
    for (const each of list) {
      refuseForeignCopy(each);
      this.refuseForeign(each);
    }
    const ports = await this.open();
    await this.refuseWhatRuns(groups);
    const runs = list.map(
      (pipeline) =>
        new PipelineRun({
          pipeline,
          group: this.groupOf(pipeline.name),
          member: this.member,
          settings: this.settings,
          ports,
          clock: this.clock,
          share: this.share,
          restart: this.restart,
          emit: (event) => this.tell(event),
          reset,
        }),
    );
    const start = this.startAll(runs, reset);
    this.starting.add(start);
    try {
      await start;
    } finally {
      this.starting.delete(start);
    }
    const running = new RunningPipelines(runs);
    this.running.add(running);
    const stop = (): void => void running.stop();
    options.signal?.addEventListener("abort", stop, { once: true });
    const forget = (): void => {
      this.running.delete(running);
      options.signal?.removeEventListener("abort", stop);
    };
    running.done.then(forget, forget);
    if (options.signal?.aborted === true) {
      await running.stop();
    }
    return running;
  }

  async describeGroup(pipeline: Pipeline | string): Promise<GroupDescription> {
    const name = typeof pipeline === "string" ? pipeline : pipeline.name;
    checkName("pipeline", name);
    const group = this.groupOf(name);
    return describeGroup(await this.open(), group);
  }

  deadLetters(pipeline: Pipeline): DeadLetters {
    return this.lettersOf(pipeline);
  }

  async resume(pipeline: Pipeline, options: { readonly within?: Duration } = {}): Promise<number> {
    const withinMs = durationOption("resume: within", options.within) ?? 60_000;
    return await this.lettersOf(pipeline).resume(withinMs);
  }

  async queryStore<B>(
    { name, ends }: Pipeline,
    store: OperatorFunction<Any, B> | string,
    key: string,
  ): Promise<readonly B[]> {
    const group = this.groupOf(name);
    const ports = await this.open();
    return await queryStore({ ports, pipeline: name, group, subTopologies: compile(ends, group) }, store, key);
  }

  async producer<A>(topic: Topic<A>, options: ProducerOptions = {}): Promise<Producer<A>> {
    const ports = await this.open();
    const { name, partitions } = topic;
    const info = await demand(ports.log.ensureTopic({ name, partitions, defaultPartitions: DEFAULT_PARTITIONS }));
    const emit = (event: AppEvent): void => this.tell(event);
    const { signal: closing } = this.closing;
    const signal = options.signal === undefined ? closing : AbortSignal.any([closing, options.signal]);
    return openProducer(topic, { ports, clock: this.clock, info, emit }, { ...options, signal });
  }

  observe<A>(topic: Topic<A>, options: ObserveOptions = {}): Observable<StreamRecord<A>> {
    const { signal } = this.closing;
    return observeTopic(topic, () => this.open(), { ...options, clock: this.clock, signal });
  }

  close(): Promise<void> {
    this.closed ??= this.shutDown();
    return this.closed;
  }

  private async shutDown(): Promise<void> {
    this.closing.abort();
    // A run on its way is told, and leaves what it has joined.
    await Promise.allSettled(this.starting);
    await Promise.all([...this.running].map((running) => running.stop()));
    const ports = await this.ports?.catch(() => null);
    await ports?.close();
    this.events.complete();
  }

  /** Starts all, or none. */
  private async startAll(runs: readonly PipelineRun[], reset: ReadonlySet<string>): Promise<void> {
    try {
      await refuseUnknownResets(runs, reset);
      await startInOrder(runs, () => this.refuseIfClosed());
    } catch (error) {
      await Promise.all(runs.map((run) => run.stop(0)));
      throw error;
    }
  }

  /** A group has one place for this worker: a run that stops is waited for, one that goes on is not replaced. */
  private async refuseWhatRuns(groups: readonly string[]): Promise<void> {
    const rivals = [...this.running].filter((running) => running.groups.some((group) => groups.includes(group)));
    const going = rivals.find((running) => !running.isStopping);
    if (going !== undefined) {
      throw new MillraceError(
        "InvalidPipeline",
        `app "${this.name}" already runs ${going.groups.join(", ")}: stop it first`,
      );
    }
    await Promise.all(rivals.map((running) => running.stop()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  private tell(event: AppEvent): void {
    if (!this.events.observed) {
      warnOf(event);
    }
    this.events.next(event);
  }

  /** A pipeline with foreign operators does not run where none are wanted. */
  private refuseForeign({ name, ends }: Pipeline): void {
    const foreign = this.options.strictNative === true ? foreignOperators(ends) : [];
    if (foreign.length > 0) {
      const text = `pipeline "${name}" has foreign operators, which strictNative refuses: ${foreign.join(", ")}`;
      throw new MillraceError("InvalidPipeline", text);
    }
  }

  private lettersOf({ name, ends }: Pipeline): PipelineLetters {
    const group = this.groupOf(name);
    return new PipelineLetters({
      group,
      subTopologies: compile(ends, group),
      open: () => this.open(),
      clock: this.clock,
      signal: this.closing.signal,
    });
  }

  private groupOf(pipelineName: string): string {
    const group = `${this.name}.${pipelineName}`;
    checkName("group", group);
    return group;
  }

  private async open(): Promise<Ports> {
    this.refuseIfClosed();
    this.ports ??= this.connect();
    return this.ports;
  }

  private refuseIfClosed(): void {
    if (this.closing.signal.aborted) {
      throw new MillraceError("Closed", `app "${this.name}" is closed`);
    }
  }

  private async connect(): Promise<Ports> {
    const opened = await this.options.adapter.open()();
    if (E.isLeft(opened)) {
      // The next call may find the store in order.
      this.ports = null;
      throw new MillraceError(opened.left);
    }
    return opened.right;
  }
}
