import { mapOrdered, pipeline, sink, stream } from "@millrace/core";
import { describe, expect, it } from "vitest";
import { createTestDriver, TestDriverError, type TestDriverOptions } from "../../src/index.ts";
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

describe("calls of a driver", () => {
  it("are carried out in the order in which they were made, awaited or not", async () => {
    await using driver = await createTestDriver(copies, { partitions: 1 });
    const first = driver.send(orders, sequence(100));
    const crashed = driver.crash();
    const second = driver.send(orders, order("ann", 200, 200));
    const read = driver.values(totals);
    const restarted = driver.restart();
    expect(await read).toHaveLength(100);
    await Promise.all([first, crashed, second, restarted]);
    expect(await driver.values(totals)).toHaveLength(101);
  });

  it("go on behind one that was refused", async () => {
    await using driver = await createTestDriver(copies);
    const refused = driver.read(perMinute);
    const sent = driver.send(orders, order("ann"));
    expect(await rejection(refused)).toBeInstanceOf(TestDriverError);
    await sent;
    expect(await driver.values(totals)).toHaveLength(1);
  });

  it("are refused once the driver is closed, which can be done twice", async () => {
    const driver = await createTestDriver(copies);
    await driver.close();
    await driver.close();
    await driver[Symbol.asyncDispose]();
    const calls: (() => Promise<unknown>)[] = [
      () => driver.send(orders, order("ann")),
      () => driver.sendRaw(orders, { payload: "" }),
      () => driver.end(orders),
      () => driver.read(totals),
      () => driver.values(totals),
      () => driver.advance("1 s"),
      () => driver.until(Promise.resolve()),
      () => driver.state("orders.window"),
      () => driver.committed(orders),
      () => driver.owner(orders, 0),
      () => driver.deadLetters(),
      () => driver.addWorker(),
      () => driver.removeWorker(),
      () => driver.crash(),
      () => driver.restart(),
      () => driver.freeze(),
      () => driver.thaw(),
    ];
    for (const call of calls) {
      expect(await rejection(call())).toMatchObject({ _tag: "Closed", code: "MR_TEST_CLOSED" });
    }
    expect(driver.workers).toEqual([{ name: "worker-1", state: "crashed" }]);
  });

  it("end when the driver is closed meanwhile", async () => {
    const waits = pipeline(
      "waits",
      stream(orders).pipe(
        mapOrdered(() => new Promise<never>(() => {})),
        sink(totals),
      ),
    );
    const driver = await createTestDriver(waits, { realWithin: "60 s" });
    const sent = rejection(driver.send(orders, order("ann")));
    const waiting = rejection(driver.until(new Promise(() => {})));
    await driver.close();
    expect(await sent).toMatchObject({ _tag: "Closed" });
    expect(await waiting).toMatchObject({ _tag: "Closed" });
  });

  it("leave nothing behind that keeps the process busy", async () => {
    const before = process.getActiveResourcesInfo().length;
    const driver = await createTestDriver([minutes, ranks]);
    await driver.send(orders, sequence(100));
    await driver.close();
    expect(process.getActiveResourcesInfo().length).toBeLessThanOrEqual(before);
  });

  it("let time pass until any promise settles, and give up on those that never do", async () => {
    await using driver = await createTestDriver(copies, { within: "1 minute", realWithin: "10 ms" });
    const { sleep } = await import("@millrace/core");
    const before = driver.clock.now();
    await driver.until(sleep(driver.clock, 30_000));
    expect(driver.clock.now()).toBe(before + 30_000);
    const error = await rejection(driver.until(new Promise(() => {})));
    expect(error).toMatchObject({ _tag: "NotSettled" });
    expect(String(error)).toContain("the promise given to until()");
  });
});

describe("time", () => {
  it("moves by exactly what is said", async () => {
    await using driver = await createTestDriver([minutes, ranks], { startMs: 0 });
    expect(driver.clock.now()).toBe(0);
    for (const [duration, nowMs] of [
      ["1 ms", 1],
      ["0 s", 1],
      ["10 minutes", 600_001],
      ["1.5 s", 601_501],
    ] as const) {
      await driver.advance(duration);
      expect(driver.clock.now()).toBe(nowMs);
    }
  });

  it("does not move back, nor by what is no duration", async () => {
    await using driver = await createTestDriver(copies);
    // @ts-expect-error: a number has no unit.
    expect(await rejection(driver.advance(1_000))).toMatchObject({ _tag: "InvalidOption" });
    expect(await rejection(driver.advance("-1 s"))).toMatchObject({ _tag: "InvalidOption" });
    // @ts-expect-error: there are no fortnights.
    expect(await rejection(driver.advance("1 fortnight"))).toMatchObject({ _tag: "InvalidOption" });
  });
});

describe("options", () => {
  it.each([
    [{ partitions: 0 }, "partitions"],
    [{ partitions: 1.5 }, "partitions"],
    [{ partitions: 4_097 }, "partitions"],
    [{ startMs: -1 }, "startMs"],
    [{ startMs: Number.NaN }, "startMs"],
    [{ startMs: 0.5 }, "startMs"],
    [{ within: "soon" as "1 s" }, "within"],
    [{ realWithin: 5 as unknown as "1 s" }, "realWithin"],
    [{ session: "" as "1 s" }, "session"],
    [{ name: "a/b" }, "name"],
    [{ partition: 4 } as TestDriverOptions, 'there is no option "partition"; there are limits, name, partitions'],
  ] satisfies [TestDriverOptions, string][])("%j are refused", async (options, text) => {
    const error = await rejection(createTestDriver(copies, options));
    expect(error).toMatchObject({ _tag: "InvalidOption", code: "MR_TEST_INVALID_OPTION" });
    expect(String(error)).toContain(text);
  });

  it.each([[{ session: "10 ms" }], [{ restart: { attempts: -1 } }], [{ limits: { maxRecords: 0 } }]] satisfies [
    TestDriverOptions,
  ][])("%j are refused by the app", async (options) => {
    expect(await rejection(createTestDriver(copies, options))).toMatchObject({ _tag: "InvalidOption" });
  });

  it("of calls are checked, too", async () => {
    await using driver = await createTestDriver(copies);
    // @ts-expect-error: there is no such time.
    expect(() => driver.send(orders, order("ann"), { time: "flies" })).toThrow(TestDriverError);
  });
});

it("the same test does the same thing every time", async () => {
  const run = async (): Promise<unknown> => {
    await using driver = await createTestDriver([minutes, ranks], { partitions: 3 });
    await driver.addWorker();
    await driver.send(orders, sequence(200));
    await driver.crash();
    await driver.advance("10 s");
    await driver.restart();
    await driver.send(
      orders,
      sequence(200).map((value) => ({ ...value, at: value.at + 200_000 })),
    );
    await driver.freeze("worker-2");
    await driver.advance("11 s");
    await driver.thaw();
    await driver.end(orders);
    return { events: driver.events, records: await driver.read(rankings), nowMs: driver.clock.now() };
  };
  const first = await run();
  expect(await run()).toEqual(first);
  expect(await run()).toEqual(first);
});
