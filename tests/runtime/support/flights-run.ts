/** Runs the flights' pipelines in memory on virtual time, with workers that come, crash and are replaced. */
import { type App, type AppEvent, createApp, partitionOf, sleep } from "@millrace/core";
import { createVirtualClock, type MemoryAdapter, memoryAdapter, type VirtualClock } from "@millrace/testing";
import { faultyAdapter } from "./faulty-adapter.ts";
import type { Results } from "./flights-batch.ts";
import { APP, FLIGHT_PARTITIONS, type Flight, flightPipelines, flights, isTrouble } from "./flights-plan.ts";
import { readResults } from "./flights-results.ts";

/** How the same flights are processed. */
export interface Scene {
  readonly workers: number;
  /** `live`: the flights are sent while time goes on; `backlog`: before the first worker starts. */
  readonly arrival: "live" | "backlog";
  /** How many workers die on the way, spread over all the work. Each is replaced. */
  readonly crashes: number;
  /** One partition gets its flights 30 minutes of event time after the others get theirs. */
  readonly isBehind: boolean;
  /** How long that partition is silent at the end of a backlog, on the workers' clock (ms). */
  readonly lullMs: number;
}

/** What came of it. */
export interface Outcome {
  readonly results: Results;
  /** Events of late records, and of whatever else should not happen, as text. */
  readonly troubles: readonly string[];
  readonly crashes: number;
}

const MINUTE_MS = 60_000;
const BEHIND_MS = 30 * MINUTE_MS;
/** How event time passes while flights are sent live: so much, then a pause of the clock in which workers read. */
const LIVE_STEP_MS = 10 * MINUTE_MS;
const LIVE_PAUSE_MS = 250;
/** Of ORD, where most flights start. */
const PARTITION_BEHIND = partitionOf("ORD", FLIGHT_PARTITIONS);
const SESSION = "2 s";
/** Everything is kept, so that it can be read in the end. */
const MAX_BYTES = 2 ** 32;

/** Processes the flights, which are ordered by time. `total`: how many records all tasks process. */
export async function runFlights(all: readonly Flight[], scene: Scene, total: number): Promise<Outcome> {
  const clock = createVirtualClock();
  const adapter = memoryAdapter({ clock, maxBytesPerPartition: MAX_BYTES });
  const tools = createApp({ name: "tools", adapter, clock });
  const crew = new Crew(adapter, clock, { ...scene, total });
  const sending = new Sending(tools, clock, scene);
  if (scene.arrival === "backlog") {
    await drive(clock, sending.backlog(all));
  }
  const rest = scene.arrival === "backlog" ? sending.endBacklog(all) : sending.live(all);
  await drive(clock, Promise.all([rest, crew.work()]));
  const results = await drive(clock, readResults(tools));
  await drive(clock, Promise.all([crew.close(), tools.close()]));
  return { results, troubles: crew.troubles, crashes: crew.crashes };
}

/** Lets virtual time pass until the promise settles. */
async function drive<A>(clock: VirtualClock, promise: Promise<A>): Promise<A> {
  const state = { isSettled: false };
  const mark = (): void => {
    state.isSettled = true;
  };
  promise.then(mark, mark);
  for (const deadlineMs = clock.now() + 24 * 60 * MINUTE_MS; !state.isSettled; ) {
    if (clock.now() > deadlineMs) {
      throw new Error("not settled within a day of virtual time");
    }
    await clock.advance(100);
  }
  return promise;
}

/** Sends flights in the order of their time. */
class Sending {
  private readonly app: App;
  private readonly clock: VirtualClock;
  private readonly behindMs: number;
  private readonly lullMs: number;

  constructor(app: App, clock: VirtualClock, { isBehind, lullMs }: Scene) {
    this.app = app;
    this.clock = clock;
    this.behindMs = isBehind ? BEHIND_MS : 0;
    this.lullMs = isBehind ? lullMs : 0;
  }

