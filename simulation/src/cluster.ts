import {
  type Adapter,
  type App,
  type AppEvent,
  createApp,
  type Pipeline,
  type Running,
  type StreamRecord,
  sleep,
  type Topic,
} from "@millrace/core";
import { type MemoryAdapter, memoryAdapter } from "@millrace/testing";
import { contentsOf, eventLine, type HistoryLine, recordHistory, touchedBy } from "@millrace/testing/history";
import { type Scheduler, SimulatedAdapter, SimulatedProcess } from "@millrace/testing/simulation";
import type { Scenario } from "./scenario.ts";
import type { Remains, Workload } from "./workload.ts";

/** A process of the cluster, and its way to the store. */
export interface Node {
  readonly process: SimulatedProcess;
  /** The network, to be disturbed. */
  readonly adapter: SimulatedAdapter;
  /** What the program works with: the same, recorded. */
  readonly recorded: Adapter;
}

/** A worker: a program that runs the pipelines, and starts again where it cannot. */
export interface Worker extends Node {
  readonly member: string;
  running: Running | null;
  /** One of its pipelines has finished. */
  hasFinished: boolean;
  /** It has been told to stop, or has died. */
  isLeaving: boolean;
}

/** What an app has said, and who. */
export interface Heard {
  /** ms of simulated time, from the start of the scenario. */
  readonly atMs: number;
  readonly process: string;
  readonly event: AppEvent;
}

/** A pause of a program before it tries again. */
const AGAIN_MS = 100;

/** A pause before a program that is done looks again. */
const ANEW_MS = 1_000;

/** The store, and the programs around it. */
export class Cluster {
  readonly server: SimulatedProcess;
  readonly store: MemoryAdapter;
  /** The store as programs see it. */
  private readonly seen: Adapter;
  readonly events: Heard[] = [];
  /** What programs have asked of the store, and were told. */
  readonly history: HistoryLine[] = [];
  /** Errors that have ended a program of a worker for a while. */
  readonly errors: string[] = [];
  /** How often the store has lost something. */
  losses = 0;
  workers: Worker[] = [];
  producers: Node[] = [];
  private readonly scheduler: Scheduler;
  private readonly scenario: Scenario;
  private readonly workload: Workload;
  /** Every node there ever was: a restart of the store reaches the dead and the frozen, too. */
  private readonly nodes: Node[] = [];
  private readonly startMs: number;
  private started = 0;
  private isDown = false;
  private readonly finished: Promise<void>;
  private finish = (): void => {};
  /** Producers that are not done, the dead not counted. */
  private readonly sending = new Set<Node>();
  /** The store will lose nothing any more. */
  private isSafe: boolean;

  constructor(scheduler: Scheduler, scenario: Scenario, workload: Workload, spoil: (store: Adapter) => Adapter) {
    this.scheduler = scheduler;
    this.scenario = scenario;
    this.workload = workload;
    this.startMs = scheduler.nowMs;
    this.isSafe = scenario.faults.every(({ kind }) => kind !== "lose");
    this.server = new SimulatedProcess(scheduler, "store");
    this.store = memoryAdapter({ clock: this.server });
    this.seen = spoil(this.store);
    this.finished = new Promise((resolve) => {
      this.finish = resolve;
    });
  }

  /** Starts a worker; under the name of another one, which must be dead. */
  startWorker(member?: string): void {
    this.started += 1;
    const name = `w${this.started}`;
    const node = this.node(name);
    const worker: Worker = { ...node, member: member ?? name, running: null, hasFinished: false, isLeaving: false };
    this.workers = [...this.workers.filter(({ isLeaving }) => !isLeaving), worker];
    node.process.soon(() => void this.work(worker));
  }

  /** Starts a program that sends the whole input; the log knows how much of it has been sent before. */
  startProducer(): void {
    this.started += 1;
    const node = this.node(`p${this.started}`);
    this.producers.push(node);
    this.sending.add(node);
    node.process.soon(() => void this.produce(node));
  }

  /** Resolves when a worker has come to the end of all input, after all faults. */
  done(): Promise<void> {
    return this.finished;
  }

  /** The store loses nothing from now on: the end of the input is the end of the work. */
  makeSafe(): void {
    this.isSafe = true;
  }

  /** The store is down; calls fail, what is under way is lost. */
  goDown(): void {
    this.isDown = true;
    for (const { adapter } of this.nodes) {
      adapter.cut("both");
    }
  }

  /** The store is back, after `restore` has put its data in place. */
  comeBack(restore: (() => void) | null): void {
    this.isDown = false;
    if (restore !== null) {
      this.losses += 1;
      restore();
    }
    for (const { adapter } of this.nodes) {
      adapter.restartStore();
      adapter.cut("none");
    }
  }

