import {
  count,
  json,
  map,
  mapOrdered,
  pipeline,
  sink,
  sleep,
  stream,
  sum,
  topic,
  tumbling,
  window,
} from "@millrace/core";
import { createTestDriver } from "@millrace/testing";
import * as t from "io-ts";
import { expect, it } from "vitest";

const Order = t.type({ customer: t.string, cents: t.number, at: t.number });
type Order = t.TypeOf<typeof Order>;
const orders = topic("orders", { codec: json(Order), key: (o) => o.customer, timestamp: (o) => o.at });

const Charge = t.type({ customer: t.string, receipt: t.string });
const charges = topic("charges", { codec: json(Charge), key: (charge) => charge.customer });

/** Stands for a payment provider. */
let charge = async (cents: number): Promise<string> => `receipt of ${cents}`;

const charging = pipeline(
  "charging",
  stream(orders, { onError: "deadLetter" }).pipe(
    mapOrdered(async ({ customer, cents }) => ({ customer, receipt: await charge(cents) }), {
      retry: { attempts: 3, backoff: "10 s" },
      onError: "deadLetter",
    }),
    sink(charges),
  ),
);

const Revenue = t.type({ customer: t.string, orders: t.number, cents: t.number });
const revenue = topic("revenue", { codec: json(Revenue), key: (row) => row.customer });

const perMinute = window<Order, { orders: number; cents: number }>(
  tumbling("1 minute"),
  { orders: count(), cents: sum((o) => o.cents) },
  { grace: "5 s" },
);
const reporting = pipeline(
  "reporting",
  stream(orders).pipe(
    perMinute,
    map(({ key, value }) => ({ customer: key, ...value })),
    sink(revenue),
  ),
);

/** An order, so many seconds after midnight. */
const order = (customer: string, cents: number, second = 0): Order => ({ customer, cents, at: second * 1_000 });

it("charges every order", async () => {
  await using driver = await createTestDriver(charging);
  await driver.send(orders, [order("ann", 500), order("ann", 700)]);
  expect(await driver.values(charges)).toEqual([
    { customer: "ann", receipt: "receipt of 500" },
    { customer: "ann", receipt: "receipt of 700" },
  ]);
});

it("counts late orders within five seconds, and no later", async () => {
  await using driver = await createTestDriver(reporting, { partitions: 1 });
  await driver.send(orders, [order("ann", 500, 10), order("ann", 100, 62), order("ann", 700, 59)]);
  expect(await driver.values(revenue)).toEqual([]);
  expect((await driver.state(perMinute)).get("ann")?.map(({ value }) => value.cents)).toEqual([1_200, 100]);

  await driver.send(orders, order("ann", 100, 65));
  expect(await driver.values(revenue)).toEqual([{ customer: "ann", orders: 2, cents: 1_200 }]);

  await driver.send(orders, order("ann", 900, 58));
  expect(driver.events.filter(({ _tag }) => _tag === "LateRecord")).toHaveLength(1);

  await driver.end(orders);
  expect(await driver.values(revenue)).toHaveLength(2);
});

it("tries again after a pause", async () => {
  charge = async () => {
    throw new Error("the bank does not answer");
  };
  await using driver = await createTestDriver(charging);
  await driver.send(orders, order("ann", 500), { time: "stands" });
  charge = async (cents) => `late receipt of ${cents}`;
  expect(await driver.values(charges)).toEqual([]);
  await driver.advance("10 s");
  expect(await driver.values(charges)).toEqual([{ customer: "ann", receipt: "late receipt of 500" }]);
});

it("waits for a slow bank", async () => {
  await using driver = await createTestDriver(charging);
  charge = async () => {
    await sleep(driver.clock, 3_000);
    return "after three seconds of the driver's clock";
  };
  await driver.send(orders, order("ann", 500));
  charge = async () => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    return "after 5 ms of the real one";
  };
  await driver.send(orders, order("ann", 700));
  expect((await driver.values(charges)).map(({ receipt }) => receipt)).toEqual([
    "after three seconds of the driver's clock",
    "after 5 ms of the real one",
  ]);
});

it("counts every order once, although a worker crashes", async () => {
  await using driver = await createTestDriver(reporting);
  await driver.send(orders, [order("ann", 500, 10), order("bob", 300, 20)]);
  await driver.crash();
  await driver.send(orders, [order("ann", 700, 30), order("bob", 100, 40)]);
  await driver.addWorker();
  await driver.advance("10 s");
  await driver.end(orders);
  const rows = await driver.values(revenue);
  expect(rows.map(({ customer, cents }) => `${customer} ${cents}`).toSorted()).toEqual(["ann 1200", "bob 400"]);
});

it("puts aside what cannot be charged, and charges it later", async () => {
  charge = async () => {
    throw new Error("the card has expired");
  };
  await using driver = await createTestDriver(charging);
  await driver.sendRaw(orders, { payload: "no order at all" });
  await driver.send(orders, order("ann", 500));
  const letters = await driver.deadLetters(orders);
  expect(letters.map(({ errors }) => errors[0]?.name ?? "none").toSorted()).toEqual(["DecodeError", "Error"]);

  charge = async (cents) => `receipt of ${cents}`;
  await driver.until(driver.app.deadLetters(charging).redrive({ key: "ann" }));
  expect(await driver.values(charges)).toEqual([{ customer: "ann", receipt: "receipt of 500" }]);
  expect(await driver.deadLetters(orders)).toHaveLength(1);
});

it("stops at what it cannot read", async () => {
  await using driver = await createTestDriver(reporting);
  const sent = driver.sendRaw(orders, { payload: "no order at all" });
  await expect(sent).rejects.toThrow("worker worker-1 stopped: cannot decode the record at orders/");
});
