/** What is unusual, large or wrong comes to an end. */
import { json, map, mapOrdered, pipeline, sink, stream, topic } from "@millrace/core";
import * as t from "io-ts";
import { describe, expect, it } from "vitest";
import { createTestDriver } from "../../src/index.ts";
import { copies, minutes, order, orders, ranks, rejection, sequence, totals } from "./support/orders.ts";

describe("a driver", () => {
  it("takes tens of thousands of records at once, through two pipelines", async () => {
    await using driver = await createTestDriver([minutes, ranks]);
    await driver.send(orders, sequence(20_000, 50));
    const positions = await driver.committed(orders);
    expect(positions.reduce((sum, { records }) => sum + records, 0)).toBe(20_000);
    expect(positions.every(({ lag }) => lag === 0)).toBe(true);
  }, 30_000);

  it("takes many partitions, and many workers", async () => {
    await using driver = await createTestDriver(copies, { partitions: 64 });
    for (let n = 0; n < 4; n += 1) {
      await driver.addWorker();
    }
    const shares = new Map<string | null, number>();
    for (const { worker } of await driver.committed(orders)) {
      shares.set(worker, (shares.get(worker) ?? 0) + 1);
    }
    expect([...shares.values()].toSorted((a, b) => a - b)).toEqual([12, 13, 13, 13, 13]);
    await driver.send(orders, sequence(1_000, 500));
    expect(await driver.values(totals)).toHaveLength(1_000);
  }, 30_000);

  it("ends where pipelines feed each other for ever", async () => {
    const Order = t.type({ customer: t.string, total: t.number, at: t.number });
    const back = topic("back", { codec: json(Order), key: (o) => o.customer, timestamp: (o) => o.at });
    const there = pipeline(
      "there",
      stream(orders).pipe(
        map((value) => value),
        sink(back),
      ),
    );
    const andBack = pipeline(
      "and-back",
      stream(back).pipe(
        map((value) => value),
        sink(orders),
      ),
    );
    await using driver = await createTestDriver([there, andBack], { partitions: 1 });
    const error = await rejection(driver.send(orders, order("ann")));
    expect(error).toMatchObject({ _tag: "NotSettled" });
    expect(String(error)).toContain("records are processed without end");
  }, 60_000);

  it("ends where a handler waits for a call of the driver, which waits for the handler", async () => {
    const plan = pipeline(
      "turned-in",
      stream(orders).pipe(
        mapOrdered(async ({ customer }) => {
          await driver.send(totals, { customer, n: 1 });
          return totals.of({ customer, n: 2 });
        }),
        sink(totals),
      ),
    );
    const driver = await createTestDriver(plan, { realWithin: "20 ms", within: "1 minute" });
    expect(await rejection(driver.send(orders, order("ann")))).toMatchObject({ _tag: "NotSettled" });
    await driver.close();
  });

  it("does not wait for a worker that it removes and whose handler never comes to an end", async () => {
    const plan = pipeline(
      "never",
      stream(orders).pipe(
        mapOrdered(() => new Promise<never>(() => {})),
        sink(totals),
      ),
    );
    await using driver = await createTestDriver(plan);
    await driver.send(orders, order("ann"), { time: "stands" });
    await driver.removeWorker();
    expect(driver.workers).toEqual([{ name: "worker-1", state: "removed" }]);
  });

  it("can have workers when everything is complete, which find nothing to do", async () => {
    await using driver = await createTestDriver([minutes, ranks]);
    await driver.send(orders, sequence(10));
    await driver.end(orders);
    await driver.addWorker();
    await driver.restart("worker-1");
    expect(driver.workers.map(({ state }) => state)).toEqual(["finished", "finished"]);
  });

  it("and another one beside it have nothing in common", async () => {
    await using first = await createTestDriver(copies);
    await using second = await createTestDriver(copies);
    await Promise.all([first.send(orders, sequence(10)), second.send(orders, sequence(20))]);
    expect(await first.values(totals)).toHaveLength(10);
    expect(await second.values(totals)).toHaveLength(20);
  });
});
