import { limiter, mapOrdered, pipeline, sink, sleep, stream } from "@millrace/core";
import { describe, expect, it } from "vitest";
import { createTestDriver, type TestDriver } from "../../src/index.ts";
import { copies, minutes, orders, perMinute, rankings, ranks, rejection, sequence, totals } from "./support/orders.ts";

/** Which workers have the tasks of `orders`. */
async function owners(driver: TestDriver): Promise<readonly string[]> {
  return (await driver.committed(orders)).map(({ worker }) => worker ?? "nobody");
}

/** The numbers in a topic, sorted. */
async function numbers(driver: TestDriver): Promise<readonly number[]> {
  return (await driver.values(totals)).map(({ n }) => n).toSorted((a, b) => a - b);
}

describe("a worker that is added", () => {
  it("has its share of the tasks when the call resolves", async () => {
    await using driver = await createTestDriver(copies);
    expect(await owners(driver)).toEqual(["worker-1", "worker-1", "worker-1", "worker-1"]);
    expect(await driver.addWorker()).toBe("worker-2");
    expect(await driver.addWorker("carl")).toBe("carl");
    expect(await driver.addWorker()).toBe("worker-4");
    expect((await owners(driver)).toSorted()).toEqual(["carl", "worker-1", "worker-2", "worker-4"]);
    await driver.send(orders, sequence(40));
    expect(await numbers(driver)).toEqual(sequence(40).map(({ total }) => total));
  });

  it("has none where there are more workers than tasks, and takes over later", async () => {
    await using driver = await createTestDriver(copies, { partitions: 1 });
    await driver.addWorker();
    expect(await owners(driver)).toEqual(["worker-1"]);
    await driver.removeWorker();
    expect(await owners(driver)).toEqual(["worker-2"]);
  });

  it("is refused under a name that is taken, or none", async () => {
    await using driver = await createTestDriver(copies);
    expect(await rejection(driver.addWorker("worker-1"))).toMatchObject({ _tag: "InvalidCall" });
    expect(await rejection(driver.addWorker("a b"))).toMatchObject({ _tag: "InvalidCall" });
    await driver.crash();
    expect(String(await rejection(driver.addWorker("worker-1")))).toContain("restart() starts it again");
  });
});

describe("a worker that is removed", () => {
  it("finishes what it has begun, and leaves the rest to the others", async () => {
    const slow = pipeline(
      "slow",
      stream(orders).pipe(
        mapOrdered(async ({ customer, total }) => {
          await sleep(driver.clock, 100);
          return totals.of({ customer, n: total });
        }),
        sink(totals),
      ),
    );
    await using driver = await createTestDriver(slow);
    await driver.addWorker();
    await driver.send(orders, sequence(40), { time: "stands" });
    await driver.removeWorker("worker-1");
    expect(driver.workers[0]).toEqual({ name: "worker-1", state: "removed" });
    expect(await owners(driver)).toEqual(["worker-2", "worker-2", "worker-2", "worker-2"]);
    expect(await numbers(driver)).toEqual(sequence(40).map(({ total }) => total));
    expect(driver.events.some(({ _tag }) => _tag === "Lost" || _tag === "Fenced")).toBe(false);
  });

  it("can be the last one; another takes over at once", async () => {
    await using driver = await createTestDriver(copies);
    await driver.removeWorker();
    await driver.send(orders, sequence(3));
    expect(await numbers(driver)).toEqual([]);
    expect(await owners(driver)).toEqual(["nobody", "nobody", "nobody", "nobody"]);
    await driver.addWorker();
    expect(await numbers(driver)).toEqual([0, 1, 2]);
    await driver.restart();
    expect((await owners(driver)).toSorted()).toEqual(["worker-1", "worker-1", "worker-2", "worker-2"]);
  });
});

