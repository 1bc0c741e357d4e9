/** Work in real time, of which Node shows nothing or something misleading: virtual time stands still meanwhile. */
import { scrypt } from "node:crypto";
import { promisify } from "node:util";
import { mapOrdered, type Pipeline, pipeline, sink, sleep, stream } from "@millrace/core";
import { describe, expect, it } from "vitest";
import { createTestDriver } from "../../src/index.ts";
import { type Order, order, orders, type Row, rejection, sequence, totals } from "./support/orders.ts";

const rowOf = ({ customer, total }: Order): Row => totals.of({ customer, n: total });

function handling(
  handler: (order: Order) => Promise<unknown>,
  options: Parameters<typeof mapOrdered<Order, Row>>[1] = {},
): Pipeline {
  const calls = mapOrdered(async (value: Order) => {
    await handler(value);
    return rowOf(value);
  }, options);
  return pipeline("handling", stream(orders).pipe(calls, sink(totals)));
}

/** Real time. */
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Real time of which Node's list of resources says nothing, as with a database client on a socket that is open. */
const unseen = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms).unref());

describe("virtual time stands still", () => {
  it("while a timer of the test ends during a call", async () => {
    await using driver = await createTestDriver(handling(() => wait(150), { timeout: "5 s" }));
    const before = driver.clock.now();
    setTimeout(() => {}, 50);
    await driver.send(orders, order("ann"));
    expect(await driver.values(totals)).toHaveLength(1);
    expect(driver.clock.now()).toBe(before);
  });

  it("while threads of Node compute", async () => {
    const plan = handling(() => promisify(scrypt)("password", "salt", 64), { timeout: "5 s" });
    await using driver = await createTestDriver(plan);
    const before = driver.clock.now();
    await driver.send(orders, sequence(3));
    expect(await driver.values(totals)).toHaveLength(3);
    expect(driver.clock.now()).toBe(before);
  });

  it("while something works that Node does not show", async () => {
    await using driver = await createTestDriver(handling(() => unseen(150), { timeout: "5 s" }));
    const keeper = setInterval(() => {}, 1_000);
    const before = driver.clock.now();
    await driver.send(orders, order("ann"));
    clearInterval(keeper);
    expect(await driver.values(totals)).toHaveLength(1);
    expect(driver.clock.now()).toBe(before);
  });

  it("in two drivers at once", async () => {
    const plan = handling(() => wait(100), { timeout: "5 s" });
    await using first = await createTestDriver(plan);
    await using second = await createTestDriver(plan);
    const before = first.clock.now();
    await Promise.all([first.send(orders, sequence(3, 1)), second.send(orders, sequence(2, 1))]);
    expect([await first.values(totals), await second.values(totals)].map(({ length }) => length)).toEqual([3, 2]);
    expect([first.clock.now(), second.clock.now()]).toEqual([before, before]);
  });

  it("no longer than realWithin", async () => {
    const plan = handling(() => new Promise(() => {}), { timeout: "3 s", settle: "1 s" });
    await using driver = await createTestDriver(plan, { realWithin: "30 ms" });
    expect(await rejection(driver.send(orders, order("ann")))).toMatchObject({ _tag: "WorkerFailed" });
  });

  it("not while somebody waits on the driver's clock", async () => {
    await using driver = await createTestDriver(
      handling(() => sleep(driver.clock, 90_000)),
      { realWithin: "60 s" },
    );
    const before = driver.clock.now();
    await driver.send(orders, order("ann"));
    expect(driver.clock.now()).toBe(before + 90_000);
  });
});

describe("calls of real time, one behind the other", () => {
  it("all end where time stands", async () => {
    await using driver = await createTestDriver(
      handling(() => wait(30)),
      { partitions: 1 },
    );
    await driver.send(orders, sequence(4, 1), { time: "stands" });
    expect(await driver.values(totals)).toHaveLength(4);
  });

  it("all end in an advance that brings them about", async () => {
    await using driver = await createTestDriver(
      handling(() => wait(30)),
      { partitions: 1 },
    );
    await driver.crash();
    await driver.send(orders, sequence(4, 1));
    await driver.addWorker();
    await driver.advance("10 s");
    expect(await driver.values(totals)).toHaveLength(4);
  });
});

it("what was waited for in vain is not waited for again, and closing waits for nothing", async () => {
  const driver = await createTestDriver(
    handling(() => new Promise(() => {})),
    { realWithin: "1 s" },
  );
  await driver.send(orders, order("ann"), { time: "stands" });
  const startMs = performance.now();
  await driver.advance("1 minute");
  for (let n = 0; n < 4; n += 1) {
    await driver.values(totals);
  }
  await driver.committed(orders);
  // Waited for again, it would be five seconds.
  expect(performance.now() - startMs).toBeLessThan(2_500);
  const sent = rejection(driver.send(orders, order("bob")));
  await driver.close();
  expect(await sent).toMatchObject({ _tag: "Closed" });
});
