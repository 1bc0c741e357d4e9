import { map, pipeline, sink, stream } from "@millrace/core";
import { describe, expect, it } from "vitest";
import { createTestDriver } from "../../src/index.ts";
import {
  copies,
  minutes,
  order,
  orders,
  perMinute,
  rankings,
  ranks,
  rejection,
  sequence,
  totals,
} from "./support/orders.ts";

describe("workers that come and go", () => {
  it("lose no record and count none twice, whatever the order", async () => {
    await using driver = await createTestDriver([minutes, ranks], { partitions: 3 });
    const input = sequence(300, 7);
    const steps: readonly (() => Promise<unknown>)[] = [
      () => driver.addWorker("b"),
      () => driver.crash("worker-1"),
      () => driver.addWorker("c"),
      () => driver.freeze("b"),
      () => driver.advance("4 s"),
      () => driver.restart("worker-1"),
      () => driver.advance("7 s"),
      () => driver.thaw("b"),
      () => driver.removeWorker("c"),
      () => driver.crash("b"),
    ];
    for (const [index, step] of steps.entries()) {
      await driver.send(orders, input.slice(index * 30, index * 30 + 15));
      await step();
      await driver.send(orders, input.slice(index * 30 + 15, index * 30 + 30));
    }
    await driver.advance("10 s");
    await driver.end(orders);
    const total = (await driver.values(perMinute)).reduce((sum, { n }) => sum + n, 0);
    expect(total).toBe(300);
    expect((await driver.values(rankings)).map(({ n }) => n)).toEqual([7, 7, 7, 7, 7]);
  });

  it("can run other pipelines: a new release, or one more", async () => {
    await using driver = await createTestDriver(minutes);
    await driver.send(orders, sequence(60));
    await driver.removeWorker();
    await driver.restart(undefined, { pipelines: [minutes, ranks] });
    await driver.end(orders);
    expect(await driver.values(rankings)).toEqual([{ customer: "all", n: 5 }]);
  });

  it("are refused where they do not fit the state that there is, with the reason", async () => {
    const other = pipeline(
      "minutes",
      stream(orders).pipe(
        map(({ customer, total }) => totals.of({ customer, n: total })),
        sink(totals),
      ),
    );
    await using driver = await createTestDriver(minutes);
    await driver.send(orders, sequence(60));
    await driver.crash();
    await driver.advance("20 s");
    const error = await rejection(driver.restart("worker-1", { pipelines: other }));
    expect(error).toMatchObject({ _tag: "TopologyMismatch" });
    expect(driver.workers).toEqual([{ name: "worker-1", state: "failed" }]);
    await driver.restart("worker-1", { pipelines: minutes });
    await driver.end(orders);
    expect(await driver.values(perMinute)).toHaveLength(5);
  });
});

it("a topic of another pipeline needs that pipeline's owner to be named", async () => {
  await using driver = await createTestDriver([copies, minutes]);
  expect(await rejection(driver.owner(orders, 0))).toMatchObject({ _tag: "InvalidCall" });
  expect(await driver.owner(orders, 0, minutes)).toBe("worker-1");
  expect(await rejection(driver.owner(orders, 9, minutes))).toMatchObject({ _tag: "InvalidCall" });
  await driver.send(orders, order("ann"));
  expect((await driver.committed(orders)).map(({ pipeline: name }) => name)).toEqual([
    ...Array.from({ length: 4 }, () => "copies"),
    ...Array.from({ length: 4 }, () => "minutes"),
  ]);
});
