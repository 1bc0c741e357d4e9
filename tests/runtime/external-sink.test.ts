/** `sink(fn)` in a pipeline, against an outside store that outlives the workers. */
import { HandlerError, type Pipeline, pipeline, type SinkCall, type SinkOptions, sink, stream } from "@millrace/core";
import { describe, expect, it } from "vitest";
import { bench, type Item, items, rejection, sequence } from "./support/bench-top.ts";
import { connectionTo, lastOf, Outside, sorted } from "./support/external-sink.ts";
import { pick, workerOf } from "./support/workers.ts";

const source = items("source", { partitions: 2 });

function planOf(
  write: (values: readonly Item[], call: SinkCall) => Promise<unknown>,
  options: SinkOptions<Item> = {},
): Pipeline {
  return pipeline("index", stream(source).pipe(sink(write, options)));
}

const numbers = (count: number): number[] => sequence(count).map(({ n }) => n);

describe("an external sink", () => {
  it("gets every value once, those of a key in order, in batches; and none again when the pipeline runs again", async () => {
    const top = bench();
    const outside = new Outside();
    const { write } = connectionTo(outside, top, () => 20);
    await top.send(source, sequence(1_000, 50), { end: false });
    const { app, events } = workerOf(top);
    const running = await top.settle(app.run(planOf(write)));
    await top.clock.advance(2_000);
    await top.settle(running.stop());
    expect(outside.writes.toSorted((a, b) => a - b)).toEqual(numbers(1_000));
    expect(sorted(outside.rows)).toEqual(sorted(lastOf(sequence(1_000, 50))));
    expect(Math.max(...outside.batches)).toBe(100);
    expect(pick(events, "Committed").reduce((sum, { records }) => sum + records, 0)).toBe(1_000);

    await top.send(source, []);
    await top.complete(top.app(), planOf(write));
    expect(outside.writes).toHaveLength(1_000);
  });

  it("holds the record's commit back until its call has resolved", async () => {
    const top = bench();
    const ends: (() => void)[] = [];
    await top.send(source, sequence(5, 1));
    const { app, events } = workerOf(top);
    const running = await top.settle(app.run(planOf(() => new Promise<void>((resolve) => ends.push(resolve)))));
    await top.clock.advance(10_000);
    expect(ends).toHaveLength(1);
    expect(pick(events, "Committed").filter(({ records }) => records > 0)).toEqual([]);
    ends[0]?.();
    await top.settle(running.done);
    expect(pick(events, "Committed").reduce((sum, { records }) => sum + records, 0)).toBe(5);
  });

  it("stops in the middle: what was begun is finished and committed, the rest is left to the next, nothing is written twice", async () => {
    const top = bench();
    const outside = new Outside();
    const { write } = connectionTo(outside, top, () => 100);
    await top.send(source, sequence(400, 20));
    const running = await top.settle(top.app().run(planOf(write, { maxBatch: 10 })));
    await top.clock.advance(450);
    await top.settle(running.stop());
    const { length } = outside.writes;
    expect(length).toBeGreaterThan(0);
    expect(length).toBeLessThan(400);
    await top.complete(top.app(), planOf(write, { maxBatch: 10 }));
    expect(outside.writes.toSorted((a, b) => a - b)).toEqual(numbers(400));
    expect(sorted(outside.rows)).toEqual(sorted(lastOf(sequence(400, 20))));
  });

  it("that does not end in time is aborted; its values are written again by the next", async () => {
    const top = bench();
    const outside = new Outside();
    const signals: AbortSignal[] = [];
    await top.send(source, sequence(5, 1));
    const hanging = planOf((_values, { signal }) => {
      signals.push(signal);
      return new Promise(() => {});
    });
    const running = await top.settle(top.app().run(hanging));
    await top.clock.advance(500);
    await top.settle(running.stop({ within: "1 s" }));
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    await top.complete(top.app(), planOf(connectionTo(outside, top, () => 1).write));
    expect(outside.writes).toEqual(numbers(5));
  });
});

