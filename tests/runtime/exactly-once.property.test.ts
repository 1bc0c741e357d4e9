import {
  type App,
  count,
  createApp,
  flatMap,
  json,
  map,
  mapOrdered,
  max,
  partitionBy,
  partitionOf,
  pipeline,
  type Running,
  type StreamRecord,
  sink,
  stream,
  sum,
  type Topic,
  topic,
  tumbling,
  window,
} from "@millrace/core";
import { createVirtualClock, type MemoryAdapter, memoryAdapter, type VirtualClock } from "@millrace/testing";
import * as fc from "fast-check";
import * as t from "io-ts";
import { expect, it } from "vitest";
import { type FaultyAdapter, faultyAdapter, random } from "./support/faulty-adapter.ts";
import { until } from "./support/until.ts";

const Reading = t.type({ sensor: t.string, area: t.string, n: t.number, at: t.number });
type Reading = t.TypeOf<typeof Reading>;
const Echo = t.type({ sensor: t.string, n: t.number, part: t.number });
const Total = t.type({ area: t.string, start: t.number, count: t.number, sum: t.number, last: t.number });
type Total = t.TypeOf<typeof Total>;

interface World {
  readonly readings: Topic<Reading>;
  readonly echoes: Topic<t.TypeOf<typeof Echo>>;
  readonly totals: Topic<Total>;
  readonly finals: Topic<Total>;
}

function world(partitions: number, middle: number): World {
  return {
    readings: topic("readings", {
      codec: json(Reading),
      key: (r) => r.sensor,
      timestamp: (r) => r.at,
      partitions,
      outOfOrderness: "3 s",
    }),
    echoes: topic("echoes", { codec: json(Echo), key: (e) => e.sensor, partitions: middle }),
    totals: topic("totals", { codec: json(Total), key: (x) => x.area, partitions: middle }),
    finals: topic("finals", { codec: json(Total), key: (x) => x.area, partitions: 1 }),
  };
}

/** Two chained pipelines with a fork, asynchronous handlers, a change of key and two levels of windows. */
function pipelines({ readings, echoes, totals, finals }: World, clock: VirtualClock, delays: () => number) {
  /** Takes up to 40 ms, and fails now and then. */
  const slowly = <A>(value: A): Promise<A> =>
    new Promise((resolve, reject) => {
      const ms = delays();
      clock.after(ms, () => (ms % 10 === 3 ? reject(new Error("a failure of the test")) : resolve(value)));
    });
  const retry = { attempts: 100, backoff: "10 ms", longest: "50 ms" } as const;
  const source = stream(readings);
  const first = pipeline(
    "first",
    source.pipe(
      mapOrdered((r) => slowly(r), { concurrency: 3, retry }),
      flatMap((r) => Array.from({ length: r.n % 3 }, (_, part) => echoes.of({ sensor: r.sensor, n: r.n, part }))),
      sink(echoes),
    ),
    source.pipe(
      partitionBy((r) => r.area),
      mapOrdered((r) => slowly(r), { concurrency: 4, retry }),
      window(tumbling("10 s"), { count: count(), sum: sum((r) => r.n), last: max((r) => r.n) }, { grace: "2 s" }),
      mapOrdered((w) => slowly(totals.of({ area: w.key, start: w.start, ...w.value })), { retry }),
      sink(totals),
    ),
  );
  const second = pipeline(
    "second",
    stream(totals).pipe(
      window(
        tumbling("30 s"),
        { count: sum((x) => x.count), sum: sum((x) => x.sum), last: max((x) => x.last) },
        { by: () => "all", grace: "0 s" },
      ),
      map((w) => finals.of({ area: w.key, start: w.start, ...w.value })),
      sink(finals),
    ),
  );
  return [first, second];
}

/** What windows must hold, computed over the whole input at once. */
function expectedTotals(accepted: readonly Reading[], sizeMs: number, keyOf: (r: Reading) => string): Total[] {
  const totals = new Map<string, Total>();
  for (const r of accepted) {
    const start = Math.floor(r.at / sizeMs) * sizeMs;
    const id = `${keyOf(r)} ${start}`;
    const before = totals.get(id) ?? { area: keyOf(r), start, count: 0, sum: 0, last: Number.NEGATIVE_INFINITY };
    totals.set(id, { ...before, count: before.count + 1, sum: before.sum + r.n, last: Math.max(before.last, r.n) });
  }
  return [...totals.values()].toSorted(byAreaAndStart);
}

