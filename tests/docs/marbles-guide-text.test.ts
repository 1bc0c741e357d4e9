import { readFileSync } from "node:fs";
import { sleep } from "@millrace/core";
import { createVirtualClock, effectMarbles, marblesOf, runMarbles } from "@millrace/testing";
import type * as t from "io-ts";
import { expect, it } from "vitest";
import { charging, type Order, orders } from "./marbles-guide.ts";

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");
const guide = read("../../docs/guides/marbles.md");

it("the samples in docs/guides/marbles.md are the module and the test file that are compiled and run here", () => {
  const [module, ...tests] = [...guide.matchAll(/^```ts\n(.*?)^```/gms)].map(([, code]) => code);
  expect(module).toBe(read("./marbles-guide.ts"));
  expect(tests.join("\n")).toBe(read("./marbles-guide.test.ts"));
});

it("the failure in docs/guides/marbles.md is what is printed", async () => {
  const order = (id: string, customer: string): Order => ({ id, customer, cents: 990 as t.Int, at: 0 as t.Int });
  const clock = createVirtualClock();
  const charges = effectMarbles(({ id }: Order) => id);
  const charge = async (charged: Order): Promise<void> => {
    charges.record(charged);
    await sleep(clock, 300);
  };
  const run = await runMarbles(
    charging(charge),
    `
      records p0  -a---b---c--------------
      owner   p0  A------!-B--------------
      effects     -a---b-----------c------
    `,
    {
      in: marblesOf(orders, { a: order("a", "ann"), b: order("b", "bob"), c: order("c", "ann") }),
      effects: charges,
      clock,
      column: "100 ms",
    },
  );
  const [, printed = ""] = /^```text\n(.*?)\n```/ms.exec(guide) ?? [];
  expect(() => run.expectEffects().exactly()).toThrow(
    expect.objectContaining({ name: "MarbleError", message: `${printed}\n` }) as Error,
  );
});
