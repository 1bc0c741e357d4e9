import { BEFORE_FIRST, type StoredRecord } from "@millrace/core";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { keysOf } from "../src/keys.ts";
import { AMPLE, appendOf, newTopic, ok, openPorts, record } from "./support/ports.ts";
import { type RedisServer, startRedis, uniqueNamespace } from "./support/redis-server.ts";

let redis: RedisServer;
let admin: Redis;

beforeAll(async () => {
  redis = await startRedis();
  admin = new Redis(redis.url);
});
afterAll(async () => {
  admin.disconnect();
  await redis.stop();
});

describe("a partition that becomes idle while others wait", () => {
  it("does not wait for the end of their wait", { timeout: 60_000 }, async () => {
    const ports = await openPorts({ url: redis.url, namespace: uniqueNamespace() });
    const topic = await newTopic(ports, "topic", 2);
    const [quiet, busy] = [ports.log.reader(topic, 0, BEFORE_FIRST), ports.log.reader(topic, 1, BEFORE_FIRST)];
    const done = new AbortController();
    const waiting = (async () => {
      while (!done.signal.aborted) {
        await ok(() => quiet.next(AMPLE));
      }
    })();
    const rounds = 40;
    const startMs = performance.now();
    for (let n = 0; n < rounds; n += 1) {
      const next = ok(() => busy.next(AMPLE));
      await ok(ports.log.append(appendOf(topic, { from: n, count: 1 }, { partition: 1 })));
      expect((await next).records.map(({ payload }) => payload)).toEqual([`${n}`]);
    }
    // One second for each round, or half of it, if the blocking call were not interrupted.
    expect(performance.now() - startMs).toBeLessThan(rounds * 250);
    done.abort();
    quiet.close();
    busy.close();
    await waiting;
  });

  it("is served among more than fit into one blocking call", { timeout: 60_000 }, async () => {
    const ports = await openPorts({ url: redis.url, namespace: uniqueNamespace() });
    const partitions = 150;
    const topic = await newTopic(ports, "topic", partitions);
    const found = new Map<number, string[]>();
    const readers = Array.from({ length: partitions }, (_, n) => ports.log.reader(topic, n, BEFORE_FIRST));
    const done = new AbortController();
    const loops = readers.map(async (reader, n) => {
      while (!done.signal.aborted) {
        const { records } = await ok(() => reader.next(AMPLE));
        found.set(n, [...(found.get(n) ?? []), ...records.map(({ payload }) => payload)]);
        if ((found.get(n)?.length ?? 0) === 3) {
          return;
        }
      }
    });
    for (let n = 0; n < 3; n += 1) {
      const appends = readers.map((_, partition) =>
        ok(ports.log.append(appendOf(topic, { from: n, count: 1 }, { partition }))),
      );
      await Promise.all(appends);
    }
    await Promise.all(loops);
    for (const payloads of found.values()) {
      expect(payloads).toEqual(["0", "1", "2"]);
    }
    for (const reader of readers) {
      reader.close();
    }
  });

  it("costs the server a few commands a second, however many there are", { timeout: 60_000 }, async () => {
    const ports = await openPorts({ url: redis.url, namespace: uniqueNamespace() });
    const partitions = 60;
    const topic = await newTopic(ports, "topic", partitions);
    const readers = Array.from({ length: partitions }, (_, n) => ports.log.reader(topic, n, BEFORE_FIRST));
    const idle = () => Promise.all(readers.map((reader) => ok(() => reader.next(AMPLE))));
    await idle();
    await idle();
    const before = await commandsProcessed();
    await idle();
    await idle();
    expect((await commandsProcessed()) - before).toBeLessThan(partitions);
    for (const reader of readers) {
      reader.close();
    }
  });
});

