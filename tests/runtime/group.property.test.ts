import { type App, createApp, pipeline, sink, stream } from "@millrace/core";
import { createVirtualClock, type MemoryAdapter, memoryAdapter, type VirtualClock } from "@millrace/testing";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { items } from "./support/bench-top.ts";
import { type FaultyAdapter, faultyAdapter } from "./support/faulty-adapter.ts";
import { until } from "./support/until.ts";

const SESSION_MS = 1_000;
const RUNS = Number(process.env["MILLRACE_RUNS"] ?? 150);
const PARTITIONS = 7;

const plan = pipeline(
  "copy",
  stream(items("source", { partitions: PARTITIONS })).pipe(sink(items("copy", { partitions: 1 }))),
);

interface Worker {
  readonly app: App;
  readonly adapter: FaultyAdapter;
  /** What the worker runs, by its own events. */
  readonly running: Set<string>;
}

/** How calls and hints travel. */
interface Network {
  readonly latencyMs: number;
  readonly isDeaf: boolean;
}

const networks: fc.Arbitrary<Network> = fc.record({ latencyMs: fc.constantFrom(0, 5, 40), isDeaf: fc.boolean() });

interface Turn {
  readonly kind: "start" | "crash" | "stop" | "cut" | "freeze" | "mend";
  readonly afterMs: number;
  readonly worker: number;
}

const turn: fc.Arbitrary<Turn> = fc.record({
  kind: fc.constantFrom("start", "start", "start", "crash", "stop", "cut", "freeze", "mend", "mend"),
  afterMs: fc.oneof(fc.integer({ min: 0, max: 150 }), fc.integer({ min: 0, max: 3_000 })),
  worker: fc.nat({ max: 5 }),
});

async function start(adapter: MemoryAdapter, clock: VirtualClock, { latencyMs, isDeaf }: Network): Promise<Worker> {
  const latency = { clock, maxMs: latencyMs };
  const faulty = faultyAdapter(adapter, { seed: latencyMs, rate: 0, latency, isDeaf });
  const app = createApp({ name: "app", adapter: faulty, clock, member: { session: `${SESSION_MS} ms` } });
  const running = new Set<string>();
  app.events$.subscribe((event) => {
    if (event._tag === "Assigned") {
      running.add(event.task);
    } else if (event._tag === "Revoked" || event._tag === "Lost" || event._tag === "Fenced") {
      running.delete(event.task);
    }
  });
  await until(clock, app.run(plan));
  return { app, adapter: faulty, running };
}

/** Plays the turns and returns the workers that are left, with all faults over. */
async function play(
  turns: readonly Turn[],
  network: Network,
  { adapter, clock }: { readonly adapter: MemoryAdapter; readonly clock: VirtualClock },
): Promise<readonly Worker[]> {
  let workers = [await start(adapter, clock, network)];
  for (const { kind, afterMs, worker } of turns) {
    await clock.advance(afterMs);
    const victim = workers[worker % workers.length];
    if (kind === "start") {
      workers.push(await start(adapter, clock, network));
    } else if (victim !== undefined) {
      befall(victim, kind);
    }
    if (kind === "crash" || kind === "stop") {
      workers = workers.filter((other) => other !== victim);
    }
    if (workers.length === 0) {
      workers.push(await start(adapter, clock, network));
    }
  }
  for (const worker of workers) {
    worker.adapter.mend();
  }
  return workers;
}

function befall({ app, adapter }: Worker, kind: Exclude<Turn["kind"], "start">): void {
  if (kind === "stop") {
    void app.close();
  } else {
    adapter[kind]();
  }
}

it("H8: when the faults are over, every task runs within the session timeout + 1 s, balanced, on one worker", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(turn, { maxLength: 14 }), networks, async (turns, net) => {
      const clock = createVirtualClock(1_000_000);
      const adapter = memoryAdapter({ clock });
      const workers = await play(turns, net, { adapter, clock });
      await clock.advance(SESSION_MS + 1_000);

      const looker = createApp({ name: "app", adapter, clock });
      const { members, tasks } = await until(clock, looker.describeGroup(plan));
      expect(members).toHaveLength(workers.length);
      expect(tasks.filter(({ member }) => member === null)).toEqual([]);
      const counts = members.map((member) => member.tasks.length);
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
      // What the workers themselves say they run: each task once.
      const told = workers.flatMap(({ running }) => [...running]);
      expect(told.toSorted()).toEqual(tasks.map(({ task }) => `app.copy/${task}`).toSorted());
      await until(clock, Promise.all([looker, ...workers.map(({ app }) => app)].map((app) => app.close())));
    }),
    { numRuns: RUNS },
  );
}, 300_000);
