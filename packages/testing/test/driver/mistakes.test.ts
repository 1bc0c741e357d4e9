/** What a test does wrong is told, in words, and nothing hangs. */
import { count, map, mapOrdered, pipeline, sink, stream, tumbling, window } from "@millrace/core";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createTestDriver, TestDriverError } from "../../src/index.ts";
import { copies, minutes, order, orders, perMinute, rejection, sequence, totals } from "./support/orders.ts";

describe("fake timers that fake setImmediate", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it.each([undefined, { shouldAdvanceTime: true }, { toFake: ["setImmediate" as const] }])(
    "are refused, also where they move on by themselves: %j",
    async (fakes) => {
      await using driver = await createTestDriver(copies);
      vi.useFakeTimers(fakes);
      const error = await rejection(driver.send(orders, sequence(10)));
      expect(error).toMatchObject({ _tag: "InvalidCall" });
      expect(String(error)).toContain("must leave setImmediate alone");
      expect(await rejection(createTestDriver(copies))).toMatchObject({ _tag: "InvalidCall" });
      vi.useRealTimers();
      await driver.send(orders, sequence(10));
      expect(await driver.values(totals)).toHaveLength(10);
    },
  );

  it("are refused where they come in the midst of a call", async () => {
    const plan = pipeline(
      "faking",
      stream(orders).pipe(
        mapOrdered(async ({ customer, total }) => {
          vi.useFakeTimers({ toFake: ["setImmediate"], shouldAdvanceTime: true });
          return totals.of({ customer, n: total });
        }),
        sink(totals),
      ),
    );
    await using driver = await createTestDriver(plan);
    const sent = rejection(driver.send(orders, order("ann")));
    expect(await sent).toMatchObject({ _tag: "InvalidCall" });
    vi.useRealTimers();
  });
});

describe("a call that nobody waits for", () => {
  it("and that fails is an unhandled rejection, as of any other promise", async () => {
    const reasons: unknown[] = [];
    const others = process.listeners("unhandledRejection");
    process.removeAllListeners("unhandledRejection");
    process.on("unhandledRejection", (reason) => reasons.push(reason));
    try {
      const driver = await createTestDriver(copies);
      void driver.send(orders, { total: 5 } as never);
      void driver.crash("nobody");
      await driver.send(orders, order("ann"));
      await driver.close();
      await new Promise((resolve) => setTimeout(resolve, 5));
    } finally {
      process.removeAllListeners("unhandledRejection");
      for (const listener of others) {
        process.on("unhandledRejection", listener);
      }
    }
    expect(reasons).toMatchObject([{ _tag: "EncodeError" }, { _tag: "UnknownWorker" }]);
  });
});

describe("a release that is refused", () => {
  const later = window(tumbling("2 minutes"), { orders: count() }, { grace: "10 s" });
  const refused = pipeline(
    "minutes",
    stream(orders).pipe(
      later,
      map(({ key, value }) => perMinute.of({ customer: key, n: value.orders })),
      sink(perMinute),
    ),
  );

  it("leaves nothing behind: questions are answered by the one that runs, which restart() starts again", async () => {
    await using driver = await createTestDriver(minutes, { partitions: 1 });
    await driver.send(orders, sequence(3, 1));
    const before = await driver.state("orders.window");
    expect(before.size).toBe(1);
    expect(await rejection(driver.addWorker("new", { pipelines: refused }))).toMatchObject({
      _tag: "TopologyMismatch",
    });
    expect(await driver.state("orders.window")).toEqual(before);

    await driver.crash();
    await driver.advance("20 s");
    const again = await rejection(driver.restart("worker-1", { pipelines: refused }));
    expect(again).toMatchObject({ _tag: "TopologyMismatch" });
    expect(await driver.state("orders.window")).toEqual(before);
    await driver.restart("worker-1");
    await driver.restart("new");
    expect(driver.workers.map(({ state }) => state)).toEqual(["running", "running"]);
    await driver.end(orders);
    expect(await driver.values(perMinute)).toEqual([{ customer: "c0", n: 3 }]);
  });
});

