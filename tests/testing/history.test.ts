/** Histories of real workers on the memory adapter: recorded, and checked. */
import {
  type Adapter,
  type App,
  type AppEvent,
  count,
  createApp,
  MillraceError,
  map,
  mapOrdered,
  type Pipeline,
  pipeline,
  type Running,
  sink,
  sleep,
  stream,
  sum,
  tumbling,
  window,
} from "@millrace/core";
import { createVirtualClock, memoryAdapter } from "@millrace/testing";
import {
  checkHistory,
  contentsOf,
  copies,
  type Expectations,
  eventLine,
  type HistoryLine,
  printVerdict,
  recordHistory,
  touchedBy,
} from "@millrace/testing/history";
import { describe, expect, it } from "vitest";
import { type Item, items, sequence } from "../runtime/support/bench-top.ts";
import { type FaultyAdapter, faultyAdapter } from "../runtime/support/faulty-adapter.ts";
import { until } from "../runtime/support/until.ts";
import {
  applyingNothing,
  applyingTwice,
  forgettingOutputs,
  forgettingState,
  readingNoState,
  reorderingOutputs,
  skippingRecords,
} from "./support/broken-adapters.ts";

const input = items("in", { partitions: 3 });
const output = items("out", { partitions: 2 });
const sums = items("sums", { partitions: 2 });

/** Copies, and sums of each key in windows behind a change of key. */
function work(): Pipeline {
  const read = stream(input).pipe(mapOrdered(async (item) => item, { concurrency: 4 }));
  return pipeline(
    "work",
    read.pipe(
      map((item) => output.of(item)),
      sink(output),
    ),
    read.pipe(
      window(tumbling("10 s"), { n: count(), total: sum(({ n }) => n) }, { by: ({ n }) => `g${n % 5}`, grace: "0 s" }),
      map(({ key, start, value }) => sums.of({ key, n: value.total, at: start })),
      sink(sums),
    ),
  );
}

/** A start is not repeated by itself where the store does not answer. */
async function started(app: App): Promise<Running> {
  try {
    return await app.run(work());
  } catch (error) {
    if (error instanceof MillraceError && error.retriable) {
      return await started(app);
    }
    throw error;
  }
}

interface Run {
  readonly lines: readonly HistoryLine[];
}

/** Two workers; the first one dies on the way. What lies between a worker and the store is `between`. */
async function run(between: (adapter: Adapter) => Adapter = (adapter) => adapter): Promise<Run> {
  const clock = createVirtualClock();
  const store = memoryAdapter({ clock });
  const seen = between(store);
  const lines: HistoryLine[] = [];
  const write = (line: HistoryLine): void => void lines.push(line);
  const settle = <A>(promise: Promise<A>): Promise<A> => until(clock, promise);

  const tools = createApp({
    name: "tools",
    clock,
    adapter: recordHistory(store, { process: "producer", clock, write }),
  });
  const producer = await settle(tools.producer(input, { id: "p" }));
  const worker = (process: string): { readonly adapter: FaultyAdapter; readonly app: App } => {
    const adapter = faultyAdapter(seen, { seed: 1, rate: 0.05, latency: { clock, maxMs: 20 } });
    const app = createApp({
      name: "app",
      clock,
      adapter: recordHistory(adapter, { process, clock, write }),
      member: { id: process, session: "1 s" },
    });
    app.events$.subscribe((event: AppEvent) => write(eventLine(process, clock.now(), event)));
    return { adapter, app };
  };
  const w1 = worker("w1");
  const w2 = worker("w2");
  const all = sequence(300, 7);
  await settle(started(w1.app));
  await settle(producer.sendAll(all.slice(0, 100)));
  await settle(sleep(clock, 200));
  const running = await settle(started(w2.app));
  await settle(producer.sendAll(all.slice(100, 200)));
  await settle(sleep(clock, 500));
  const fromMs = clock.now();
  w1.adapter.freeze();
  await settle(producer.sendAll(all.slice(200, 250)));
  await settle(sleep(clock, 3_000));
  w1.adapter.mend();
  write({ _tag: "fault", kind: "freeze", victim: "w1", fromMs, untilMs: clock.now() });
  await settle(sleep(clock, 1_000));
  w1.adapter.crash();
  write({ _tag: "fault", kind: "crash", victim: "w1", fromMs: clock.now(), untilMs: clock.now() });
  await settle(producer.sendAll(all.slice(250)));
  await settle(producer.end());
  // An adapter that breaks its promises may keep the workers from ever coming to the end.
  await settle(Promise.race([running.done.catch(() => {}), sleep(clock, 20_000)]));
  write({ _tag: "end", atMs: clock.now() });
  w2.adapter.crash();
  return { lines: [...lines, ...(await settle(contentsOf(store, touchedBy(lines))))] };
}

const EXPECTED: Expectations = {
  flows: [copies({ group: "app.work", from: "in", to: "out" })],
  isDrained: true,
  bounds: { stallMs: 5_000 },
};

describe("the history of real workers", () => {
  it("has no violation, through a frozen worker, a crash and lost replies", async () => {
    const { lines } = await run();
    const verdict = checkHistory(lines, EXPECTED);
    expect(printVerdict(lines, verdict, EXPECTED)).toBe(
      "0 violations; judged: form I1 I2 I3 I4 I5 I6 I7 I8 I9 I10 I11",
    );
  });

  const broken = [
    ["I6", forgettingOutputs],
    ["I2", forgettingOutputs],
    ["I6", forgettingState],
    ["I3", reorderingOutputs],
    ["I2", applyingTwice],
    ["I4", applyingNothing],
    ["I7", skippingRecords],
    ["I8", readingNoState],
  ] as const;
  it.each(broken.map(([invariant, spoil]) => [invariant, spoil.name, spoil] as const))(
    "violates %s where an adapter is %s",
    async (invariant, _name, spoil) => {
      const { lines } = await run((adapter) => spoil(adapter));
      const { violations } = checkHistory(lines, EXPECTED);
      expect(violations.map((violation) => violation.invariant)).toContain(invariant);
    },
  );

  it("takes a dead letter for what its record has led to, and without the letter finds the record lost", async () => {
    const clock = createVirtualClock();
    const store = memoryAdapter({ clock });
    const lines: HistoryLine[] = [];
    const write = (line: HistoryLine): void => void lines.push(line);
    const app = createApp({ name: "app", clock, adapter: recordHistory(store, { process: "w1", clock, write }) });
    const refuse = map(
      (item: Item) => {
        if (item.n === 4) {
          throw new RangeError("no 4");
        }
        return output.of(item);
      },
      { onError: "deadLetter" },
    );
    const producer = await until(clock, app.producer(input));
    await until(clock, producer.sendAll(sequence(9)));
    await until(clock, producer.end());
    const running = await until(clock, app.run(pipeline("work", stream(input).pipe(refuse, sink(output)))));
    await until(clock, running.done);
    const contents = await until(clock, contentsOf(store, touchedBy(lines)));
    const judged = checkHistory([...lines, ...contents], { flows: EXPECTED.flows ?? [], isDrained: true });
    expect(judged.violations).toEqual([]);

    const withoutLetters = contents.map((line) =>
      line._tag === "log" ? { ...line, records: line.records.map(({ letter: _letter, ...record }) => record) } : line,
    );
    const { violations } = checkHistory([...lines, ...withoutLetters], EXPECTED);
    expect(violations.map(({ invariant }) => invariant)).toContain("I2");
    expect(violations[0]?.message).toMatch(/was processed by app.work, and what it leads to is in out 0 times, not 1$/);
    await app.close();
  });
});
