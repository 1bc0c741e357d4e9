import { readFile } from "node:fs/promises";
import {
  batch,
  flatMap,
  map,
  mapOrdered,
  mapUnordered,
  type Pipeline,
  pipeline,
  sink,
  sleep,
  stream,
} from "@millrace/core";
import { bufferCount } from "rxjs";
import { describe, expect, it, vi } from "vitest";
import { createTestDriver, TestDriverError } from "../../src/index.ts";
import { type Order, order, orders, type Row, rejection, sequence, totals } from "./support/orders.ts";

const rowOf = ({ customer, total }: Order): Row => totals.of({ customer, n: total });

/** A pipeline of one handler. */
function handling(
  handler: (order: Order) => Promise<Row>,
  options: Parameters<typeof mapOrdered<Order, Row>>[1] = {},
): Pipeline {
  return pipeline("handling", stream(orders).pipe(mapOrdered(handler, { name: "handle", ...options }), sink(totals)));
}

const never = (): Promise<never> => new Promise(() => {});

describe("handlers that take real time", () => {
  it("are waited for, and no virtual time passes meanwhile", async () => {
    const plan = handling(
      async (value) => {
        await new Promise((resolve) => setTimeout(resolve, 300));
        return rowOf(value);
      },
      { timeout: "20 ms" },
    );
    await using driver = await createTestDriver(plan);
    const before = driver.clock.now();
    await driver.send(orders, sequence(10));
    expect(await driver.values(totals)).toHaveLength(10);
    expect(driver.clock.now()).toBe(before);
  });

  it("may use files, chains of timers and turns of the event loop", async () => {
    const plan = handling(async (value) => {
      await readFile(new URL(import.meta.url));
      for (let n = 0; n < 20; n += 1) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      await new Promise((resolve) => setTimeout(resolve, 2));
      await new Promise((resolve) => setTimeout(resolve, 2));
      return rowOf(value);
    });
    await using driver = await createTestDriver(plan);
    const before = driver.clock.now();
    await driver.send(orders, sequence(30));
    expect(await driver.values(totals)).toHaveLength(30);
    expect(driver.clock.now()).toBe(before);
  });

  it("are given up when they take longer than realWithin, with what they are", async () => {
    const plan = handling(
      () => new Promise((resolve) => setTimeout(() => resolve({ customer: "ann", n: 1 }), 60_000).unref()),
    );
    await using driver = await createTestDriver(plan, { realWithin: "30 ms", within: "1 s" });
    expect(await rejection(driver.send(orders, order("ann")))).toMatchObject({ _tag: "NotSettled" });
  });
});

describe("handlers that wait on the driver's clock", () => {
  it("have as much time as they need", async () => {
    const plan = handling(async (value) => {
      await sleep(driver.clock, 90_000);
      return rowOf(value);
    });
    await using driver = await createTestDriver(plan);
    const before = driver.clock.now();
    await driver.send(orders, order("ann"));
    expect(await driver.values(totals)).toHaveLength(1);
    expect(driver.clock.now()).toBe(before + 90_000);
  });

  it("wait for the test where time stands", async () => {
    const plan = handling(async (value) => {
      await sleep(driver.clock, 1_000);
      return rowOf(value);
    });
    await using driver = await createTestDriver(plan);
    await driver.send(orders, order("ann"), { time: "stands" });
    await driver.advance("999 ms");
    expect(await driver.values(totals)).toEqual([]);
    await driver.advance("1 ms");
    expect(await driver.values(totals)).toHaveLength(1);
  });
});

