/** `sink(fn)` under crashes, stops and faults of the store, against an outside store that outlives the workers. */
import { flatMap, type Pipeline, pipeline, type Running, type SinkCall, sink, stream } from "@millrace/core";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { type Bench, bench, type Item, items, sequence } from "./support/bench-top.ts";
import { type Connection, connectionTo, lastOf, Outside, sorted } from "./support/external-sink.ts";
import { type FaultyAdapter, faultyAdapter, random } from "./support/faulty-adapter.ts";
import { workerOf } from "./support/workers.ts";

const source = items("source", { partitions: 2 });

interface Turn {
  readonly kind: "crash" | "stop";
  readonly afterMs: number;
}

interface Scenario {
  readonly keys: number;
  readonly maxBatch: number;
  readonly seed: number;
  readonly rate: number;
  readonly turns: readonly Turn[];
}

const scenario: fc.Arbitrary<Scenario> = fc.record({
  keys: fc.integer({ min: 1, max: 12 }),
  maxBatch: fc.integer({ min: 1, max: 30 }),
  seed: fc.integer(),
  rate: fc.constantFrom(0, 0.03),
  turns: fc.array(
    fc.record({
      kind: fc.constantFrom("crash", "crash", "stop"),
      afterMs: fc.integer({ min: 0, max: 1_500 }),
    }),
    { maxLength: 5 },
  ),
});

interface Worker {
  readonly adapter: FaultyAdapter;
  readonly connection: Connection;
  readonly running: Running;
}

const twice = (item: Item): Item[] => [item, { ...item, n: item.n + 1_000 }];

function planOf(connection: Connection, maxBatch: number, next: () => number): Pipeline {
  const write = async (batch: readonly Item[], call: SinkCall): Promise<void> => {
    await connection.write(batch, call);
    if (next() < 0.2) {
      throw new Error("written, but the answer was lost");
    }
  };
  const retry = { attempts: 100, backoff: "10 ms", longest: "50 ms" } as const;
  return pipeline("index", stream(source).pipe(flatMap(twice), sink(write, { maxBatch, retry })));
}

async function play(top: Bench, outside: Outside, { maxBatch, seed, rate, turns }: Scenario): Promise<void> {
  const next = random(seed);
  const start = async (): Promise<Worker> => {
    const adapter = faultyAdapter(top.adapter, { seed: Math.floor(next() * 2 ** 31), rate });
    const connection = connectionTo(outside, top, () => Math.floor(next() * 60));
    const { app } = workerOf(top, { session: "1 s" }, { adapter });
    const running = await top.settle(whenItStarts(() => app.run(planOf(connection, maxBatch, next))));
    return { adapter, connection, running };
  };
  let worker = await start();
  for (const { kind, afterMs } of turns) {
    await top.clock.advance(afterMs);
    if (kind === "crash") {
      worker.connection.close();
      worker.adapter.crash();
    } else {
      await top.settle(worker.running.stop());
    }
    worker = await start();
  }
  await top.settle(worker.running.done);
}

it("whatever befalls its workers, it gets every value at least once, under one idempotency key, and the last of a key last", async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async (given) => {
      const top = bench();
      const outside = new Outside();
      const values = sequence(150, given.keys);
      await top.send(source, values);
      await play(top, outside, given);

      const all = values.flatMap(twice);
      expect(new Set(outside.writes)).toEqual(new Set(all.map(({ n }) => n)));
      expect(sorted(outside.rows)).toEqual(sorted(lastOf(all)));
      const keys = [...outside.keys.values()].map((set) => [...set]);
      expect(keys.filter(({ length }) => length !== 1)).toEqual([]);
      expect(new Set(keys.flat()).size).toBe(all.length);
    }),
    { numRuns: 25 },
  );
});

/** Starting meets faults, too; a program would start again. */
async function whenItStarts<A>(run: () => Promise<A>): Promise<A> {
  for (;;) {
    try {
      return await run();
    } catch (error) {
      if ((error as { readonly retriable?: boolean }).retriable !== true) {
        throw error;
      }
    }
  }
}
