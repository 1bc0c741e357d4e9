import { filter, map, mapOrdered, partitionBy, pipeline, sink, stream } from "@millrace/core";
import { describe, expect, it } from "vitest";
import { createTestDriver, TestDriverError, type TestDriverOptions } from "../../src/index.ts";
import { type Order, order, orders, perMinute, rejection, sequence, totals } from "./support/orders.ts";

/** A handler that fails for an order, until it is repaired. */
class Poison {
  isRepaired = false;
  calls = 0;
  readonly total: number;

  constructor(total: number) {
    this.total = total;
  }

  readonly charge = async ({ customer, total }: Order): Promise<{ customer: string; n: number }> => {
    this.calls += 1;
    if (total === this.total && !this.isRepaired) {
      throw new RangeError("refused by the bank");
    }
    return totals.of({ customer, n: total });
  };
}

type OnError = "fail" | "quarantine" | "skip" | "deadLetter" | "park";

function chargesOf(poison: Poison, onError: OnError, retry: { readonly attempts: number } | null = null) {
  const options = retry === null ? { onError } : { onError, retry };
  return pipeline(
    "charges",
    stream(orders).pipe(mapOrdered(poison.charge, { name: "charge", ...options }), sink(totals)),
  );
}

async function driverOf(poison: Poison, onError: OnError, options: TestDriverOptions = {}) {
  return await createTestDriver(chargesOf(poison, onError), { partitions: 1, ...options });
}

