import {
  aggregate,
  count,
  deduplicate,
  hopping,
  map,
  pipeline,
  session,
  sink,
  stream,
  sum,
  tumbling,
  window,
} from "@millrace/core";
import { describe, expect, it } from "vitest";
import { createTestDriver } from "../../src/index.ts";
import {
  byAll,
  byMinute,
  minutes,
  type Order,
  order,
  orders,
  ranks,
  rejection,
  sequence,
  totals,
} from "./support/orders.ts";

const running = aggregate<Order, { n: number; total: number }>({ n: count(), total: sum((o) => o.total) });
const runs = pipeline(
  "runs",
  stream(orders).pipe(
    running,
    map(({ key, value }) => totals.of({ customer: key, n: value.n })),
    sink(totals),
  ),
);

describe("the state of an operator", () => {
  it("is the newest result of each key, of a running aggregate", async () => {
    await using driver = await createTestDriver(runs);
    expect(await driver.state(running)).toEqual(new Map());
    await driver.send(orders, [order("ann", 0, 5), order("bob", 1, 7), order("ann", 2, 10)]);
    const state = await driver.state(running);
    expect(state).toEqual(
      new Map([
        ["ann", { n: 2, total: 15 }],
        ["bob", { n: 1, total: 7 }],
      ]),
    );
    expect(state.get("ann")?.total).toBe(15);
  });

  it("is the windows that are open for each key", async () => {
    await using driver = await createTestDriver(minutes);
    await driver.send(orders, [order("ann", 10), order("ann", 20), order("bob", 10), order("ann", 65)]);
    const state = await driver.state(byMinute);
    expect(state.get("bob")).toEqual([{ key: "bob", start: 0, end: 60_000, revision: 1, value: { orders: 1 } }]);
    expect(state.get("ann")?.map(({ start, value }) => [start, value.orders])).toEqual([
      [0, 2],
      [60_000, 1],
    ]);
    await driver.send(orders, order("ann", 135));
    expect((await driver.state(byMinute)).get("ann")?.map(({ start }) => start)).toEqual([120_000]);
  });

  it.each([
    ["hopping", hopping("1 minute", "30 s"), [-30_000, 0]],
    ["session", session("30 s"), [10_000]],
  ] as const)("is there for %s windows, too", async (_kind, spec, starts) => {
    const visits = window(spec, { n: count() }, { grace: "1 h" });
    const plan = pipeline(
      "visits",
      stream(orders).pipe(
        visits,
        map(({ key, value }) => totals.of({ customer: key, n: value.n })),
        sink(totals),
      ),
    );
    await using driver = await createTestDriver(plan);
    await driver.send(orders, [order("ann", 10), order("ann", 20)]);
    expect((await driver.state(visits)).get("ann")?.map(({ start, value }) => [start, value.n])).toEqual(
      starts.map((start) => [start, 2]),
    );
  });

  it("is found behind a change of key, and by the name of its store", async () => {
    await using driver = await createTestDriver([minutes, ranks]);
    await driver.send(orders, [...sequence(60), ...sequence(5).map(({ customer }) => order(customer, 75))]);
    expect([...(await driver.state(byAll))].map(([key, windows]) => [key, windows[0]?.value.customers])).toEqual([
      ["all", 5],
    ]);
    expect(await driver.state("orders.window")).toEqual(await driver.state(byMinute));
    expect(await driver.state("orders.window", minutes)).toEqual(await driver.state(byMinute));
  });

  it("outlives its worker", async () => {
    await using driver = await createTestDriver(runs);
    await driver.send(orders, sequence(100));
    const before = await driver.state(running);
    await driver.crash();
    expect(await driver.state(running)).toEqual(before);
    await driver.restart();
    await driver.send(orders, order("c0", 200, 1));
    expect((await driver.state(running)).get("c0")?.n).toBe(21);
  });

  it("is refused of operators that keep nothing, and of those of no pipeline, with the stores that there are", async () => {
    const unique = deduplicate((o: Order) => String(o.total), { within: "1 h" });
    const plan = pipeline(
      "unique",
      stream(orders).pipe(
        unique,
        running,
        map(({ key }) => ({ customer: key, n: 1 })),
        sink(totals),
      ),
    );
    await using driver = await createTestDriver(plan);
    const error = await rejection(driver.state("order.window"));
    expect(error).toMatchObject({ _tag: "InvalidOption" });
    expect(String(error)).toContain('pipeline "unique" has no store "order.window"; it has');
    expect(await rejection(driver.state(byMinute))).toMatchObject({ _tag: "InvalidOption" });
    expect(await rejection(driver.state("orders.deduplicate"))).toMatchObject({ _tag: "InvalidOption" });
    // @ts-expect-error: deduplicate keeps identities, which nobody can ask for.
    expect(await rejection(driver.state(unique))).toMatchObject({ _tag: "InvalidOption" });
  });

  it("is asked of one pipeline where several have the operator", async () => {
    const again = pipeline(
      "again",
      stream(orders).pipe(
        running,
        map(({ key }) => ({ customer: key, n: 1 })),
        sink(totals),
      ),
    );
    await using driver = await createTestDriver([runs, again]);
    await driver.send(orders, order("ann"));
    expect(await rejection(driver.state(running))).toMatchObject({ _tag: "InvalidCall" });
    expect((await driver.state(running, again)).get("ann")).toEqual({ n: 1, total: 1 });
  });

  it("is there for hundreds of keys", async () => {
    const many = window(tumbling("1 h"), { n: count() }, { grace: "0 s" });
    const plan = pipeline(
      "many",
      stream(orders).pipe(
        many,
        map(({ key }) => ({ customer: key, n: 1 })),
        sink(totals),
      ),
    );
    await using driver = await createTestDriver(plan);
    await driver.send(orders, sequence(600, 600));
    expect((await driver.state(many)).size).toBe(600);
  });
});