describe("a handler that never resolves", () => {
  it("ends the call with an error that names the operator and the task", async () => {
    await using driver = await createTestDriver(handling(never), { partitions: 1, realWithin: "20 ms" });
    const startMs = performance.now();
    const error = await rejection(driver.send(orders, sequence(3)));
    expect(error).toBeInstanceOf(TestDriverError);
    expect(error).toMatchObject({ _tag: "NotSettled", code: "MR_TEST_NOT_SETTLED" });
    expect(String(error)).toContain('operator "mapOrdered handle" in the task of orders/0 (3 calls)');
    expect(performance.now() - startMs).toBeLessThan(5_000);
  });

  it("is left alone by a crash, and by the closing of the driver", async () => {
    const driver = await createTestDriver(handling(never));
    await driver.send(orders, order("ann"), { time: "stands" });
    await driver.crash();
    await driver.advance("1 minute");
    await driver.close();
    const other = await createTestDriver(handling(never));
    await other.send(orders, order("ann"), { time: "stands" });
    await other.close();
    expect(other.workers).toEqual([{ name: "worker-1", state: "crashed" }]);
  });

  it("runs into its timeout", async () => {
    const plan = handling(never, { timeout: "3 s", settle: "1 s" });
    await using driver = await createTestDriver(plan);
    expect(await rejection(driver.send(orders, order("ann")))).toMatchObject({
      _tag: "WorkerFailed",
      cause: { cause: { _tag: "HandlerTimeout" } },
    });
  });

  it("may heed its signal, and then becomes a dead letter", async () => {
    const plan = pipeline(
      "handling",
      stream(orders).pipe(
        mapOrdered(
          (_: Order, _record, { signal }) =>
            new Promise<Row>((_resolve, reject) => {
              signal.addEventListener("abort", () => reject(signal.reason as Error));
            }),
          { timeout: "3 s", onError: "deadLetter" },
        ),
        sink(totals),
      ),
    );
    await using driver = await createTestDriver(plan);
    const before = driver.clock.now();
    await driver.send(orders, order("ann"));
    expect(await driver.deadLetters(orders)).toMatchObject([{ errors: [{ name: "MillraceError" }] }]);
    expect(driver.clock.now()).toBe(before + 3_000);
  });
});

describe("a handler that the test holds", () => {
  it("goes on when the test lets it", async () => {
    const held: (() => void)[] = [];
    const plan = handling(async (value) => {
      await new Promise<void>((resolve) => held.push(resolve));
      return rowOf(value);
    });
    await using driver = await createTestDriver(plan, { partitions: 1 });
    await driver.send(orders, sequence(2), { time: "stands" });
    expect(held).toHaveLength(2);
    held[1]?.();
    await driver.advance("5 s");
    expect(await driver.values(totals)).toEqual([]);
    held[0]?.();
    await driver.advance("0 s");
    expect(await driver.values(totals)).toHaveLength(2);
  });
});

describe("calls that are repeated", () => {
  it("pass the pauses in between", async () => {
    let calls = 0;
    const plan = handling(
      async (value) => {
        calls += 1;
        if (calls < 5) {
          throw new Error("not yet");
        }
        return rowOf(value);
      },
      { retry: { attempts: 5, backoff: "10 s", longest: "1 minute" } },
    );
    await using driver = await createTestDriver(plan);
    const before = driver.clock.now();
    await driver.send(orders, order("ann"));
    expect(await driver.values(totals)).toHaveLength(1);
    // 10, 20, 40 and 60 s, less up to a half at random.
    expect(driver.clock.now() - before).toBeGreaterThanOrEqual(65_000);
    expect(driver.clock.now() - before).toBeLessThanOrEqual(131_000);
  });

  it("wait for the test where time stands", async () => {
    let calls = 0;
    const plan = handling(
      async (value) => {
        calls += 1;
        if (calls < 2) {
          throw new Error("not yet");
        }
        return rowOf(value);
      },
      { retry: { attempts: 2, backoff: "10 s" } },
    );
    await using driver = await createTestDriver(plan);
    await driver.send(orders, order("ann"), { time: "stands" });
    expect(calls).toBe(1);
    await driver.advance("10 s");
    expect(calls).toBe(2);
    expect(await driver.values(totals)).toHaveLength(1);
  });
});