describe("a task that fails", () => {
  it("rejects the call in which it fails, with worker, operator, record and what was thrown", async () => {
    await using driver = await driverOf(new Poison(2), "fail");
    const error = await rejection(driver.send(orders, sequence(5)));
    expect(error).toBeInstanceOf(TestDriverError);
    expect(error).toMatchObject({
      _tag: "WorkerFailed",
      code: "MR_TEST_WORKER_FAILED",
      cause: { _tag: "HandlerError", cause: { message: "refused by the bank" } },
    });
    expect(String(error)).toMatch(
      /^TestDriverError: worker worker-1 stopped: operator "mapOrdered charge.*" failed for the record at orders\/0 offset/,
    );
  });

  it("has committed what came before, is told once, and can be started again", async () => {
    const poison = new Poison(2);
    await using driver = await driverOf(poison, "fail");
    await rejection(driver.send(orders, sequence(5)));
    expect(await driver.values(totals)).toEqual([0, 1].map((n) => ({ customer: `c${n}`, n })));
    expect(driver.workers).toEqual([{ name: "worker-1", state: "failed" }]);
    expect(await driver.committed(orders)).toMatchObject([{ records: 2, lag: 3 }]);
    await driver.send(orders, order("late", 9, 9));
    expect(await rejection(driver.restart())).toMatchObject({ _tag: "WorkerFailed" });
    poison.isRepaired = true;
    await driver.restart();
    expect((await driver.values(totals)).map(({ n }) => n)).toEqual([0, 1, 2, 3, 4, 9]);
  });

  it("rejects whatever comes next, where it fails behind a call that did not wait", async () => {
    let fail: (error: Error) => void = () => {};
    const waits = pipeline(
      "waits",
      stream(orders).pipe(
        mapOrdered(
          () =>
            new Promise<never>((_resolve, reject) => {
              fail = reject;
            }),
        ),
        sink(totals),
      ),
    );
    await using driver = await createTestDriver(waits);
    await driver.send(orders, order("ann"), { time: "stands" });
    fail(new Error("much later"));
    // First the worker has to come to an end.
    expect(await rejection(driver.advance("10 s"))).toMatchObject({ _tag: "WorkerFailed" });
    expect(await driver.values(totals)).toEqual([]);
  });

  it("rejects a call that only reads, too", async () => {
    let fail: (error: Error) => void = () => {};
    const waits = pipeline(
      "waits",
      stream(orders).pipe(
        mapOrdered(
          () =>
            new Promise<never>((_resolve, reject) => {
              fail = reject;
            }),
        ),
        sink(totals),
      ),
    );
    await using driver = await createTestDriver(waits);
    await driver.send(orders, order("ann"), { time: "stands" });
    fail(new Error("much later"));
    await driver.clock.advance(20_000);
    expect(await rejection(driver.values(totals))).toMatchObject({ _tag: "WorkerFailed" });
    expect(await driver.values(totals)).toEqual([]);
  });

  it("rejects the closing of the driver, where nobody was told before", async () => {
    let fail: (error: Error) => void = () => {};
    const waits = pipeline(
      "waits",
      stream(orders).pipe(
        mapOrdered(
          () =>
            new Promise<never>((_resolve, reject) => {
              fail = reject;
            }),
        ),
        sink(totals),
      ),
    );
    const driver = await createTestDriver(waits);
    await driver.send(orders, order("ann"), { time: "stands" });
    fail(new Error("much later"));
    await driver.clock.advance(20_000);
    expect(await rejection(driver.close())).toMatchObject({ _tag: "WorkerFailed" });
  });

  it("takes the workers with it that take it over", async () => {
    const poison = new Poison(2);
    await using driver = await driverOf(poison, "fail", { partitions: 2 });
    await driver.addWorker();
    const error = await rejection(driver.send(orders, sequence(20)));
    expect(error).toMatchObject({ _tag: "WorkerFailed" });
    expect(String(error)).toContain("workers worker-1, worker-2 stopped: operator");
    expect(driver.workers.map(({ state }) => state)).toEqual(["failed", "failed"]);
  });

  it("starts again by itself where the option says so, when time passes", async () => {
    const poison = new Poison(2);
    await using driver = await driverOf(poison, "fail", { restart: { backoff: "1 s" } });
    await driver.send(orders, sequence(5));
    expect((await driver.values(totals)).map(({ n }) => n)).toEqual([0, 1]);
    await driver.advance("1 s");
    expect((await driver.values(totals)).map(({ n }) => n)).toEqual([0, 1]);
    expect(driver.events.filter(({ _tag }) => _tag === "Restarting").length).toBeGreaterThan(1);
    poison.isRepaired = true;
    await driver.advance("30 s");
    expect((await driver.values(totals)).map(({ n }) => n)).toEqual([0, 1, 2, 3, 4]);
  });

  it("fails within the push as well", async () => {
    const broken = pipeline(
      "broken",
      stream(orders).pipe(
        filter(({ total }) => {
          if (total === 3) {
            throw new TypeError("no such total");
          }
          return true;
        }),
        map(({ customer, total }) => totals.of({ customer, n: total })),
        sink(totals),
      ),
    );
    await using driver = await createTestDriver(broken);
    expect(await rejection(driver.send(orders, sequence(8)))).toMatchObject({
      _tag: "WorkerFailed",
      cause: { cause: { message: "no such total" } },
    });
    expect((await driver.values(totals)).length).toBeGreaterThan(0);
  });
});

describe("a pipeline that cannot run", () => {
  it("rejects the making of the driver, as app.run does", async () => {
    const plan = chargesOf(new Poison(2), "fail");
    expect(await rejection(createTestDriver([plan, plan]))).toMatchObject({ _tag: "InvalidPipeline" });
    const five = { ...totals, partitions: 5 };
    const other = pipeline("other", stream(orders).pipe(mapOrdered(new Poison(2).charge), sink(five)));
    const six = pipeline(
      "six",
      stream({ ...totals, partitions: 6 }).pipe(
        filter(() => true),
        sink(perMinute),
      ),
    );
    expect(await rejection(createTestDriver([other, six]))).toMatchObject({ _tag: "TopicMismatch" });
  });

  it("is refused where it is none, with what is wrong", async () => {
    expect(String(await rejection(createTestDriver([])))).toContain("createTestDriver: there is no pipeline to run");
    for (const rubbish of [undefined, null, "plan", 5, {}, stream(orders), [undefined]]) {
      const error = await rejection(createTestDriver(rubbish as never));
      expect(error).toMatchObject({ _tag: "InvalidCall" });
      expect(String(error)).toContain("createTestDriver: what is to run must be made by pipeline(…)");
    }
    await using driver = await createTestDriver(chargesOf(new Poison(2), "fail"));
    expect(await rejection(driver.addWorker("b", { pipelines: [] }))).toMatchObject({ _tag: "InvalidCall" });
  });
});

