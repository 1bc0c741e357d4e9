/** Handlers of workers that are dead or frozen, which wait on the driver's clock. */
import { mapOrdered, type Pipeline, pipeline, sink, sleep, stream } from "@millrace/core";
import { expect, it } from "vitest";
import { createTestDriver } from "../../src/index.ts";
import { type Order, order, orders, totals } from "./support/orders.ts";

function charging(charge: (order: Order) => Promise<void>): Pipeline {
  const calls = mapOrdered(async (value: Order) => {
    await charge(value);
    return totals.of({ customer: value.customer, n: value.total });
  });
  return pipeline("charging", stream(orders).pipe(calls, sink(totals)));
}

it("a handler of a crashed worker does nothing any more behind its pause", async () => {
  const charged: string[] = [];
  const plan = charging(async ({ customer }) => {
    await sleep(driver.clock, 500);
    charged.push(customer);
  });
  await using driver = await createTestDriver(plan);
  await driver.send(orders, order("ann"), { time: "stands" });
  await driver.crash();
  await driver.advance("1 minute");
  expect(charged).toEqual([]);
  await driver.restart();
  expect(charged).toEqual(["ann"]);
  expect(await driver.values(totals)).toHaveLength(1);
});

it("that of a frozen one goes on at the thaw", async () => {
  const chargedMs: number[] = [];
  const plan = charging(async () => {
    await Promise.resolve();
    await sleep(driver.clock, 500);
    chargedMs.push(driver.clock.now());
  });
  await using driver = await createTestDriver(plan, { session: "60 s" });
  const startMs = driver.clock.now();
  await driver.send(orders, order("ann"), { time: "stands" });
  await driver.freeze();
  await driver.advance("5 s");
  expect(chargedMs).toEqual([]);
  await driver.thaw();
  expect(chargedMs).toEqual([startMs + 5_000]);
  expect(await driver.values(totals)).toHaveLength(1);
});

it("timers of the dead do not keep virtual time going while others work in real time", async () => {
  let isFirst = true;
  const plan = charging(async () => {
    if (isFirst) {
      isFirst = false;
      await sleep(driver.clock, 3_600_000);
    }
    await new Promise((resolve) => setTimeout(resolve, 50).unref());
  });
  await using driver = await createTestDriver(plan);
  await driver.send(orders, order("ann"), { time: "stands" });
  await driver.crash();
  await driver.restart();
  const nowMs = driver.clock.now();
  const keeper = setInterval(() => {}, 1_000);
  await driver.send(orders, order("ann"));
  clearInterval(keeper);
  expect(driver.clock.now()).toBe(nowMs);
  expect(await driver.values(totals)).toHaveLength(2);
});
