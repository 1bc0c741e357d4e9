import { BEFORE_FIRST, entryIdOf, type Ports, type TaskRef } from "@millrace/core";
import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { type Keys, keysOf } from "../src/keys.ts";
import { redisAdapter } from "../src/redis-adapter.ts";
import { pairsOf } from "../src/reply.ts";
import { joinOf } from "./support/groups.ts";
import { appendOf, commitOf, newTopic, ok, readRecords } from "./support/ports.ts";
import { type RedisServer, startRedis, uniqueNamespace } from "./support/redis-server.ts";

let redis: RedisServer;
let admin: Redis;
let ports: Ports;
let keys: Keys;
let task: TaskRef;
let log: string;

beforeAll(async () => {
  redis = await startRedis();
  admin = new Redis(redis.url);
});
afterAll(async () => {
  admin.disconnect();
  await redis.stop();
});
beforeEach(async () => {
  const namespace = uniqueNamespace();
  keys = keysOf(namespace);
  ports = await ok(redisAdapter({ url: redis.url, namespace }).open());
  const topic = await newTopic(ports);
  task = { group: "app.pipeline", topic, partition: 0 };
  ({ log } = keys.partition(topic.name, 0));
  await ok(ports.log.append(appendOf(topic, { count: 10 })));
  return () => ports.close();
});

/** What XINFO GROUPS says of the task's group. */
async function shown(): Promise<Record<string, string>> {
  const groups = (await admin.xinfo("GROUPS", log)) as unknown[];
  expect(groups).toHaveLength(1);
  return Object.fromEntries(pairsOf(groups[0]));
}

describe("the consumer group that native tools show", () => {
  it("is there, with the whole lag, as soon as the task is acquired", async () => {
    await ok(ports.tasks.acquire(task, 1));
    expect(await shown()).toMatchObject({
      name: "app.pipeline",
      pending: "0",
      consumers: "0",
      "last-delivered-id": "0-0",
      "entries-read": "0",
      lag: "10",
    });
  });

  it("follows the commits", async () => {
    const offsets = (await readRecords(ports, task.topic, 10)).map(({ offset }) => offset);
    const owner = await ok(ports.tasks.acquire(task, 1));
    const offset = offsets[6] ?? BEFORE_FIRST;
    await ok(ports.tasks.commit(commitOf(task, owner, { offset, processed: 7 })));
    expect(await shown()).toMatchObject({ "last-delivered-id": entryIdOf(offset), "entries-read": "7", lag: "3" });
    await ok(ports.log.append(appendOf(task.topic, { from: 10, count: 2 })));
    expect(await shown()).toMatchObject({ lag: "5" });
    await ok(ports.tasks.acquire(task, 2));
    expect(await shown()).toMatchObject({ "entries-read": "7", lag: "5" });
  });

  it("counts what was trimmed before the first read as read", async () => {
    await admin.xtrim(log, "MAXLEN", 4);
    await ok(ports.tasks.acquire(task, 1));
    expect(await shown()).toMatchObject({ "entries-read": "6", lag: "4" });
  });

  it("comes back with the next commit after somebody destroyed it", async () => {
    const owner = await ok(ports.tasks.acquire(task, 1));
    await admin.xgroup("DESTROY", log, task.group);
    await ok(ports.tasks.commit(commitOf(task, owner, { processed: 2 })));
    expect(await shown()).toMatchObject({ "entries-read": "2" });
  });

  it("is put right by the next commit after somebody moved it", async () => {
    const owner = await ok(ports.tasks.acquire(task, 1));
    await admin.xgroup("SETID", log, task.group, "$");
    await ok(ports.tasks.commit(commitOf(task, owner, { processed: 0 })));
    expect(await shown()).toMatchObject({ "last-delivered-id": "0-0", lag: "10" });
  });

  it("never keeps a commit from being applied", async () => {
    const owner = await ok(ports.tasks.acquire(task, 1));
    // Negative counts are refused by XGROUP.
    const commit = commitOf(task, owner, { processed: -5, time: "applied" });
    expect(await ok(ports.tasks.commit(commit))).toBe("applied");
    expect(await ok(ports.tasks.acquire(task, 1))).toMatchObject({ sequence: 1, time: "applied" });
  });
});

describe("namespaces", () => {
  it("keep everything apart", async () => {
    const other = await ok(redisAdapter({ url: redis.url, namespace: uniqueNamespace() }).open());
    onTestFinished(() => other.close());
    const topic = await newTopic(other, task.topic.name, 3);
    expect(topic.incarnation).not.toBe(task.topic.incarnation);
    expect(await ok(other.log.times(topic))).toMatchObject({ partitions: [{ appended: 0 }, {}, {}] });
    await ok(ports.group.join(joinOf("a")));
    expect(await ok(other.group.join(joinOf("b")))).toMatchObject({ epoch: 1, members: 1 });
    await ok(ports.tasks.acquire(task, 7));
    expect(await ok(other.tasks.acquire({ ...task, topic }, 1))).toMatchObject({ sequence: 0 });
  });
});

describe("a log that lost its end", () => {
  it("is noticed by the next owner, who would wait for ever", async () => {
    const owner = await ok(ports.tasks.acquire(task, 1));
    const last = (await readRecords(ports, task.topic, 10)).at(-1)?.offset ?? BEFORE_FIRST;
    await ok(ports.tasks.commit(commitOf(task, owner, { offset: last, processed: 10 })));
    await admin.del(log);
    await admin.xadd(log, "5-0", "m", "1;0;;", "v", "new");
    const result = await ports.tasks.acquire(task, 2)();
    expect(result).toMatchObject({
      _tag: "Left",
      left: { _tag: "TopicLost", message: expect.stringContaining("5-0") },
    });
  });
});

describe("a foreign type", () => {
  it("is named with its key, and with what belongs there", async () => {
    await admin.set(keys.topic("taken").topic, "somebody's");
    const result = await ports.log.ensureTopic({ name: "taken", partitions: 1, defaultPartitions: 1 })();
    expect(result).toMatchObject({ left: { _tag: "WrongType" } });
    expect(result).toHaveProperty("left.message", expect.stringContaining(keys.topic("taken").topic));
    expect(result).toHaveProperty("left.message", expect.stringMatching(/holds a string where Millrace keeps a hash/));
  });
});