describe("values that wait inside of operators", () => {
  const batches = pipeline(
    "batches",
    stream(orders).pipe(
      batch(3, { within: "30 s" }),
      flatMap((values) => values.map(({ customer }) => totals.of({ customer, n: values.length }))),
      sink(totals),
    ),
  );

  it("are a batch when it is full, or when its time is over", async () => {
    await using driver = await createTestDriver(batches, { partitions: 1 });
    const before = driver.clock.now();
    await driver.send(orders, sequence(3));
    expect(driver.clock.now()).toBe(before);
    await driver.send(orders, sequence(2), { time: "stands" });
    expect((await driver.values(totals)).map(({ n }) => n)).toEqual([3, 3, 3]);
    await driver.advance("29 s");
    expect(await driver.values(totals)).toHaveLength(3);
    await driver.advance("1 s");
    expect((await driver.values(totals)).map(({ n }) => n)).toEqual([3, 3, 3, 2, 2]);
    await driver.send(orders, order("ann"));
    expect((await driver.values(totals)).map(({ n }) => n)).toEqual([3, 3, 3, 2, 2, 1]);
    expect(driver.clock.now()).toBe(before + 60_000);
  });

  it("are not waited for in an operator of RxJS that only another record empties", async () => {
    const pairs = pipeline(
      "pairs",
      stream(orders).pipe(
        bufferCount(2),
        map((values) => totals.of({ customer: "all", n: values.length })),
        sink(totals),
      ),
    );
    await using driver = await createTestDriver(pairs, { partitions: 1 });
    await driver.send(orders, order("ann"));
    expect(await driver.committed(orders)).toMatchObject([{ records: 0, lag: 1 }]);
    await driver.send(orders, order("ann"));
    expect(await driver.committed(orders)).toMatchObject([{ records: 2, lag: 0 }]);
  });
});

describe("sinks of one's own", () => {
  it("get what the pipeline writes, and are waited for", async () => {
    const written: number[] = [];
    const plan = pipeline(
      "external",
      stream(orders).pipe(
        mapUnordered(async ({ total }: Order) => total),
        sink(async (values) => {
          await new Promise((resolve) => setTimeout(resolve, 5));
          written.push(...values);
        }),
      ),
    );
    await using driver = await createTestDriver(plan);
    await driver.send(orders, sequence(500));
    expect(written.toSorted((a, b) => a - b)).toEqual(sequence(500).map(({ total }) => total));
    expect((await driver.committed(orders)).reduce((sum, { records }) => sum + records, 0)).toBe(500);
  });

  it("are asked once for a promise that is made anew each time", async () => {
    let begun = 0;
    const query = {};
    // As query builders do, it begins anew each time that somebody asks for its result.
    Reflect.set(query, "then", (resolve: (row: Row) => unknown) => {
      begun += 1;
      return Promise.resolve(resolve({ customer: "ann", n: begun }));
    });
    const plan = handling(() => query as Promise<Row>);
    await using driver = await createTestDriver(plan);
    await driver.send(orders, order("ann"));
    expect(begun).toBe(1);
  });
});

it.each([undefined, { toFake: ["setImmediate" as const] }])(
  "fake timers of a test runner end in an error that says so: %j",
  async (fakes) => {
    const plan = handling(async (value) => rowOf(value));
    await using driver = await createTestDriver(plan, { realWithin: "20 ms", within: "1 s" });
    vi.useFakeTimers(fakes);
    try {
      expect(String(await rejection(driver.send(orders, order("ann"))))).toContain("must leave setImmediate alone");
    } finally {
      vi.useRealTimers();
    }
  },
);

it("fake timers that leave setImmediate alone do no harm", async () => {
  vi.useFakeTimers({ toFake: ["Date", "setTimeout", "performance"] });
  try {
    const plan = handling(async (value) => rowOf(value));
    await using driver = await createTestDriver(plan, { realWithin: "20 ms", within: "1 s" });
    await driver.send(orders, order("ann"));
    expect(await driver.values(totals)).toHaveLength(1);
    expect(await rejection(driver.until(new Promise(() => {})))).toMatchObject({ _tag: "NotSettled" });
  } finally {
    vi.useRealTimers();
  }
});
