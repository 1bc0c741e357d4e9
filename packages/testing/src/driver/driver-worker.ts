import { type AppEvent, createApp, type MillraceError, type Pipeline, type Running } from "@millrace/core";
import type { MemoryAdapter } from "../memory-adapter.ts";
import type { VirtualClock } from "../virtual-clock.ts";
import type { Activity } from "./activity.ts";
import type { DriverSettings } from "./driver-options.ts";
import { type GatedAdapter, gatedAdapter } from "./gated-adapter.ts";
import { OpenCalls } from "./open-calls.ts";
import { aroundCalls, longestFillMs } from "./plan.ts";
import { Sightings } from "./sightings.ts";
import type { WorkerDescription } from "./test-driver.ts";
import type { Topics } from "./topics.ts";
import { WorkerGate } from "./worker-gate.ts";

/** What workers share. */
export interface WorkerSurroundings {
  readonly adapter: MemoryAdapter;
  readonly clock: VirtualClock;
  readonly topics: Topics;
  readonly settings: DriverSettings;
  readonly activity: Activity;
  readonly emit: (event: AppEvent) => void;
}

/** One worker: an app of its own behind a gate. */
export class DriverWorker implements WorkerDescription {
  readonly name: string;
  readonly pipelines: readonly Pipeline[];
  readonly sightings: Sightings;
  readonly calls: OpenCalls;
  /** What ran last under its name: not a release that was refused. `null`: nothing yet. */
  startedWith: readonly Pipeline[] | null = null;
  /** When pauses of calls that are to be repeated are over (ms), by task. */
  private readonly retries = new Map<string, number>();
  /** Groups that it has left. */
  private readonly left = new Set<string>();
  /** For how long a batch of a pipeline waits at most (ms). */
  private readonly longestFillMs: number;
  private readonly around: WorkerSurroundings;
  private readonly gate = new WorkerGate();
  private readonly adapter: GatedAdapter;
  private running: Running | null = null;
  private end: "crashed" | "removed" | "finished" | "failed" | null = null;
  private ended = -1;
  private isFrozen = false;
  private hasFailed = false;
  private isLeaving = false;
  private failure: MillraceError | null = null;

  constructor(name: string, pipelines: readonly Pipeline[], around: WorkerSurroundings) {
    this.name = name;
    this.pipelines = pipelines;
    this.around = around;
    this.calls = new OpenCalls(around.activity, this.gate);
    this.longestFillMs = Math.max(0, ...pipelines.map(longestFillMs));
    this.sightings = new Sightings(around.clock);
    const { gate, sightings } = this;
    const { activity, topics } = around;
    this.adapter = gatedAdapter(around.adapter, { gate, sightings, activity, topics });
  }

  get state(): WorkerDescription["state"] {
    return this.end ?? (this.isFrozen ? "frozen" : "running");
  }

  /** Whether it can do anything. */
  get isLive(): boolean {
    return this.state === "running";
  }

  /** A pipeline has failed, and the others are about to stop. */
  get isStopping(): boolean {
    return this.isLive && this.hasFailed;
  }

  /** Joins its groups. Rejects with the `MillraceError` of `app.run`. */
  async start(): Promise<void> {
    const { name: app, sessionMs, restart, limits } = this.around.settings;
    const { clock, emit } = this.around;
    const made = createApp({
      name: app,
      adapter: this.adapter,
      clock: this.gate.clock(clock),
      member: { id: this.name, session: `${sessionMs} ms` },
      restart,
      limits,
    });
    made.events$.subscribe((event) => this.gate.let(() => this.happened(event, emit)));
    try {
      this.running = await made.run(this.pipelines.map((pipeline) => aroundCalls(pipeline, this.calls.handler)));
    } catch (error) {
      this.finish("failed");
      throw error;
    }
    this.startedWith = this.pipelines;
    this.running.done.then(
      () => this.finish(this.isLeaving ? "removed" : "finished"),
      (error: MillraceError) => {
        this.failure = error;
        this.finish("failed");
      },
    );
  }

  /** Leaves in good order. */
  async stop(): Promise<void> {
    this.isLeaving = true;
    await this.running?.stop();
  }

  /** Dies at once. */
  crash(): void {
    this.gate.close();
    this.finish("crashed");
  }

  freeze(): void {
    this.isFrozen = true;
    this.gate.freeze();
  }

  thaw(): void {
    this.isFrozen = false;
    this.gate.thaw();
  }

  /** Why it has failed, unless that was asked before. */
  takeFailure(): MillraceError | null {
    const { failure } = this;
    this.failure = null;
    return failure;
  }

  /** The groups that it has joined, or is about to join, and has not left. */
  get groups(): readonly string[] {
    const groups = this.pipelines.map(({ name }) => `${this.around.settings.name}.${name}`);
    return groups.filter((group) => !this.left.has(group));
  }

  /** The tasks that it runs; `"paused"`: quarantined, or in front of a restart. */
  tasks(): ReadonlyMap<string, "running" | "paused"> {
    const statuses = this.running?.status() ?? [];
    return new Map(statuses.map(({ task, state }) => [task, state === "running" ? "running" : "paused"]));
  }

  /** As {@link LiveWorker.waitsFor}. */
  waitsFor(group: string, topic: string, partition: number): string | null {
    const nowMs = this.around.clock.now();
    if (this.calls.runsFor(topic, partition)) {
      return this.calls.describe().join(", ");
    }
    if ((this.retries.get(`${group}/${topic}/${partition}`) ?? nowMs) > nowMs) {
      return "the repetition of a call";
    }
    const isFilling = nowMs < this.sightings.readAt(topic, partition) + this.longestFillMs;
    return isFilling ? "a batch to be filled" : null;
  }

  /** When it has ended, in the order of what happens; `-1`: not yet. */
  get endedAt(): number {
    return this.ended;
  }

  private finish(end: NonNullable<typeof this.end>): void {
    if (this.end === null) {
      this.end = end;
      this.ended = this.around.activity.count;
    }
    this.adapter.close();
    this.around.activity.note();
  }

  private happened(event: AppEvent, emit: (event: AppEvent) => void): void {
    this.around.activity.note();
    if (event._tag === "Retried") {
      const untilMs = this.around.clock.now() + event.pauseMs;
      this.retries.set(event.task, Math.max(untilMs, this.retries.get(event.task) ?? 0));
    }
    if (event._tag === "Stopped") {
      this.left.add(event.group);
    }
    this.hasFailed ||= event._tag === "Failed";
    emit(event);
  }
}
