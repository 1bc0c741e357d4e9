import {
  count,
  EncodeError,
  json,
  MillraceError,
  map,
  mapOrdered,
  partitionOf,
  pipeline,
  sink,
  stream,
  topic,
  tumbling,
  window,
} from "@millrace/core";
import * as t from "io-ts";
import { describe, expect, it } from "vitest";
import { createTestDriver, TestDriverError } from "../../src/index.ts";
import {
  copies,
  minutes,
  type Order,
  order,
  orders,
  perMinute,
  rankings,
  ranks,
  rejection,
  sequence,
  totals,
} from "./support/orders.ts";

const START_MS = Date.UTC(2024, 0, 1);

describe("what is sent", () => {
  it("is processed when the call resolves, one record or many, without that time passes", async () => {
    await using driver = await createTestDriver(copies);
    expect(driver.clock.now()).toBe(START_MS);
    await driver.send(orders, order("ann", 0, 7));
    expect(await driver.values(totals)).toEqual([{ customer: "ann", n: 7 }]);
    await driver.send(orders, [order("ann", 1, 8), order("ann", 2, 9)]);
    expect(await driver.values(totals)).toEqual([7, 8, 9].map((n) => ({ customer: "ann", n })));
    await driver.send(orders, []);
    expect(driver.clock.now()).toBe(START_MS);
  });

  it("lies in the partition of its key, in order, and is read partition after partition", async () => {
    await using driver = await createTestDriver(copies, { partitions: 3 });
    await driver.send(orders, sequence(1_000));
    const records = await driver.read(totals);
    expect(records).toHaveLength(1_000);
    expect(records.map(({ partition }) => partition)).toEqual(
      records.map(({ partition }) => partition).toSorted((a, b) => a - b),
    );
    for (const { key, partition } of records) {
      expect(partition).toBe(partitionOf(key, 3));
    }
    for (const customer of ["c0", "c1", "c2", "c3", "c4"]) {
      const numbers = records.filter(({ key }) => key === customer).map(({ value }) => value.n);
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    }
  });

  it.each([1, 4, 16])("goes through %i partitions where a topic declares none", async (partitions) => {
    await using driver = await createTestDriver(copies, { partitions });
    await driver.send(orders, order("ann"));
    const positions = await driver.committed(orders);
    expect(positions.map(({ partition }) => partition)).toEqual(Array.from({ length: partitions }, (_, n) => n));
    expect(positions.reduce((sum, { records }) => sum + records, 0)).toBe(1);
  });

  it("has the time of the clock where its topic has none", async () => {
    const notes = topic("notes", { codec: json(t.string), key: null, partitions: 1 });
    const copied = topic("copied", { codec: json(t.string), key: null, partitions: 1 });
    const plan = pipeline(
      "notes",
      stream(notes).pipe(
        map((text) => text.toUpperCase()),
        sink(copied),
      ),
    );
    await using driver = await createTestDriver(plan, { startMs: 5_000 });
    await driver.send(notes, ["a", "b"]);
    await driver.advance("90 s");
    await driver.send(notes, "c");
    const records = await driver.read(copied);
    expect(records.map(({ value, timestamp }) => [value, timestamp])).toEqual([
      ["A", 5_000],
      ["B", 5_000],
      ["C", 95_000],
    ]);
  });

  it("can be lists, which are sent as a list of lists", async () => {
    const pairs = topic("pairs", { codec: json(t.array(t.number)), key: null, partitions: 1 });
    const sums = topic("sums", { codec: json(t.number), key: null, partitions: 1 });
    const add = (numbers: readonly number[]): number => numbers.reduce((sum, n) => sum + n, 0);
    await using driver = await createTestDriver(pipeline("sums", stream(pairs).pipe(map(add), sink(sums))));
    await driver.send(pairs, [[1, 2], [3]]);
    expect(await driver.values(sums)).toEqual([3, 3]);
  });

  it("is refused where the topic cannot hold it, with what is wrong; what came before is sent", async () => {
    await using driver = await createTestDriver(copies);
    const broken = { ...order("ann"), at: Number.NaN };
    const error = await rejection(driver.send(orders, [order("ann"), broken, order("ann")]));
    expect(error).toBeInstanceOf(EncodeError);
    expect(String(error)).toContain("timestamp");
    // @ts-expect-error: what a program without types might send.
    expect(await rejection(driver.send(orders, { customer: 5 }))).toBeInstanceOf(EncodeError);
    // @ts-expect-error: neither is this a record.
    expect(await rejection(driver.send(orders, null))).toBeInstanceOf(EncodeError);
    await driver.send(orders, order("ann", 1, 2));
    expect(await driver.values(totals)).toEqual([1, 2].map((n) => ({ customer: "ann", n })));
  });

  it("is appended and left where no worker runs", async () => {
    await using driver = await createTestDriver(copies, { partitions: 1 });
    await driver.crash();
    await driver.send(orders, sequence(3));
    expect(await driver.values(orders)).toEqual(sequence(3));
    expect(await driver.values(totals)).toEqual([]);
    expect(await driver.committed(orders)).toMatchObject([{ records: 0, lag: 3 }]);
  });
});

