import { sleep } from "@millrace/core";
import {
  createTestDriver,
  createVirtualClock,
  effectMarbles,
  marblesBy,
  marblesOf,
  runMarbles,
} from "@millrace/testing";
import { diagramsOf, eventTimes, faultSchedules, recordsOf, zipfKeys } from "@millrace/testing/arbitraries";
import * as fc from "fast-check";
import type * as t from "io-ts";
import { expect, it } from "vitest";
import { charging, type Order, orders, receipts, type Turnover, turnover, turnovers } from "./marbles-guide.ts";

const order = (id: string, customer: string): Order => ({ id, customer, cents: 990 as t.Int, at: 0 as t.Int });
const clock = createVirtualClock();
const charges = effectMarbles((charged: Order) => charged.id);
const charge = async (charged: Order): Promise<void> => {
  charges.record(charged); // the card is charged …
  await sleep(clock, 300); // … and the bank takes 300 ms to say so
};

const ports = {
  in: marblesOf(orders, { a: order("a", "ann"), b: order("b", "bob"), c: order("c", "ann"), d: order("d", "bob") }),
  out: marblesBy(receipts, (receipt) => receipt.order),
  effects: charges,
  clock,
  column: "100 ms",
} as const;

it("a deployment charges nobody twice", async () => {
  const run = await runMarbles(
    charging(charge),
    `
      records p0  -a---b---c--------
      owner   p0  A-B---------------
      effects     -a---b---c--------
      out         ----a---b---c-----
      commits p0  ----1---2---3-----
    `,
    ports,
  );
  run.expectEffects().exactly();
  run.expectOut().exactly();
  run.expectCommits().exactly();
});

it("a crash charges again what was not committed; receipts are written once", async () => {
  const run = await runMarbles(
    charging(charge),
    `
      records p0  -a---b---c--------------
      owner   p0  A------!-B--------------
      effects     -a---b-----------(bc)---
      out         ----a---------------(bc)
      commits p0  ----1---------------3---
    `,
    ports,
  );
  run.expectEffects().exactly();
  run.expectOut().exactly();
  run.expectCommits().exactly();

  run.expectEffects("-abc").atLeastOnce();
  run.expectOut("-abc").perKeyOrder();
});

const columns = { column: "100 ms", within: "2 s", quiet: "3 s" } as const;

it("whatever happens to workers, every order is charged, and has one receipt, in its customer's order", async () => {
  const diagrams = diagramsOf({ letters: "abcd", workers: ["A", "B", "C"], ...columns });
  await fc.assert(
    fc.asyncProperty(diagrams, async ({ text, sent }) => {
      const run = await runMarbles(charging(charge), text, { ...ports, owners: "asked" });
      run.expectEffects(sent).atLeastOnce();
      run.expectOut(sent).perKeyOrder();
    }),
    { numRuns: 20 },
  );
}, 30_000);

const anyOrders = recordsOf(orders, {
  keys: { field: "customer", from: zipfKeys(5) },
  times: { field: "at", from: eventTimes({ step: "30 s", outOfOrder: "5 s" }) },
});

/** The same, without a stream. */
function turnoversOf(all: readonly Order[]): readonly Turnover[] {
  const rows = new Map<string, Turnover>();
  for (const { customer, at, cents } of all) {
    const minute = at - (at % 60_000);
    const row = rows.get(`${customer} ${minute}`) ?? { customer, minute, orders: 0, cents: 0 };
    rows.set(`${customer} ${minute}`, { ...row, orders: row.orders + 1, cents: row.cents + cents });
  }
  return [...rows.values()];
}

it("windows hold what a loop over all orders finds", async () => {
  await fc.assert(
    fc.asyncProperty(anyOrders, async (all) => {
      await using driver = await createTestDriver(turnover);
      await driver.send(orders, all);
      await driver.end(orders);
      const found = await driver.values(turnovers);
      expect(new Set(found)).toEqual(new Set(turnoversOf(all)));
      expect(found).toHaveLength(turnoversOf(all).length);
    }),
    { numRuns: 20 },
  );
}, 30_000);

const anyFaults = faultSchedules({
  workers: ["worker-1", "worker-2"],
  within: "1 minute",
  step: "1 s",
  kinds: ["crash", "stop", "freeze"],
});

it("windows hold the same when workers crash, leave and freeze", async () => {
  await fc.assert(
    fc.asyncProperty(anyOrders, anyFaults, async (all, { faults }) => {
      await using driver = await createTestDriver(turnover);
      await driver.addWorker("worker-2");
      const befall = {
        crash: (worker: string) => driver.crash(worker),
        stop: (worker: string) => driver.removeWorker(worker),
        start: (worker: string) => driver.restart(worker),
        freeze: (worker: string) => driver.freeze(worker),
        thaw: (worker: string) => driver.thaw(worker),
      };
      const startMs = driver.clock.now();
      for (const [index, { atMs, worker, action }] of faults.entries()) {
        await driver.send(orders, all.slice(index * 5, index * 5 + 5));
        await driver.advance(`${Math.max(0, startMs + atMs - driver.clock.now())} ms`);
        await befall[action](worker);
      }
      await driver.send(orders, all.slice(faults.length * 5));
      await driver.end(orders);
      expect(new Set(await driver.values(turnovers))).toEqual(new Set(turnoversOf(all)));
    }),
    { numRuns: 10 },
  );
}, 30_000);
