/**
 * What the types of the test driver say. `tsc -b` reads this file, nothing runs it; an error that is no longer one fails the build.
 */
import {
  type Aggregated,
  aggregate,
  count,
  type DeadLetter,
  filter,
  json,
  map,
  max,
  type OnError,
  pipeline,
  type StreamRecord,
  sink,
  stream,
  sum,
  topic,
  tumbling,
  type Windowed,
  window,
} from "@millrace/core";
import * as t from "io-ts";
import type { OperatorFunction } from "rxjs";
import { expectTypeOf } from "vitest";
import { createTestDriver, type TestDriver } from "../../../src/index.ts";
import { byMinute, copies, minutes, type Order, order, orders, type Row, totals } from "../support/orders.ts";

declare const driver: TestDriver;

export async function whatIsSent(): Promise<void> {
  await driver.send(orders, order("ann"));
  await driver.send(orders, [order("ann"), order("bob")]);
  await driver.send(orders, { customer: "ann", total: 1, at: 0 }, { time: "stands" });

  // @ts-expect-error: a row is no order.
  await driver.send(orders, totals.of({ customer: "ann", n: 1 }));
  // @ts-expect-error: `at` is missing.
  await driver.send(orders, { customer: "ann", total: 1 });
  // @ts-expect-error: neither in a list.
  await driver.send(orders, [{ customer: "ann", total: 1 }]);
  // @ts-expect-error: an order has no colour.
  await driver.send(orders, { customer: "ann", total: 1, at: 0, colour: "red" });
  // @ts-expect-error: a topic is more than its name.
  await driver.send("orders", order("ann"));
  // @ts-expect-error: time passes, or stands.
  await driver.send(orders, order("ann"), { time: "flies" });
  // @ts-expect-error: there is no such option.
  await driver.send(orders, order("ann"), { wait: false });
  // @ts-expect-error: a record without a payload is nothing.
  await driver.sendRaw(orders, { key: "ann" });

  const pairs = topic("pairs", { codec: json(t.array(t.number)), key: null });
  await driver.send(pairs, [[1, 2]]);
  // @ts-expect-error: is it one list, or two numbers? A list of lists says so.
  await driver.send(pairs, [1, 2]);
  const either = topic("either", { codec: json(t.union([t.string, t.array(t.string)])), key: null });
  await driver.send(either, ["a", ["b"]]);
  // @ts-expect-error: this may be a list.
  await driver.send(either, "a");
}

export async function whatIsRead(): Promise<void> {
  expectTypeOf(await driver.read(totals)).toEqualTypeOf<readonly StreamRecord<Row>[]>();
  expectTypeOf(await driver.values(totals)).toEqualTypeOf<readonly Row[]>();
  expectTypeOf(await driver.deadLetters(orders)).toEqualTypeOf<readonly DeadLetter[]>();
  expectTypeOf(await driver.owner(orders, 0)).toEqualTypeOf<string | null>();
  expectTypeOf(await driver.until(Promise.resolve(7))).toEqualTypeOf<number>();
  const [first] = await driver.values(totals);
  // @ts-expect-error: rows have no total.
  void first?.total;
  // @ts-expect-error: there may be none.
  void first.n;
  // @ts-expect-error: a partition is a number.
  await driver.owner(orders, "0");
  // @ts-expect-error: not its name.
  await driver.read("totals");
}

export async function whatIsKept(): Promise<void> {
  const running = aggregate<Order, { n: number }, "a" | "b">({ n: count() }, { by: () => "a" });
  const kept = await driver.state(running);
  expectTypeOf(kept).toEqualTypeOf<ReadonlyMap<"a" | "b", { n: number }>>();
  const open = await driver.state(byMinute, minutes);
  expectTypeOf(open).toEqualTypeOf<ReadonlyMap<string, readonly Windowed<{ orders: number }>[]>>();
  expectTypeOf(await driver.state("orders.window")).toEqualTypeOf<ReadonlyMap<string, unknown>>();
  const mixed = window<Order, { most: number | null; total: number }>(
    tumbling("1 minute"),
    { most: max((o) => o.total), total: sum((o) => o.total) },
    { grace: "0 s" },
  );
  expectTypeOf((await driver.state(mixed)).get("ann")?.[0]?.value).toEqualTypeOf<
    { most: number | null; total: number } | undefined
  >();

  // @ts-expect-error: there is no such result.
  void (await driver.state(byMinute)).get("ann")?.[0]?.value.total;
  // @ts-expect-error: a function of values keeps nothing.
  await driver.state(map((o: Order) => o.customer));
  // @ts-expect-error: neither does a filter.
  await driver.state(filter((o: Order) => o.total > 0));
  // @ts-expect-error: a topic is no operator.
  await driver.state(totals);
  // @ts-expect-error: nor is a pipeline.
  await driver.state(minutes);
  const aggregated: OperatorFunction<Order, Aggregated<{ n: number }>> = aggregate({ n: count() });
  expectTypeOf(await driver.state(aggregated)).toEqualTypeOf<ReadonlyMap<string, { n: number }>>();
}

export async function howItIsMade(): Promise<void> {
  await createTestDriver(copies);
  await createTestDriver([copies, minutes], { partitions: 8, startMs: 0, session: "5 s", restart: { attempts: 3 } });
  // @ts-expect-error: a duration has a unit.
  await createTestDriver(copies, { session: 5_000 });
  // @ts-expect-error: there is no such option.
  await createTestDriver(copies, { partition: 8 });
  // @ts-expect-error: a stream is no pipeline.
  await createTestDriver(stream(orders));
  // @ts-expect-error: time has a unit.
  await driver.advance(1_000);
  // @ts-expect-error: workers are told by name.
  await driver.crash(1);
}

/** A test is made of the same parts as a program, and what does not fit does not fit there. */
export function whatIsTested(): void {
  // @ts-expect-error: how long does a window wait for late records? There is no default.
  window(tumbling("1 minute"), { n: count() }, { by: () => "all" });
  // @ts-expect-error: rows do not go into the topic of orders.
  pipeline("wrong", stream(totals).pipe(sink(orders)));
  const policy: OnError = "deadLetter";
  // @ts-expect-error: there is no such policy.
  const other: OnError = "retry";
  void [policy, other];
}
