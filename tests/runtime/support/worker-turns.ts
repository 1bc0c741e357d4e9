/** Workers that come, go, crash, hang and lose replies while a log grows: how the properties of operators with state are played. */
import {
  type App,
  type AppEvent,
  createApp,
  type Pipeline,
  type Running,
  type StreamRecord,
  type Topic,
} from "@millrace/core";
import { createVirtualClock, memoryAdapter, type VirtualClock } from "@millrace/testing";
import * as fc from "fast-check";
import { type FaultyAdapter, faultyAdapter, random } from "./faulty-adapter.ts";
import { until } from "./until.ts";

/** What happens to one of the workers, chosen by number; a crash or a stop of the last one is followed by a start. */
interface Turn {
  readonly kind: "start" | "crash" | "stop" | "cut" | "freeze" | "mend";
  /** In virtual time, after the turn before. */
  readonly afterMs: number;
  readonly worker: number;
}

/** What befalls a run. */
export interface Fate {
  readonly seed: number;
  /** The input comes in portions of so many records, with a pause between them. */
  readonly portion: number;
  readonly pauseMs: number;
  readonly turns: readonly Turn[];
  /** How likely a call is refused, and how likely it loses its reply. */
  readonly rate: number;
  readonly latencyMs: number;
  /** Hints are lost. */
  readonly isDeaf: boolean;
  /** How much of the state a worker holds; `null`: the default. */
  readonly maxStateBytes: number | null;
}

/** Workers at the same time. */
const MOST_WORKERS = 3;

const turn: fc.Arbitrary<Turn> = fc.record({
  kind: fc.constantFrom("start", "start", "crash", "crash", "stop", "cut", "freeze", "mend"),
  afterMs: fc.oneof(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 2_000 })),
  worker: fc.nat({ max: MOST_WORKERS - 1 }),
});

export const fates: fc.Arbitrary<Fate> = fc.record({
  seed: fc.integer(),
  portion: fc.integer({ min: 1, max: 30 }),
  pauseMs: fc.integer({ min: 0, max: 300 }),
  turns: fc.array(turn, { maxLength: 8 }),
  rate: fc.constantFrom(0, 0, 0.03, 0.1),
  latencyMs: fc.constantFrom(0, 0, 5, 60),
  isDeaf: fc.boolean(),
  maxStateBytes: fc.constantFrom(1, 2_000, null),
});

const FAILURES: ReadonlySet<AppEvent["_tag"]> = new Set(["Restarting", "Failed", "Quarantined", "Regressed", "Gap"]);

/** What must not happen, whatever befalls the workers: the store takes part in none of it. */
export function failuresIn(events: readonly AppEvent[]): readonly AppEvent[] {
  return events.filter(({ _tag }) => FAILURES.has(_tag));
}

/** What a run has left behind. */
export interface Played {
  /** Of all workers, in their order. */
  readonly events: readonly AppEvent[];
  /** Everything in a topic, partition after partition. */
  readonly read: <A>(from: Topic<A>) => Promise<readonly StreamRecord<A>[]>;
}

interface Worker {
  readonly adapter: FaultyAdapter;
  readonly running: Running;
}

/** Plays a fate to its end, the input being ended, and hands what is left to `look`. Rejects when it has no end. */
export async function playOut<A, B>(
  fate: Fate,
  input: {
    readonly source: Topic<A>;
    readonly values: readonly A[];
    readonly pipelines: readonly Pipeline[];
  },
  look: (played: Played) => Promise<B>,
): Promise<B> {
  // Pauses are drawn at random: drawn from the seed, a run repeats exactly.
  const { random: before } = Math;
  Math.random = random(fate.seed + 1);
  const play = new Play(fate);
  try {
    await play.run(input);
    return await look(play);
  } finally {
    Math.random = before;
    await play.end();
  }
}

class Play implements Played {
  readonly events: AppEvent[] = [];
  private readonly fate: Fate;
  private readonly next: () => number;
  private readonly clock: VirtualClock = createVirtualClock(1_000_000);
  private readonly adapter = memoryAdapter({ clock: this.clock });
  private readonly tools: App = createApp({ name: "tools", adapter: this.adapter, clock: this.clock });
  private workers: readonly Worker[] = [];
  private started = 0;

  constructor(fate: Fate) {
    this.fate = fate;
    this.next = random(fate.seed);
  }

  async run<A>({
    source,
    values,
    pipelines,
  }: {
    source: Topic<A>;
    values: readonly A[];
    pipelines: readonly Pipeline[];
  }): Promise<void> {
    const loading = this.load(source, values);
    await this.start(pipelines);
    for (const { kind, afterMs, worker } of this.fate.turns) {
      await this.clock.advance(afterMs);
      const victim = this.workers[worker % this.workers.length];
      if (kind === "start") {
        await this.start(pipelines);
      } else if (victim !== undefined) {
        this.befall(victim, kind);
      }
      if (this.workers.length === 0) {
        await this.start(pipelines);
      }
    }
    for (const { adapter } of this.workers) {
      adapter.mend();
    }
    await until(this.clock, loading);
    await until(this.clock, Promise.all(this.workers.map(({ running }) => running.done)));
  }

  async read<A>(from: Topic<A>): Promise<readonly StreamRecord<A>[]> {
    const records: StreamRecord<A>[] = [];
    const read = new Promise<void>((resolve, reject) => {
      this.tools
        .observe(from, { from: "start", untilEnd: true })
        .subscribe({ next: (record) => records.push(record), error: reject, complete: resolve });
    });
    await until(this.clock, read);
    return records.toSorted((a, b) => a.partition - b.partition);
  }

  async end(): Promise<void> {
    await until(this.clock, this.tools.close());
  }

  private async start(pipelines: readonly Pipeline[]): Promise<void> {
    const { rate, latencyMs, isDeaf, maxStateBytes } = this.fate;
    if (this.workers.length === MOST_WORKERS) {
      return;
    }
    const adapter = faultyAdapter(this.adapter, {
      seed: Math.floor(this.next() * 2 ** 31),
      rate,
      latency: { clock: this.clock, maxMs: latencyMs },
      isDeaf,
    });
    const app = createApp({
      name: "app",
      adapter,
      clock: this.clock,
      member: { id: `w${this.started}`, session: "1 s" },
      ...(maxStateBytes === null ? {} : { limits: { maxStateBytes } }),
    });
    this.started += 1;
    app.events$.subscribe((event) => this.events.push(event));
    for (;;) {
      try {
        const running = await until(this.clock, app.run(pipelines));
        this.workers = [...this.workers, { adapter, running }];
        return;
      } catch (error) {
        if (rate === 0) {
          throw error;
        }
        // Starting meets faults too; a program would start again.
      }
    }
  }

  private befall(victim: Worker, kind: Exclude<Turn["kind"], "start">): void {
    if (kind === "stop") {
      // A worker that is cut off or frozen ends when its time is up.
      victim.running.stop({ within: "500 ms" }).catch(() => {});
    } else {
      victim.adapter[kind]();
    }
    if (kind === "stop" || kind === "crash") {
      this.workers = this.workers.filter((other) => other !== victim);
    }
  }

  /** Sends the input in portions, so that workers meet a log that grows. */
  private async load<A>(to: Topic<A>, values: readonly A[]): Promise<void> {
    const { portion, pauseMs } = this.fate;
    const producer = await this.tools.producer(to, { id: "loader" });
    for (let from = 0; from < values.length; from += portion) {
      await producer.sendAll(values.slice(from, from + portion));
      await new Promise<void>((resolve) => {
        this.clock.after(pauseMs, resolve);
      });
    }
    await producer.end();
  }
}