  /** Sends while time goes on, and ends the topic. */
  async live(all: readonly Flight[]): Promise<void> {
    const [first, last] = [all[0]?.at ?? 0, all.at(-1)?.at ?? 0];
    const lanes = [
      { of: all.filter((flight) => !isOfBehind(flight)), lagMs: 0 },
      { of: all.filter(isOfBehind), lagMs: this.behindMs },
    ].map((lane) => ({ ...lane, sent: 0 }));
    await using producer = await this.app.producer(flights);
    for (let atMs = first; atMs <= last + this.behindMs + LIVE_STEP_MS; atMs += LIVE_STEP_MS) {
      for (const lane of lanes) {
        const from = lane.sent;
        while ((lane.of[lane.sent]?.at ?? Number.POSITIVE_INFINITY) <= atMs - lane.lagMs) {
          lane.sent += 1;
        }
        await producer.sendAll(lane.of.slice(from, lane.sent));
      }
      await sleep(this.clock, LIVE_PAUSE_MS);
    }
    await producer.end();
  }

  /** Sends all that is there when the workers start. */
  async backlog(all: readonly Flight[]): Promise<void> {
    await using producer = await this.app.producer(flights);
    await producer.sendAll(all.filter((flight) => !this.isMissing(flight, all)));
  }

  /** Sends what is missing, when the workers have long processed everything else, and ends the topic. */
  async endBacklog(all: readonly Flight[]): Promise<void> {
    await using producer = await this.app.producer(flights);
    await sleep(this.clock, this.lullMs);
    await producer.sendAll(all.filter((flight) => this.isMissing(flight, all)));
    await producer.end();
  }

  private isMissing(flight: Flight, all: readonly Flight[]): boolean {
    return isOfBehind(flight) && flight.at > (all.at(-1)?.at ?? 0) - this.behindMs;
  }
}

function isOfBehind({ origin }: Flight): boolean {
  return partitionOf(origin, FLIGHT_PARTITIONS) === PARTITION_BEHIND;
}

/** Workers that share the work. Whenever another part of it is committed, one of them dies. */
class Crew {
  readonly troubles: string[] = [];
  crashes = 0;
  private readonly adapter: MemoryAdapter;
  private readonly clock: VirtualClock;
  private readonly scene: Scene & { readonly total: number };
  private readonly places: Worker[] = [];
  private committed = 0;

  constructor(adapter: MemoryAdapter, clock: VirtualClock, scene: Scene & { readonly total: number }) {
    this.adapter = adapter;
    this.clock = clock;
    this.scene = scene;
  }

  /** Works until everything is processed. */
  async work(): Promise<void> {
    await Promise.all(Array.from({ length: this.scene.workers }, (_, place) => this.fill(place)));
  }

  async close(): Promise<void> {
    await Promise.all(this.places.map(({ app }) => app.close()));
  }

  /** Works at a place, with another worker whenever one has died. */
  private async fill(place: number): Promise<void> {
    const worker = new Worker(this.adapter, this.clock, (event) => this.see(event));
    this.places[place] = worker;
    if (await worker.dies()) {
      await this.fill(place);
    }
  }

  private see(event: AppEvent): void {
    if (isTrouble(event)) {
      this.troubles.push(JSON.stringify(event));
    }
    if (event._tag !== "Committed") {
      return;
    }
    this.committed += event.records;
    const { crashes, total, workers } = this.scene;
    if (this.crashes < crashes && this.committed > ((this.crashes + 1) * total) / (crashes + 1)) {
      this.places[this.crashes % workers]?.crash();
      this.crashes += 1;
    }
  }
}

class Worker {
  readonly app: App;
  crash = (): void => {};
  private readonly crashed: Promise<"crashed">;

  constructor(inner: MemoryAdapter, clock: VirtualClock, see: (event: AppEvent) => void) {
    const adapter = faultyAdapter(inner, { seed: 1, rate: 0 });
    this.app = createApp({ name: APP, adapter, clock, member: { session: SESSION }, restart: { attempts: 0 } });
    this.app.events$.subscribe(see);
    this.crashed = new Promise((resolve) => {
      this.crash = () => {
        adapter.crash();
        resolve("crashed");
      };
    });
  }

  /** Works to the end (`false`), or until it dies. */
  async dies(): Promise<boolean> {
    const end = this.app.run(flightPipelines()).then(({ done }) => done);
    return (await Promise.race([end, this.crashed])) === "crashed";
  }
}