  /**
   * A pipeline that has finished is no member any more, and does not notice that the store has lost its end. Where others of the
   * same worker go on, and wait for it, somebody has to run all of them again.
   */
  runFinishedAgain(): void {
    for (const worker of this.workers.filter(({ hasFinished }) => hasFinished)) {
      worker.process.soon(() => void worker.running?.stop({ within: "500 ms" }));
    }
  }

  /** Reads what is left, over no network and without faults. */
  remains(): Remains {
    const app = createApp({ name: "app", adapter: this.store, clock: this.scheduler.outside });
    return {
      read: <A>(topic: Topic<A>) =>
        new Promise<readonly StreamRecord<A>[]>((resolve, reject) => {
          const records: StreamRecord<A>[] = [];
          app.observe(topic, { from: "start", untilEnd: true }).subscribe({
            next: (record) => void records.push(record),
            error: reject,
            complete: () => resolve(records.toSorted((a, b) => a.partition - b.partition)),
          });
        }),
      letters: async (pipeline: Pipeline) =>
        (await app.deadLetters(pipeline).list({ limit: 10_000 })).map(({ input }): unknown => JSON.parse(input)),
    };
  }

  /** Adds to the history what the store holds in the end. */
  async writeContents(): Promise<void> {
    this.history.push(...(await contentsOf(this.store, touchedBy(this.history))));
    this.history.push({ _tag: "end", atMs: this.nowMs() });
  }

  /** ms of simulated time, from the start of the scenario. */
  nowMs(): number {
    return this.scheduler.nowMs - this.startMs;
  }

  private node(name: string): Node {
    const { scenario, scheduler } = this;
    const skewMs = scheduler.random.int(-scenario.skewMs, scenario.skewMs);
    const process = new SimulatedProcess(scheduler, name, skewMs);
    const { weather } = scenario;
    const ends = { scheduler, client: process, server: this.server, random: scheduler.random, weather };
    const adapter = new SimulatedAdapter(this.seen, ends);
    const recorded = recordHistory(adapter, {
      process: name,
      clock: { now: () => this.nowMs() },
      write: (line) => void this.history.push(line),
    });
    const node = { process, adapter, recorded };
    if (this.isDown) {
      node.adapter.cut("both");
    }
    this.nodes.push(node);
    return node;
  }

  private async work(worker: Worker): Promise<void> {
    const { process, recorded, member } = worker;
    const { maxStateBytes } = this.scenario;
    const app = createApp({
      name: "app",
      adapter: recorded,
      clock: process,
      member: { id: member, session: "1 s", heartbeat: "300 ms", revocation: "2 s" },
      restart: { backoff: "20 ms", longest: "200 ms" },
      ...(maxStateBytes === null ? {} : { limits: { maxStateBytes } }),
    });
    app.events$.subscribe((event) => {
      this.events.push({ atMs: this.nowMs(), process: process.name, event });
      this.history.push(eventLine(process.name, this.nowMs(), event));
      worker.hasFinished ||= event._tag === "Finished";
    });
    const pipelines = this.workload.pipelines(process);
    while (!worker.isLeaving) {
      try {
        // A store that loses the end of the work after it was seen has it done again.
        const isFinal = this.isSafe;
        worker.hasFinished = false;
        worker.running = await app.run(pipelines);
        await worker.running.done;
        const isSent = [...this.sending].every((producer) => producer.process.isDead);
        if (!worker.isLeaving && isFinal && isSent) {
          this.finish();
          return;
        }
        // What the store forgets is done again.
        await sleep(process, ANEW_MS);
      } catch (error) {
        // As a program would: it starts again.
        this.errors.push(`${process.name}: ${String(error)}`);
        worker.running = null;
        await sleep(process, AGAIN_MS);
      }
    }
  }

  private async produce(node: Node): Promise<void> {
    const { workload, scenario } = this;
    const { process, recorded } = node;
    const app: App = createApp({ name: "load", adapter: recorded, clock: process });
    for (;;) {
      try {
        const producer = await app.producer(workload.source, { id: "loader" });
        for (let from = 0; from < workload.values.length; from += scenario.portion) {
          await producer.sendAll(workload.values.slice(from, from + scenario.portion));
          await sleep(process, scenario.pauseMs);
        }
        await producer.end();
        this.sending.delete(node);
        return;
      } catch (error) {
        this.errors.push(`${process.name}: ${String(error)}`);
        await sleep(process, AGAIN_MS);
      }
    }
  }
}
