import {
  type Call,
  flatMap,
  HandlerError,
  limiter,
  type MapOrderedOptions,
  mapOrdered,
  type Pipeline,
  pipeline,
  sink,
  stream,
} from "@millrace/core";
import { describe, expect, it } from "vitest";
import { type Bench, bench, type Item, items, rejection, sequence } from "./support/bench-top.ts";
import { faultyAdapter } from "./support/faulty-adapter.ts";
import { pick, workerOf } from "./support/workers.ts";

const source = items("source", { partitions: 2 });
const copy = items("copy", { partitions: 1 });

type Handle = (item: Item, call: Call) => Promise<Item>;

function planOf(handle: Handle, options: MapOrderedOptions<Item> = {}): Pipeline {
  return pipeline(
    "copy",
    stream(source).pipe(
      mapOrdered((item: Item, _record, call) => handle(item, call), options),
      sink(copy),
    ),
  );
}

function later(top: Bench, ms: number): Promise<void> {
  return new Promise((resolve) => {
    top.clock.after(ms, resolve);
  });
}

async function written(top: Bench): Promise<number[]> {
  return (await top.read(copy)).map(({ value }) => value.n);
}

describe("a handler that fails", () => {
  it("is called again in its place: its key and all results behind it wait, other keys go on", async () => {
    const top = bench();
    const calls: string[] = [];
    const one = items("source", { partitions: 2, key: () => "same partition" });
    await top.send(one, sequence(6, 2));
    const { app, events } = workerOf(top);
    const lanes = pipeline(
      "copy",
      stream(one).pipe(
        mapOrdered(
          async (item: Item, _record, call) => {
            calls.push(`${item.key} ${item.n} ${call.attempt}`);
            if (item.n === 0 && call.attempt < 4) {
              throw new Error("not yet");
            }
            return item;
          },
          { lane: (item) => item.key, retry: { attempts: 4, backoff: "1 s" } },
        ),
        sink(copy),
      ),
    );
    const running = await top.settle(app.run(lanes));
    await top.settle(running.done);
    expect(calls.slice(0, 4)).toEqual(["k0 0 1", "k1 1 1", "k1 3 1", "k1 5 1"]);
    expect(calls.slice(4)).toEqual(["k0 0 2", "k0 0 3", "k0 0 4", "k0 2 1", "k0 4 1"]);
    expect(await written(top)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(pick(events, "Retried").map(({ attempt }) => attempt)).toEqual([2, 3, 4]);
    // Twice as long each time, less up to a half.
    const pauses = pick(events, "Retried").map(({ pauseMs }) => pauseMs);
    pauses.forEach((pauseMs, index) => {
      expect(pauseMs).toBeGreaterThanOrEqual(500 * 2 ** index);
      expect(pauseMs).toBeLessThanOrEqual(1_000 * 2 ** index);
    });
  });

  it("for ever stops the task with its last error; what came before commits", async () => {
    const top = bench();
    let calls = 0;
    const plan = planOf(
      async (item) => {
        if (item.n === 20) {
          calls += 1;
          throw new RangeError(`call ${calls}`);
        }
        return item;
      },
      { retry: { attempts: 3 } },
    );
    const single = items("source", { partitions: 2, key: () => "one" });
    await top.send(single, sequence(40, 4));
    const running = await top.settle(top.app().run(plan));
    const error = await top.settle(rejection(running.done));
    expect(error).toBeInstanceOf(HandlerError);
    expect(error).toMatchObject({ _tag: "HandlerError", cause: { message: "call 3" } });
    expect(await written(top)).toEqual(sequence(20).map(({ n }) => n));
  });

  it.each([
    ["is not called again where `when` says that it is of no use", (): boolean => false, "for good"],
    [
      "stops the task with the error of `when`, where that throws",
      (): boolean => {
        throw new Error("when failed");
      },
      "when failed",
    ],
  ])("%s", async (_name, when, message) => {
    const top = bench();
    let calls = 0;
    const plan = planOf(
      async () => {
        calls += 1;
        throw new Error("for good");
      },
      { retry: { attempts: 5, when } },
    );
    await top.send(source, sequence(1));
    const running = await top.settle(top.app().run(plan));
    expect(await top.settle(rejection(running.done))).toMatchObject({ cause: { message } });
    expect(calls).toBe(1);
  });
});

describe("a handler that is late", () => {
  it("has its signal aborted, counts as failed when it rejects, and is called again", async () => {
    const top = bench();
    const plan = planOf(
      (item, { attempt, signal }) =>
        new Promise((resolve, reject) => {
          if (attempt > 1) {
            resolve(item);
          }
          signal.addEventListener("abort", () => reject(signal.reason), { once: true });
        }),
      { timeout: "2 s", retry: { attempts: 2 } },
    );
    await top.send(source, sequence(10));
    const { app, events } = workerOf(top);
    const running = await top.settle(app.run(plan));
    await top.settle(running.done);
    expect((await written(top)).toSorted((a, b) => a - b)).toEqual(sequence(10).map(({ n }) => n));
    expect(pick(events, "Retried")).toHaveLength(10);
  });

  it("and resolves all the same has done its work: the result counts", async () => {
    const top = bench();
    const plan = planOf(
      async (item) => {
        await later(top, 3_000);
        return item;
      },
      { timeout: "2 s", retry: { attempts: 2 } },
    );
    await top.send(source, sequence(10));
    const { app, events } = workerOf(top);
    const running = await top.settle(app.run(plan));
    await top.settle(running.done);
    expect(await written(top)).toHaveLength(10);
    expect(pick(events, "Retried")).toEqual([]);
  });

  it("and never settles stops the task, and is not called beside itself", async () => {
    const top = bench();
    let calls = 0;
    const plan = planOf(
      () => {
        calls += 1;
        return new Promise<Item>(() => {});
      },
      { timeout: "2 s", settle: "1 s", retry: { attempts: 5 } },
    );
    await top.send(source, sequence(1));
    const running = await top.settle(top.app().run(plan));
    const error = await top.settle(rejection(running.done));
    expect(error).toMatchObject({
      _tag: "HandlerError",
      cause: { _tag: "HandlerTimeout", code: "MR_HANDLER_TIMEOUT" },
    });
    expect((error as Error).message).toMatch(/2000 ms.*heed the signal/);
    expect(calls).toBe(1);
  });
});

describe("a limiter", () => {
  it("holds for all tasks and pipelines that share it, and starves none", async () => {
    const top = bench();
    const limit = limiter(3);
    let running = 0;
    let most = 0;
    const handle: Handle = async (item) => {
      running += 1;
      most = Math.max(most, running);
      await later(top, 10);
      running -= 1;
      return item;
    };
    const other = items("other", { partitions: 2 });
    const plans = [
      planOf(handle, { limit }),
      pipeline(
        "second",
        stream(other).pipe(
          mapOrdered((item: Item, _record, call) => handle(item, call), { limit, lane: "none" }),
          sink(copy),
        ),
      ),
    ];
    await top.send(source, sequence(60, 20));
    await top.send(other, sequence(60, 20));
    const work = await top.settle(top.app().run(plans));
    await top.settle(work.done);
    expect(most).toBe(3);
    expect(await written(top)).toHaveLength(120);
  });

  it("gives a place that a stopped task waited for, or held, to the next", async () => {
    const top = bench();
    const limit = limiter(1);
    const hold = planOf(() => new Promise<Item>(() => {}), { limit, timeout: "1 s", settle: "1 s" });
    await top.send(source, sequence(4), { end: false });
    const first = await top.settle(top.app().run(hold));
    await top.settle(rejection(first.done));
    // The handler that hangs is given up: nobody waits for its place.
    const next = await top.settle(top.app().run(planOf(async (item) => item, { limit })));
    await top.clock.advance(2_000);
    expect(await written(top)).toHaveLength(4);
    await top.settle(next.stop());
  });

  it.each([0, -1, 1.5, Number.NaN])("of %d is refused", (max) => {
    expect(() => limiter(max)).toThrow(/whole number/);
  });
});

describe("an idempotency key", () => {
  it("is the same in every call for a value, also after a crash, and another for every other value and operator", async () => {
    const top = bench();
    const keys = new Map<string, Set<string>>();
    const noted = (stage: string) => async (item: Item, _record: unknown, call: Call) => {
      const id = `${stage} ${item.n} ${item.at}`;
      keys.set(id, (keys.get(id) ?? new Set()).add(call.idempotencyKey));
      await later(top, 20);
      if (call.attempt === 1 && item.n % 5 === 0) {
        throw new Error("again");
      }
      return item;
    };
    const twice = (item: Item): Item[] => [item, { ...item, at: item.at + 1 }];
    const retry = { attempts: 3 };
    const plan = pipeline(
      "copy",
      stream(source).pipe(
        mapOrdered(noted("a"), { retry }),
        flatMap(twice),
        mapOrdered(noted("b"), { retry }),
        sink(copy),
      ),
    );
    await top.send(source, sequence(60, 10));
    const adapter = faultyAdapter(top.adapter, { seed: 1, rate: 0 });
    const dying = workerOf(top, { id: "worker" }, { adapter });
    await top.settle(dying.app.run(plan));
    await top.clock.advance(300);
    adapter.crash();
    const running = await top.settle(workerOf(top, { id: "worker" }).app.run(plan));
    await top.settle(running.done);
    expect(keys.size).toBe(180);
    expect([...keys.values()].map(({ size }) => size)).toEqual(Array.from({ length: 180 }, () => 1));
    expect(new Set([...keys.values()].flatMap((set) => [...set])).size).toBe(180);
    expect(await written(top)).toHaveLength(120);
  });
});

describe("options of mapOrdered", () => {
  it.each([
    [{ concurrency: 0 }, /concurrency/],
    [{ retry: { attempts: 0 } }, /attempts/],
    [{ retry: { attempts: 1.5 } }, /attempts/],
    [{ limit: { max: 3 } }, /limiter\(max\)/],
  ] satisfies [MapOrderedOptions<Item>, RegExp][])("%j are refused", (options, reason) => {
    expect(() => planOf(async (item) => item, options)).toThrow(reason);
  });
});
