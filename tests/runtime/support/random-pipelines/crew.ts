/** The workers of a random pipeline: they come, crash and go. */
import { type Adapter, type App, type Clock, createApp, type Pipeline, type Running } from "@millrace/core";
import { type FaultyAdapter, faultyAdapter } from "../faulty-adapter.ts";
import type { Scenario } from "./scenario.ts";
import type { Caller } from "./world.ts";

interface Worker extends Caller {
  readonly app: App;
  readonly adapter: FaultyAdapter;
  readonly running: Running;
}

export interface CrewOptions {
  readonly store: Adapter;
  readonly clock: Clock;
  readonly random: () => number;
  readonly faults: Pick<Scenario, "rate" | "latencyMs" | "maxRecords">;
  /** The pipeline as one worker has it. */
  readonly build: (caller: Caller) => Pipeline;
  /** Lets time pass until a promise settles. */
  readonly settle: <A>(promise: Promise<A>) => Promise<A>;
}

const MOST = 3;

export class Crew {
  private readonly options: CrewOptions;
  private workers: Worker[] = [];
  private hired = 0;
  private failure: { readonly error: unknown } | null = null;

  constructor(options: CrewOptions) {
    this.options = options;
  }

  /** Starts one more, up to three. Starting meets faults, too; a program would start again. */
  async start(): Promise<void> {
    const { store, clock, random, faults, build, settle } = this.options;
    if (this.workers.length === MOST) {
      return;
    }
    this.hired += 1;
    const adapter = faultyAdapter(store, {
      seed: Math.floor(random() * 2 ** 31),
      rate: faults.rate,
      latency: { clock, maxMs: faults.latencyMs },
    });
    const app = createApp({
      name: "app",
      adapter,
      clock,
      member: { id: `worker-${this.hired}`, session: "1 s" },
      restart: { backoff: "20 ms", longest: "200 ms" },
      limits: { maxRecords: faults.maxRecords },
    });
    const caller: Caller = { isGone: false };
    app.events$.subscribe(({ _tag }) => {
      if (_tag === "SessionLost" || _tag === "Lost" || _tag === "Fenced") {
        // Others may have its tasks while its last calls end.
        caller.isGone = true;
      }
    });
    const plan = build(caller);
    for (;;) {
      try {
        const running = await settle(app.run(plan));
        running.done.catch((error: unknown) => {
          this.failure ??= { error };
        });
        this.workers.push(Object.assign(caller, { app, adapter, running }));
        return;
      } catch (error) {
        if (faults.rate === 0) {
          throw error;
        }
      }
    }
  }

  /** One of them is gone from one moment to the next. */
  async crash(which: number): Promise<void> {
    const victim = this.pick(which);
    victim.isGone = true;
    victim.adapter.crash();
    await this.replace(victim);
  }

  /** One of them gives its tasks back, and ends. */
  async stop(which: number): Promise<void> {
    const victim = this.pick(which);
    // What it cannot finish in time is dropped: calls that are under way then may be repeated elsewhere.
    void leave(victim);
    await this.replace(victim);
  }

  /** Resolves when all that they run is complete; rejects with what has stopped one of them. */
  async done(): Promise<void> {
    await Promise.all(this.workers.map(({ running }) => running.done));
  }

  /** Throws what has stopped one of them for good. */
  refuseFailure(): void {
    if (this.failure !== null) {
      throw this.failure.error;
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.workers.map(({ app }) => app.close()));
  }

  private pick(which: number): Worker {
    const worker = this.workers[which % this.workers.length];
    if (worker === undefined) {
      throw new Error("there is no worker");
    }
    return worker;
  }

  private async replace(victim: Worker): Promise<void> {
    this.workers = this.workers.filter((other) => other !== victim);
    if (this.workers.length === 0) {
      await this.start();
    }
  }
}

async function leave(worker: Worker): Promise<void> {
  await worker.running.stop({ within: "2 s" });
  worker.isGone = true;
}