describe("a record for which an operator fails", () => {
  it("is a dead letter, where its policy says so, and can be redriven", async () => {
    const poison = new Poison(2);
    await using driver = await createTestDriver(chargesOf(poison, "deadLetter", { attempts: 3 }), { partitions: 2 });
    await driver.send(orders, sequence(5));
    expect((await driver.values(totals)).map(({ n }) => n).toSorted((a, b) => a - b)).toEqual([0, 1, 3, 4]);
    expect(poison.calls).toBe(7);
    const [letter, ...others] = await driver.deadLetters(orders);
    expect(others).toEqual([]);
    expect(letter).toMatchObject({
      topic: "orders",
      key: "c2",
      attempts: 3,
      errors: [{ name: "RangeError", message: "refused by the bank" }],
    });
    expect(JSON.parse(letter?.input ?? "")).toEqual(order("c2", 2, 2));
    poison.isRepaired = true;
    const plan = chargesOf(poison, "deadLetter", { attempts: 3 });
    expect(await driver.until(driver.app.deadLetters(plan).redrive({ all: true }))).toMatchObject({ done: 1 });
    expect(await driver.deadLetters()).toEqual([]);
    expect((await driver.values(totals)).map(({ n }) => n).toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4]);
  });

  it("is a dead letter of its topic, also behind a change of key", async () => {
    const poison = new Poison(2);
    const plan = pipeline(
      "behind",
      stream(orders).pipe(
        partitionBy(() => "all"),
        mapOrdered(poison.charge, { onError: "deadLetter" }),
        sink(totals),
      ),
    );
    await using driver = await createTestDriver(plan);
    await driver.send(orders, sequence(5));
    expect(await driver.deadLetters(orders)).toMatchObject([{ key: "all" }]);
    expect(await driver.deadLetters()).toHaveLength(1);
    expect(await driver.deadLetters(totals)).toEqual([]);
  });

  it("is skipped, where its policy says so", async () => {
    await using driver = await driverOf(new Poison(2), "skip");
    await driver.send(orders, sequence(5));
    expect((await driver.values(totals)).map(({ n }) => n)).toEqual([0, 1, 3, 4]);
    expect(driver.events.filter(({ _tag }) => _tag === "Skipped")).toHaveLength(1);
    expect(await driver.deadLetters()).toEqual([]);
  });

  it("quarantines its task: others go on, calls do not wait, and it goes on when it is resumed", async () => {
    const poison = new Poison(2);
    const plan = chargesOf(poison, "quarantine");
    await using driver = await createTestDriver(plan, { partitions: 3 });
    await driver.send(orders, sequence(10));
    const before = driver.clock.now();
    await driver.send(orders, sequence(20).slice(10));
    expect(driver.clock.now()).toBe(before);
    const positions = await driver.committed(orders);
    expect(positions.filter(({ lag }) => lag > 0)).toHaveLength(1);
    expect(driver.events.filter(({ _tag }) => _tag === "Quarantined")).toHaveLength(1);
    poison.isRepaired = true;
    expect(await driver.until(driver.app.resume(plan))).toBe(1);
    expect(await driver.values(totals)).toHaveLength(20);
    expect((await driver.committed(orders)).every(({ lag }) => lag === 0)).toBe(true);
  });

  it("parks its key, where its policy says so", async () => {
    await using driver = await driverOf(new Poison(2), "park");
    await driver.send(orders, sequence(10));
    expect((await driver.values(totals)).map(({ n }) => n)).toEqual([0, 1, 3, 4, 5, 6, 8, 9]);
    expect((await driver.deadLetters(orders)).map(({ isBehind }) => isBehind)).toEqual([false, true]);
  });
});
