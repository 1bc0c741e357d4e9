import { BEFORE_FIRST, offsetOf, type Ports, type TaskRef } from "@millrace/core";
import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Keys, keysOf } from "../src/keys.ts";
import { redisAdapter } from "../src/redis-adapter.ts";
import { commitOf, failure, newTopic, ok } from "./support/ports.ts";
import { type RedisServer, startRedis, uniqueNamespace } from "./support/redis-server.ts";

let redis: RedisServer;
let admin: Redis;
let ports: Ports;
let keys: Keys;
let tasks: readonly [TaskRef, TaskRef, TaskRef];

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
  const topic = await newTopic(ports, "topic", 3);
  const task = { group: "g", topic };
  tasks = [
    { ...task, partition: 0 },
    { ...task, partition: 1 },
    { ...task, partition: 2 },
  ];
  return () => ports.close();
});

describe("an acquisition", () => {
  it("that is run again is the same one, and a further one is not", async () => {
    const [task] = tasks;
    const acquire = ports.tasks.acquire(task, 1);
    const owner = await ok(acquire);
    // Time passes between them.
    expect({ ...(await ok(acquire)), quietMs: 0 }).toEqual({ ...owner, quietMs: 0 });
    expect(await ok(ports.tasks.commit(commitOf(task, owner)))).toBe("applied");
    expect((await ok(ports.tasks.acquire(task, 1))).nonce).not.toBe(owner.nonce);
    expect(await failure(ports.tasks.commit(commitOf(task, owner, { sequence: 1 })))).toMatchObject({ _tag: "Fenced" });
  });
});

describe("positions", () => {
  it("are told in the order of the tasks, owned or not", async () => {
    const [first, second, third] = tasks;
    const owner = await ok(ports.tasks.acquire(second, 1));
    const offset = offsetOf("5-1", 0);
    await admin.xadd(keys.partition("topic", second.partition).log, "5-1", "v", "read");
    await ok(ports.tasks.commit(commitOf(second, owner, { offset, processed: 7 })));
    await ok(ports.tasks.acquire(third, 1));
    const none = { sequence: 0, offset: BEFORE_FIRST, processed: 0 };
    const there = { sequence: 1, offset, processed: 7 };
    expect(await ok(ports.tasks.positions([third, second, first]))).toEqual([none, there, none]);
    expect(await ok(ports.tasks.positions([]))).toEqual([]);
    await ok(ports.tasks.commit(commitOf(second, owner, { sequence: 1, offset, processed: 8 })));
  });

  it("in another incarnation of the topic do not count", async () => {
    const [task] = tasks;
    const owner = await ok(ports.tasks.acquire(task, 1));
    await admin.xadd(keys.partition("topic", task.partition).log, "5-1", "v", "read");
    await ok(ports.tasks.commit(commitOf(task, owner, { offset: offsetOf("5-1", 0), processed: 7 })));
    const reborn = { ...task, topic: { ...task.topic, incarnation: "another" } };
    expect(await ok(ports.tasks.positions([reborn]))).toEqual([{ sequence: 0, offset: BEFORE_FIRST, processed: 0 }]);
  });

  it("name the task whose key holds a foreign type", async () => {
    await admin.set(keys.task("topic", 1, "g"), "somebody's");
    expect(await failure(ports.tasks.positions(tasks))).toMatchObject({
      _tag: "WrongType",
      message: expect.stringContaining("task g on topic/1"),
    });
  });
});