function byAreaAndStart(a: Total, b: Total): number {
  return a.start - b.start || (a.area < b.area ? -1 : a.area > b.area ? 1 : 0);
}

async function contents<A>(app: App, of: Topic<A>, clock: VirtualClock): Promise<StreamRecord<A>[]> {
  const records: StreamRecord<A>[] = [];
  const read = new Promise<void>((resolve, reject) => {
    app
      .observe(of, { from: "start", untilEnd: true })
      .subscribe({ next: (record) => records.push(record), error: reject, complete: resolve });
  });
  await until(clock, read);
  return records;
}

interface Scenario {
  readonly readings: readonly Reading[];
  readonly partitions: number;
  readonly middle: number;
  readonly seed: number;
  /** The input comes in portions of so many records, with a pause between them. */
  readonly portion: number;
  readonly pauseMs: number;
  /** What happens to the workers, each turn after so much virtual time (ms). Those that are left run to the end. */
  readonly turns: readonly Turn[];
  readonly rate: number;
  readonly latencyMs: number;
  /** Hints are lost. */
  readonly isDeaf: boolean;
}

/** What happens to one of the workers, chosen by number; a crash or a stop of the last one is followed by a start. */
interface Turn {
  readonly kind: "start" | "crash" | "stop" | "cut" | "freeze" | "mend";
  readonly afterMs: number;
  readonly worker: number;
}

interface Worker {
  readonly adapter: FaultyAdapter;
  readonly app: App;
  readonly running: Running;
}

async function play(
  scenario: Scenario,
): Promise<{ app: App; clock: VirtualClock; world: World; adapter: MemoryAdapter }> {
  const clock = createVirtualClock(1_000_000);
  const adapter = memoryAdapter({ clock });
  const next = random(scenario.seed);
  const here = world(scenario.partitions, scenario.middle);
  const loader = createApp({ name: "loader", adapter, clock });
  const loading = load(loader, here.readings, scenario, clock);

  const start = async (): Promise<Worker> => {
    const faulty = faultyAdapter(adapter, {
      seed: Math.floor(next() * 2 ** 31),
      rate: scenario.rate,
      latency: { clock, maxMs: scenario.latencyMs },
      isDeaf: scenario.isDeaf,
    });
    const app = createApp({ name: "app", adapter: faulty, clock, member: { session: "1 s" } });
    for (;;) {
      try {
        const plans = pipelines(here, clock, () => Math.floor(next() * 40));
        return { adapter: faulty, app, running: await until(clock, app.run(plans)) };
      } catch {
        // Starting meets faults too; a program would start again.
      }
    }
  };
  let workers = [await start()];
  for (const { kind, afterMs, worker } of scenario.turns) {
    await clock.advance(afterMs);
    const victim = workers[worker % workers.length];
    switch (kind) {
      case "start":
        workers.push(await start());
        break;
      case "crash":
        victim?.adapter.crash();
        workers = workers.filter((other) => other !== victim);
        break;
      case "stop":
        // A worker that is cut off or frozen ends when its time is up.
        victim?.running.stop({ within: "500 ms" }).catch(() => {});
        workers = workers.filter((other) => other !== victim);
        break;
      case "cut":
      case "freeze":
      case "mend":
        victim?.adapter[kind]();
        break;
    }
    if (workers.length === 0) {
      workers.push(await start());
    }
  }
  for (const worker of workers) {
    worker.adapter.mend();
  }
  await until(clock, loading);
  await until(clock, Promise.all(workers.map(({ running }) => running.done)));
  return { app: loader, clock, world: here, adapter };
}

/** Sends the input in portions, so that workers meet a log that grows. */
async function load(
  app: App,
  to: Topic<Reading>,
  { readings, portion, pauseMs }: Scenario,
  clock: VirtualClock,
): Promise<void> {
  const producer = await app.producer(to, { id: "loader" });
  for (let from = 0; from < readings.length; from += portion) {
    await producer.sendAll(readings.slice(from, from + portion));
    await new Promise<void>((resolve) => {
      clock.after(pauseMs, resolve);
    });
  }
  await producer.end();
}

