import { type App, createApp, type Pipeline } from "@millrace/core";
import { Activity } from "../driver/activity.ts";
import { demand } from "../driver/demand.ts";
import { driverSettings } from "../driver/driver-options.ts";
import { positionsOf } from "../driver/positions.ts";
import { Settling } from "../driver/settling.ts";
import type { CommittedPosition, TestDriverOptions } from "../driver/test-driver.ts";
import { Topics } from "../driver/topics.ts";
import { Workers } from "../driver/workers.ts";
import { memoryAdapter } from "../memory-adapter.ts";
import { createVirtualClock, type VirtualClock } from "../virtual-clock.ts";

/** How a stage is made. */
export interface StageOptions extends Pick<TestDriverOptions, "session" | "restart" | "limits" | "name" | "within"> {
  /** Partitions of topics that declare none. */
  readonly partitions: number;
  /** Default: one of its own, from the start of 2024. */
  readonly clock?: VirtualClock | undefined;
}

/** For workers to find their places before the diagram begins, in ms. */
const LEAD_MS = 1_000;

/**
 * What the test driver is made of, with time apart: nothing here lets time pass but {@link prepare} and {@link pass}, so that what is
 * drawn in a column happens in it, also while workers come and go.
 */
export class Stage {
  readonly clock: VirtualClock;
  readonly app: App;
  private readonly pipelines: readonly Pipeline[];
  private readonly workers: Workers;
  private readonly settling: Settling;
  /** What workers that start and stop have run into. */
  private readonly failures: unknown[] = [];

  static async open(pipelines: readonly Pipeline[], options: StageOptions): Promise<Stage> {
    const { clock = createVirtualClock(), ...others } = options;
    const settings = driverSettings(others);
    const topics = new Topics(settings.partitions);
    // Everything that was ever written can be read.
    const adapter = topics.watchedAdapter(memoryAdapter({ clock, maxBytesPerPartition: Number.POSITIVE_INFINITY }));
    const app = createApp({ name: settings.name, adapter, clock });
    const { log } = await demand(adapter.open());
    const activity = new Activity();
    const workers = new Workers({ adapter, clock, topics, settings, activity });
    const settling = new Settling({
      clock,
      // The clock may be the test's own, on which nobody counts who waits.
      mayWaitForTime: () => true,
      settings,
      activity,
      topics,
      app,
      log,
      workers: () => workers.all,
      isClosed: () => false,
      callsBehind: () => 0,
    });
    return new Stage({ pipelines, clock, app, workers, settling });
  }

  private constructor(parts: {
    readonly pipelines: readonly Pipeline[];
    readonly clock: VirtualClock;
    readonly app: App;
    readonly workers: Workers;
    readonly settling: Settling;
  }) {
    this.pipelines = parts.pipelines;
    this.clock = parts.clock;
    this.app = parts.app;
    this.workers = parts.workers;
    this.settling = parts.settling;
  }

  /** Lets time pass until the workers so far have their tasks, and then to a whole second. */
  async prepare(): Promise<void> {
    // Options that no app takes: nobody would ever find its place.
    await this.pass(0);
    await this.settling.settle("group");
    this.throwFailure();
    await this.pass(LEAD_MS - (this.clock.now() % LEAD_MS));
  }

  /** Starts a worker, or one that has ended again under its name. */
  start(name: string): void {
    const old = this.workers.all.find((worker) => worker.name === name);
    const worker =
      old === undefined ? this.workers.add(name, this.pipelines) : this.workers.replace(old, old.pipelines);
    worker.start().catch((error: unknown) => this.failures.push(error));
  }

  /** Has a worker leave in good order. */
  remove(name: string): void {
    const leaving = this.workers.find("owner", name, ["running"]).stop();
    leaving.catch((error: unknown) => this.failures.push(error));
  }

  /** Kills a worker. */
  crash(name: string): void {
    this.workers.find("owner", name, ["running"]).crash();
  }

  /** Whether a worker of that name is there, and was not killed. */
  isAlive(name: string): boolean {
    return this.workers.all.some((worker) => worker.name === name && worker.state === "running");
  }

  /** Lets exactly so much time pass, timer by timer. Rejects with what a worker has failed with. */
  async pass(ms: number): Promise<void> {
    await this.settling.advance(ms);
    this.throwFailure();
  }

  /** Lets time pass until a promise settles. */
  until<B>(what: string, promise: Promise<B>): Promise<B> {
    return this.settling.until(what, promise);
  }

  /** The tasks of the first pipeline that reads a topic. */
  async tasksOf(topic: string): Promise<readonly CommittedPosition[]> {
    const positions = await positionsOf(this.app, topic, this.pipelines);
    return positions.filter(({ pipeline }) => pipeline === positions[0]?.pipeline);
  }

  /** Ends everything at once. */
  async close(): Promise<void> {
    for (const worker of this.workers.all) {
      worker.crash();
    }
    await this.app.close();
  }

  private throwFailure(): void {
    this.settling.throwFailure();
    const [failure] = this.failures.splice(0);
    if (failure !== undefined) {
      throw failure;
    }
  }
}