describe("a reader", () => {
  it("reads whatever somebody's XADD put into the log, and says what is no record", async () => {
    const namespace = uniqueNamespace();
    const ports = await openPorts({ url: redis.url, namespace });
    const topic = await newTopic(ports);
    const { log } = keysOf(namespace).partition("topic", 0);
    await admin.xadd(log, "*", "m", "1;1700000000000;;customer;17", "v", "{}");
    await admin.xadd(log, "*", "name", "Ada");
    await admin.xadd(log, "*", "m", "1;5;inf;", "v", Buffer.from([0xff]));
    await ok(ports.log.append(appendOf(topic, { count: 1 })));
    const reader = ports.log.reader(topic, 0, BEFORE_FIRST);
    const records: StoredRecord[] = [];
    while (records.length < 4) {
      records.push(...(await ok(() => reader.next(AMPLE))).records);
    }
    const ids = (await admin.xrange(log, "-", "+")).map(([id]) => Number(id.split("-")[0]));
    expect(records.map(({ appendedMs }) => appendedMs)).toEqual(ids);
    expect(records).toMatchObject([
      { key: "customer;17", timestampMs: 1_700_000_000_000, payload: "{}", problem: null },
      { problem: expect.stringContaining('"name"'), payload: '["name","Ada"]' },
      { problem: expect.stringContaining("UTF-8") },
      { payload: "0", problem: null },
    ]);
    reader.close();
  });

  it("stays near its budget of bytes and returns every record, however the sizes change", async () => {
    const ports = await openPorts({ url: redis.url, namespace: uniqueNamespace() });
    const topic = await newTopic(ports);
    const sizes = [
      ...Array(300).fill(10),
      ...Array(50).fill(20_000),
      ...Array(300).fill(100),
      500_000,
      ...Array(50).fill(1),
    ];
    const records = sizes.map((size: number, n) => record(`${n}:${"x".repeat(size)}`));
    await ok(ports.log.append({ ...appendOf(topic, { count: 0 }), records }));
    const reader = ports.log.reader(topic, 0, BEFORE_FIRST);
    const found: StoredRecord[] = [];
    while (found.length < records.length) {
      const batch = await ok(() => reader.next({ maxRecords: 100, maxBytes: 50_000 }));
      const bytes = batch.records.reduce((sum, each) => sum + each.bytes, 0);
      expect(batch.records.length === 1 || bytes <= 50_000).toBe(true);
      expect(batch.records.length).toBeLessThanOrEqual(100);
      expect(batch.atEnd).toBe(found.length + batch.records.length === records.length);
      found.push(...batch.records);
    }
    expect(found.map(({ payload }) => payload)).toEqual(records.map(({ payload }) => payload));
    reader.close();
  });

  it("goes on reporting that its topic was created anew", async () => {
    const namespace = uniqueNamespace();
    const ports = await openPorts({ url: redis.url, namespace });
    const topic = await newTopic(ports);
    const reader = ports.log.reader({ ...topic, incarnation: "another" }, 0, BEFORE_FIRST);
    await ok(ports.log.append(appendOf(topic, { count: 3 })));
    for (let n = 0; n < 3; n += 1) {
      expect(await reader.next(AMPLE)).toMatchObject({ left: { _tag: "TopicLost" } });
    }
    reader.close();
  });

  it("leaves no connection behind when the ports are closed", async () => {
    const namespace = uniqueNamespace();
    const ports = await openPorts({ url: redis.url, namespace });
    const reader = ports.log.reader(await newTopic(ports), 0, BEFORE_FIRST);
    const waiting = reader.next(AMPLE);
    expect(await connections(namespace)).toBeGreaterThan(2);
    await ports.close();
    expect(await waiting).toMatchObject({ left: { _tag: "Unavailable" } });
    await expect.poll(() => connections(namespace)).toBe(0);
  });
});

async function connections(namespace: string): Promise<number> {
  return String(await admin.client("LIST")).split(`name=millrace:${namespace}:`).length - 1;
}

/** How many commands that a reader sends have run; what runs inside a script does not count. */
async function commandsProcessed(): Promise<number> {
  const stats = await admin.info("commandstats");
  const calls = [...stats.matchAll(/cmdstat_(?:xread|exists|evalsha|client\|unblock):calls=(\d+)/g)];
  return calls.reduce((sum, [, count]) => sum + Number(count), 0);
}