describe("a worker that crashes", () => {
  it("is missed when its session is over, and what it had not committed is processed again", async () => {
    await using driver = await createTestDriver([minutes, ranks]);
    await driver.send(orders, sequence(30));
    expect(await driver.crash()).toBe("worker-1");
    expect(await driver.addWorker()).toBe("worker-2");
    await driver.send(orders, sequence(60).slice(30));
    expect(new Set(await owners(driver))).toEqual(new Set(["worker-1"]));
    // Its last sign of life is up to a fifth of the session ago.
    await driver.advance("7 s");
    expect(new Set(await owners(driver))).toEqual(new Set(["worker-1"]));
    await driver.advance("3 s");
    expect(new Set(await owners(driver))).toEqual(new Set(["worker-2"]));
    await driver.end(orders);
    expect((await driver.values(perMinute)).map(({ n }) => n)).toEqual([12, 12, 12, 12, 12]);
    expect(await driver.values(rankings)).toEqual([{ customer: "all", n: 5 }]);
  });

  it("keeps its tasks for as long as the option says", async () => {
    await using driver = await createTestDriver(copies, { session: "60 s" });
    await driver.addWorker();
    await driver.crash("worker-1");
    await driver.advance("45 s");
    expect(new Set(await owners(driver))).toEqual(new Set(["worker-1", "worker-2"]));
    await driver.advance("15 s");
    expect(new Set(await owners(driver))).toEqual(new Set(["worker-2"]));
  });

  it("has its tasks back at once under its own name", async () => {
    await using driver = await createTestDriver(copies);
    await driver.send(orders, sequence(10));
    await driver.crash();
    await driver.send(orders, sequence(20).slice(10));
    const before = driver.clock.now();
    expect(await driver.restart()).toBe("worker-1");
    expect(driver.clock.now() - before).toBeLessThan(1_000);
    expect(await numbers(driver)).toEqual(sequence(20).map(({ total }) => total));
    expect(driver.workers).toEqual([{ name: "worker-1", state: "running" }]);
  });

  it("does nothing any more: no call has an effect, no handler is called, no timer fires", async () => {
    const calls: number[] = [];
    const slow = pipeline(
      "slow",
      stream(orders).pipe(
        mapOrdered(
          async ({ customer, total }) => {
            calls.push(total);
            await sleep(driver.clock, 1_000);
            return totals.of({ customer, n: total });
          },
          { concurrency: 1 },
        ),
        sink(totals),
      ),
    );
    await using driver = await createTestDriver(slow, { partitions: 1 });
    await driver.send(orders, sequence(3), { time: "stands" });
    expect(calls).toEqual([0]);
    await driver.crash();
    const told = driver.events.length;
    await driver.advance("1 minute");
    expect(await numbers(driver)).toEqual([]);
    expect(driver.events).toHaveLength(told);
    expect(calls).toEqual([0]);
    await driver.restart();
    expect(await numbers(driver)).toEqual([0, 1, 2]);
    expect(calls).toEqual([0, 0, 1, 2]);
  });

  it.each(["crash", "freeze and crash"] as const)(
    "takes nothing with it that lives on in the process: %s",
    async (how) => {
      const places = limiter(1);
      const signals: AbortSignal[] = [];
      const held = pipeline(
        "held",
        stream(orders).pipe(
          mapOrdered(
            ({ customer, total }, _record, { signal }) => {
              signals.push(signal);
              return signals.length === 1
                ? new Promise<never>(() => {})
                : Promise.resolve(totals.of({ customer, n: total }));
            },
            { limit: places },
          ),
          sink(totals),
        ),
      );
      await using driver = await createTestDriver(held, { partitions: 1 });
      await driver.send(orders, sequence(2), { time: "stands" });
      if (how === "freeze and crash") {
        await driver.freeze();
        await driver.advance("5 s");
      }
      await driver.crash();
      expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
      await driver.restart();
      expect(await numbers(driver)).toEqual([0, 1]);
    },
  );

  it("is the first of those that run, or the named one; others are refused", async () => {
    await using driver = await createTestDriver(copies);
    await driver.addWorker();
    expect(await driver.crash("worker-2")).toBe("worker-2");
    expect(await driver.crash()).toBe("worker-1");
    expect(String(await rejection(driver.crash()))).toContain(
      "crash: there is no worker that is running or frozen; there are worker-1 (crashed), worker-2 (crashed)",
    );
    expect(await rejection(driver.crash("nobody"))).toMatchObject({ _tag: "UnknownWorker" });
    // The one that ended last.
    expect(await driver.restart()).toBe("worker-1");
    expect(await driver.restart()).toBe("worker-2");
    expect(await rejection(driver.restart())).toMatchObject({ _tag: "UnknownWorker" });
    expect(await rejection(driver.thaw())).toMatchObject({ _tag: "UnknownWorker" });
  });
});

describe("a worker that is frozen", () => {
  it("goes on where it was when it is thawed in time", async () => {
    await using driver = await createTestDriver(copies);
    expect(await driver.freeze()).toBe("worker-1");
    await driver.send(orders, sequence(5));
    expect(driver.workers).toEqual([{ name: "worker-1", state: "frozen" }]);
    await driver.advance("5 s");
    expect(await numbers(driver)).toEqual([]);
    await driver.thaw();
    expect(await numbers(driver)).toEqual([0, 1, 2, 3, 4]);
    expect(driver.events.some(({ _tag }) => _tag === "SessionLost")).toBe(false);
  });

  it("finds its tasks with others when it is thawed too late, and nothing is counted twice", async () => {
    await using driver = await createTestDriver(minutes);
    await driver.addWorker();
    await driver.send(orders, sequence(30));
    await driver.freeze("worker-1");
    await driver.send(orders, sequence(60).slice(30));
    await driver.advance("12 s");
    expect(new Set(await owners(driver))).toEqual(new Set(["worker-2"]));
    await driver.thaw("worker-1");
    expect(driver.events.some(({ _tag }) => _tag === "SessionLost")).toBe(true);
    expect((await owners(driver)).toSorted()).toEqual(["worker-1", "worker-1", "worker-2", "worker-2"]);
    await driver.end(orders);
    expect((await driver.values(perMinute)).map(({ n }) => n)).toEqual([12, 12, 12, 12, 12]);
  });

  it("calls no handler, also where one comes to its end meanwhile", async () => {
    const calls: number[] = [];
    const slow = pipeline(
      "slow",
      stream(orders).pipe(
        mapOrdered(
          async ({ customer, total }) => {
            calls.push(total);
            await sleep(driver.clock, 1_000);
            return totals.of({ customer, n: total });
          },
          { concurrency: 1 },
        ),
        sink(totals),
      ),
    );
    await using driver = await createTestDriver(slow, { partitions: 1 });
    await driver.send(orders, sequence(3), { time: "stands" });
    await driver.freeze();
    await driver.advance("5 s");
    expect(calls).toEqual([0]);
    await driver.thaw();
    expect(calls).toEqual([0, 1, 2]);
    expect(await numbers(driver)).toEqual([0, 1, 2]);
  });

  it("can be killed", async () => {
    await using driver = await createTestDriver(copies);
    await driver.freeze();
    await driver.crash();
    await driver.send(orders, sequence(2));
    await driver.restart();
    expect(await numbers(driver)).toEqual([0, 1]);
  });
});