describe("what JavaScript lets through", () => {
  it("is refused in options", async () => {
    await using driver = await createTestDriver(copies);
    for (const options of [{ tme: "stands" }, "stands", null, [], 5]) {
      for (const call of [
        () => driver.send(orders, order("ann"), options as never),
        () => driver.sendRaw(orders, { payload: "" }, options as never),
        () => driver.end(orders, options as never),
      ]) {
        const error = await rejection((async () => await call())());
        expect(error).toBeInstanceOf(TestDriverError);
        expect(error).toMatchObject({ _tag: "InvalidOption" });
      }
      for (const call of [
        () => driver.addWorker("b", options as never),
        () => driver.restart("b", options as never),
        () => createTestDriver(copies, options as never),
      ]) {
        const error = await rejection((async () => await call())());
        expect(error).toBeInstanceOf(TestDriverError);
      }
    }
    expect(await driver.values(totals)).toEqual([]);
  });

  it("is refused as an entry, instead of waiting for ever, and the driver goes on", async () => {
    await using driver = await createTestDriver(copies);
    await driver.crash();
    for (const entry of [
      { payload: {} },
      { payload: 5 },
      {},
      undefined,
      null,
      "text",
      [undefined],
      { payload: "", key: 5 },
      { payload: "", timestamp: "now" },
      { payload: "", timestamp: 0.5 },
      { payload: "", headers: null },
      { payload: "", headers: { trace: 5 } },
      { payload: "", keys: "ann" },
    ]) {
      const error = await rejection(driver.sendRaw(orders, entry as never));
      expect(error).toMatchObject({ _tag: "InvalidCall" });
      expect(String(error)).toContain("sendRaw: an entry is");
    }
    await driver.restart();
    await driver.sendRaw(orders, { payload: JSON.stringify(order("ann")), headers: { trace: "5" } });
    expect(await driver.values(totals)).toHaveLength(1);
  });

  it("is refused as a topic, and as a promise", async () => {
    await using driver = await createTestDriver(copies);
    for (const call of [
      () => driver.send(undefined as never, []),
      () => driver.sendRaw("orders" as never, []),
      () => driver.end(null as never),
      () => driver.read({} as never),
      () => driver.values(undefined as never),
      () => driver.committed(5 as never),
      () => driver.owner(null as never, 0),
      () => driver.deadLetters("orders" as never),
    ]) {
      const error = await rejection(call());
      expect(error).toMatchObject({ _tag: "InvalidCall" });
      expect(String(error)).toContain("a topic must be made by topic(…)");
    }
    const given = driver.until((async () => {}) as never);
    expect(String(await rejection(given))).toContain("until: a promise is waited for, not function: call it");
    expect(String(await rejection(driver.until(undefined as never)))).toContain("not undefined");
  });
});

describe("a call that waits for a call of the driver behind it", () => {
  it("ends in an error that says so", async () => {
    await using driver = await createTestDriver(copies, { realWithin: "20 ms", within: "1 minute" });
    const both = async (): Promise<void> => {
      await Promise.resolve();
      await driver.send(orders, order("ann"));
    };
    const error = await rejection(driver.until(both()));
    expect(error).toMatchObject({ _tag: "NotSettled" });
    expect(String(error)).toContain("1 call of the driver waits behind this one");
    expect(String(error)).not.toContain("setImmediate");
  });
});

it("a worker that has failed is told of with what its handler has thrown", async () => {
  const plan = pipeline(
    "failing",
    stream(orders).pipe(
      mapOrdered(async () => {
        throw new RangeError("boom");
      }),
      sink(totals),
    ),
  );
  await using driver = await createTestDriver(plan);
  expect(String(await rejection(driver.send(orders, order("ann"))))).toContain("(RangeError: boom)");
});