describe("an external sink that fails", () => {
  it("is called again with the same values, and reports each repetition", async () => {
    const top = bench();
    const outside = new Outside();
    await top.send(source, sequence(3, 1));
    const plan = planOf(
      async (values, call) => {
        if (call.attempt < 3) {
          throw new Error("not yet");
        }
        outside.upsert(values, call);
      },
      { retry: { attempts: 3 } },
    );
    const { app, events } = workerOf(top);
    await top.complete(app, plan);
    expect(pick(events, "Retried").map(({ attempt }) => attempt)).toEqual([2, 3]);
    expect(outside.writes).toEqual([0, 1, 2]);
  });

  it("is told by its signal that it is late, and called again", async () => {
    const top = bench();
    const outside = new Outside();
    await top.send(source, sequence(3, 1));
    const plan = planOf(
      async (values, call) => {
        if (call.attempt === 1) {
          await new Promise((_resolve, reject) => {
            call.signal.addEventListener("abort", () => reject(call.signal.reason), { once: true });
          });
        }
        outside.upsert(values, call);
      },
      { timeout: "2 s", retry: { attempts: 2 } },
    );
    await top.complete(top.app(), plan);
    expect(outside.writes).toEqual([0, 1, 2]);
  });

  it("for good stops the task in front of the batch, with an error that names the sink and the record", async () => {
    const top = bench();
    const outside = new Outside();
    const { write } = connectionTo(outside, top, () => 10);
    await top.send(source, sequence(60, 1));
    const index = async (values: readonly Item[], call: SinkCall): Promise<void> => {
      if (values.some(({ n }) => n === 40)) {
        throw new RangeError("secret payload");
      }
      await write(values, call);
    };
    const { app, events } = workerOf(top);
    const error = await rejection(top.complete(app, planOf(index, { maxBatch: 7 })));
    expect(error).toBeInstanceOf(HandlerError);
    expect((error as Error).message).toMatch(
      /operator "sink index.*behind source" failed for the record at source\/\d/,
    );
    expect((error as Error).message).not.toContain("secret");
    const committed = pick(events, "Committed").reduce((sum, { records }) => sum + records, 0);
    expect(committed).toBeGreaterThan(40 - 7);
    expect(committed).toBeLessThanOrEqual(40);
    expect(new Set(outside.writes)).toEqual(new Set(numbers(committed)));
  });

  it("skips the one value of a batch that it cannot take, and writes all others", async () => {
    const top = bench();
    const outside = new Outside();
    await top.send(source, sequence(60, 1));
    const plan = planOf(
      async (values, call) => {
        if (values.some(({ n }) => n === 40)) {
          throw new RangeError("poison");
        }
        outside.upsert(values, call);
      },
      { onError: "skip" },
    );
    const { app, events } = workerOf(top);
    await top.complete(app, plan);
    expect(outside.writes).toEqual(numbers(60).filter((n) => n !== 40));
    expect(pick(events, "Skipped").map(({ error }) => (error as Error).message)).toEqual(["poison"]);
  });

  it("parks the key of a value that it cannot take: later values of the key become letters, and are written when redriven", async () => {
    const top = bench();
    const outside = new Outside();
    let isPoisonous = true;
    await top.send(source, sequence(60, 3), { end: false });
    const plan = planOf(
      async (values, call) => {
        if (isPoisonous && values.some(({ n }) => n === 30)) {
          throw new RangeError("poison");
        }
        outside.upsert(values, call);
      },
      { onError: "park", maxBatch: 10, name: "index" },
    );
    const { app } = workerOf(top);
    const running = await top.settle(app.run(plan));
    await top.clock.advance(2_000);
    const parked = numbers(60).filter((n) => n % 3 === 0 && n >= 30);
    expect(outside.writes.toSorted((a, b) => a - b)).toEqual(numbers(60).filter((n) => !parked.includes(n)));
    isPoisonous = false;
    await top.settle(app.deadLetters(plan).redrive({ all: true }));
    expect(outside.writes.filter((n) => parked.includes(n))).toEqual(parked);
    expect(sorted(outside.rows)).toEqual(sorted(lastOf(sequence(60, 3))));
    await top.settle(running.stop());
  });
});