describe("an entry that is sent raw", () => {
  it("is what the codec finds, and can be one that it refuses", async () => {
    const tolerant = pipeline(
      "tolerant",
      stream(orders, { onError: "deadLetter" }).pipe(
        map(({ customer, total }) => totals.of({ customer, n: total })),
        sink(totals),
      ),
    );
    await using driver = await createTestDriver(tolerant, { startMs: 1_000 });
    await driver.sendRaw(orders, [
      { payload: JSON.stringify(order("ann", 0, 3)), key: "ann", timestamp: 500, headers: { trace: "t" } },
      { payload: "{ broken", key: "ann" },
    ]);
    await driver.sendRaw(orders, { payload: "null" });
    await driver.sendRaw(orders, { payload: JSON.stringify(order("bob", 7, 4)) });
    expect(await driver.values(totals)).toEqual([
      { customer: "ann", n: 3 },
      { customer: "bob", n: 4 },
    ]);
    const [ann, bob] = await driver.read(totals);
    expect(bob).toMatchObject({ key: "bob", timestamp: 7_000, headers: {} });
    expect(ann).toMatchObject({ key: "ann", timestamp: 500, headers: { trace: "t" } });
    const letters = await driver.deadLetters(orders);
    expect(letters.map(({ input, timestamp }) => `${input} at ${timestamp}`).toSorted()).toEqual([
      "null at 0",
      "{ broken at 0",
    ]);
  });

  it("stops a pipeline that has nothing else for it, and the call says so", async () => {
    await using driver = await createTestDriver(copies);
    const error = await rejection(driver.sendRaw(orders, { payload: "{" }));
    expect(error).toBeInstanceOf(TestDriverError);
    expect(error).toMatchObject({ _tag: "WorkerFailed", cause: { _tag: "DecodeError" } });
  });
});

describe("reading", () => {
  it("tells a topic that nobody knows from an empty one", async () => {
    await using driver = await createTestDriver(copies);
    expect(await driver.values(totals)).toEqual([]);
    const error = await rejection(driver.read(perMinute));
    expect(error).toBeInstanceOf(TestDriverError);
    expect(error).toMatchObject({ _tag: "UnknownTopic", code: "MR_TEST_UNKNOWN_TOPIC", retriable: false });
    expect(String(error)).toContain('topic "per-minute", and nothing was sent to it; there are orders, totals');
    for (const call of [driver.committed(perMinute), driver.owner(perMinute, 0), driver.deadLetters(perMinute)]) {
      expect(await rejection(call)).toMatchObject({ _tag: "UnknownTopic" });
    }
  });

  it("knows what was sent to, whether or not a pipeline reads it", async () => {
    await using driver = await createTestDriver(copies);
    await driver.send(rankings, { customer: "ann", n: 1 });
    expect(await driver.values(rankings)).toEqual([{ customer: "ann", n: 1 }]);
    expect(await driver.committed(rankings)).toEqual([]);
  });

  it("says where an entry does not decode", async () => {
    await using driver = await createTestDriver(copies);
    await driver.sendRaw(totals, { payload: "7" });
    expect(await rejection(driver.read(totals))).toMatchObject({ _tag: "DecodeError" });
  });
});