const reading = (maxDisorderMs: number): fc.Arbitrary<Reading[]> =>
  fc
    .array(
      fc.record({
        sensor: fc.integer({ min: 0, max: 5 }),
        area: fc.integer({ min: 0, max: 2 }),
        step: fc.integer({ min: 0, max: 4_000 }),
        back: fc.integer({ min: 0, max: maxDisorderMs }),
      }),
      { maxLength: 120 },
    )
    .map((items) => {
      let clockMs = 1_000_000;
      return items.map(({ sensor, area, step, back }, n) => {
        clockMs += step;
        return { sensor: `s${sensor}`, area: `a${area}`, n, at: clockMs - back };
      });
    });

const scenario = (maxDisorderMs: number): fc.Arbitrary<Scenario> =>
  fc.record({
    readings: reading(maxDisorderMs),
    partitions: fc.integer({ min: 1, max: 3 }),
    middle: fc.integer({ min: 1, max: 3 }),
    seed: fc.integer(),
    portion: fc.integer({ min: 1, max: 40 }),
    pauseMs: fc.integer({ min: 0, max: 400 }),
    turns: fc.array(
      fc.record({
        kind: fc.constantFrom("start", "start", "crash", "stop", "cut", "freeze", "mend"),
        afterMs: fc.integer({ min: 0, max: 2_500 }),
        worker: fc.nat({ max: 3 }),
      }),
      { maxLength: 8 },
    ),
    rate: fc.constantFrom(0, 0.02, 0.1),
    latencyMs: fc.constantFrom(0, 5, 60),
    isDeaf: fc.boolean(),
  });

const RUNS = Number(process.env["MILLRACE_RUNS"] ?? 60);

it("G1, G3, G4, G8: any coming and going of workers, lost replies and restarts change nothing in the results of chained pipelines", async () => {
  await fc.assert(
    fc.asyncProperty(scenario(3_000), async (given) => {
      const { app, clock, world: here } = await play(given);

      const echoes = await contents(app, here.echoes, clock);
      const expected = given.readings.flatMap((r) => Array.from({ length: r.n % 3 }, (_, part) => `${r.n}.${part}`));
      expect(echoes.map(({ value }) => `${value.n}.${value.part}`).toSorted()).toEqual(expected.toSorted());
      for (const sensor of new Set(echoes.map(({ value }) => value.sensor))) {
        const order = echoes
          .filter(({ value }) => value.sensor === sensor)
          .map(({ value }) => value.n * 3 + value.part);
        expect(order).toEqual(order.toSorted((a, b) => a - b));
      }

      const totals = (await contents(app, here.totals, clock)).map(({ value }) => value).toSorted(byAreaAndStart);
      expect(totals).toEqual(expectedTotals(given.readings, 10_000, (r) => r.area));
      const finals = (await contents(app, here.finals, clock)).map(({ value }) => value).toSorted(byAreaAndStart);
      expect(finals).toEqual(expectedTotals(given.readings, 30_000, () => "all"));
      await until(clock, app.close());
    }),
    { numRuns: RUNS },
  );
}, 300_000);

/** The readings that are in time: a record is late iff its window had closed before it in the order of its partition. */
function inTime(readings: readonly Reading[], partitions: number): Reading[] {
  const newest = new Map<number, number>();
  return readings.filter((r) => {
    const partition = partitionOf(r.sensor, partitions);
    const watermarkMs = (newest.get(partition) ?? Number.NEGATIVE_INFINITY) - 3_000;
    newest.set(partition, Math.max(newest.get(partition) ?? Number.NEGATIVE_INFINITY, r.at));
    return Math.floor(r.at / 10_000) * 10_000 + 10_000 + 2_000 > watermarkMs;
  });
}

it("G8: which records are late is decided by the log, not by the speed or the restarts of the readers", async () => {
  await fc.assert(
    fc.asyncProperty(scenario(25_000), async (given) => {
      const { app, clock, world: here } = await play(given);
      const totals = (await contents(app, here.totals, clock)).map(({ value }) => value).toSorted(byAreaAndStart);
      expect(totals).toEqual(expectedTotals(inTime(given.readings, given.partitions), 10_000, (r) => r.area));
      await until(clock, app.close());
    }),
    { numRuns: RUNS },
  );
}, 300_000);