describe("the end of a topic", () => {
  it("closes the windows of all pipelines behind it, and completes them", async () => {
    await using driver = await createTestDriver([minutes, ranks]);
    await driver.send(orders, sequence(60));
    expect(await driver.values(rankings)).toEqual([]);
    await driver.end(orders);
    expect((await driver.values(perMinute)).toSorted((a, b) => (a.customer < b.customer ? -1 : 1))).toEqual(
      ["c0", "c1", "c2", "c3", "c4"].map((customer) => ({ customer, n: 12 })),
    );
    expect(await driver.values(rankings)).toEqual([{ customer: "all", n: 5 }]);
    expect(driver.workers).toEqual([{ name: "worker-1", state: "finished" }]);
    expect((await driver.committed(orders)).every(({ isComplete }) => isComplete)).toBe(true);
  });

  it("completes the pipelines that read nothing else, and the others go on", async () => {
    const rows = pipeline(
      "rows",
      stream(rankings).pipe(
        map((row) => row),
        sink(totals),
      ),
    );
    await using driver = await createTestDriver([minutes, rows]);
    await driver.end(orders);
    await driver.send(rankings, { customer: "ann", n: 1 });
    await driver.addWorker();
    await driver.send(rankings, { customer: "bob", n: 2 });
    expect((await driver.values(totals)).map(({ n }) => n).toSorted((a, b) => a - b)).toEqual([1, 2]);
    expect(driver.workers.map(({ state }) => state)).toEqual(["running", "running"]);
  });

  it("is final", async () => {
    await using driver = await createTestDriver(copies);
    await driver.end(orders);
    await driver.end(orders);
    expect(await rejection(driver.send(orders, order("ann")))).toMatchObject({ _tag: "TopicSealed" });
    expect(await rejection(driver.sendRaw(orders, { payload: "{}" }))).toMatchObject({ _tag: "TopicSealed" });
    await driver.advance("1 minute");
    expect(await driver.values(totals)).toEqual([]);
  });

  it("is left for later where no worker runs", async () => {
    await using driver = await createTestDriver([minutes, ranks]);
    await driver.send(orders, sequence(60));
    await driver.crash();
    await driver.end(orders);
    expect(await driver.values(perMinute)).toEqual([]);
    await driver.restart();
    expect(await driver.values(rankings)).toEqual([{ customer: "all", n: 5 }]);
  });
});

describe("event time", () => {
  it("reaches the last pipeline within the call, in less than two seconds of the clock", async () => {
    await using driver = await createTestDriver([minutes, ranks]);
    await driver.send(orders, [...sequence(60), ...["c0", "c1", "c2", "c3", "c4"].map((c) => order(c, 75))]);
    expect((await driver.values(perMinute)).map(({ n }) => n)).toEqual([12, 12, 12, 12, 12]);
    // Each partition has its own event time: one without records holds back what is behind.
    expect(await driver.values(rankings)).toEqual([]);
    expect(driver.clock.now() - START_MS).toBeLessThan(2_000);
  });

  it("waits for nobody in one partition", async () => {
    await using driver = await createTestDriver([minutes, ranks], { partitions: 1 });
    await driver.send(orders, [...sequence(60), order("c0", 75)]);
    expect((await driver.values(perMinute)).map(({ n }) => n)).toEqual([12, 12, 12, 12, 12]);
    expect(await driver.values(rankings)).toEqual([{ customer: "all", n: 5 }]);
    expect(driver.clock.now() - START_MS).toBeLessThan(2_000);
  });
});

describe("a topic that declares when it is idle", () => {
  const idling = topic("idling", {
    codec: orders.codec,
    key: orders.key,
    timestamp: (value) => value.at,
    idle: "5 s",
    partitions: 1,
  });
  const plan = pipeline(
    "idling",
    stream(idling).pipe(
      window(tumbling("1 minute"), { n: count() }, { grace: "0 s" }),
      map(({ key, value }) => totals.of({ customer: key, n: value.n })),
      sink(totals),
    ),
  );

  it("has its windows closed by time alone", async () => {
    await using driver = await createTestDriver(plan);
    await driver.send(idling, order("ann", 10));
    await driver.advance("40 s");
    expect(await driver.values(totals)).toEqual([]);
    await driver.advance("20 s");
    expect(await driver.values(totals)).toEqual([{ customer: "ann", n: 1 }]);
  });
});

it("streams that share a beginning share its work", async () => {
  let calls = 0;
  const charged = stream(orders).pipe(
    mapOrdered(async (value: Order) => {
      calls += 1;
      return value;
    }),
  );
  const plan = pipeline(
    "shared",
    charged.pipe(
      map(({ customer, total }) => totals.of({ customer, n: total })),
      sink(totals),
    ),
    charged.pipe(
      map(({ customer, total }) => perMinute.of({ customer, n: total })),
      sink(perMinute),
    ),
  );
  await using driver = await createTestDriver(plan);
  await driver.send(orders, sequence(10));
  expect(calls).toBe(10);
  expect(await driver.values(totals)).toHaveLength(10);
  expect(await driver.values(perMinute)).toHaveLength(10);
});

it("what another app does with the store is part of the world", async () => {
  await using driver = await createTestDriver(copies);
  const { createApp } = await import("@millrace/core");
  await using app = createApp({ name: "other", adapter: driver.adapter, clock: driver.clock });
  const producer = await driver.until(app.producer(perMinute));
  await driver.until(producer.send({ customer: "ann", n: 1 }));
  expect(await driver.values(perMinute)).toEqual([{ customer: "ann", n: 1 }]);
  expect(await rejection(driver.until(Promise.reject(new MillraceError("NoWorker", "nobody"))))).toBeInstanceOf(
    MillraceError,
  );
});
