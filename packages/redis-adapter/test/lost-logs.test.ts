/** What a server lost, or somebody made anew, is found before anything is written. */
import { offsetOf, type Ports, type TaskRef, type TopicInfo } from "@millrace/core";
import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Keys, keysOf } from "../src/keys.ts";
import { redisAdapter } from "../src/redis-adapter.ts";
import { appendOf, commitOf, failure, newTopic, numbered, ok } from "./support/ports.ts";
import { type RedisServer, startRedis, uniqueNamespace } from "./support/redis-server.ts";

let redis: RedisServer;
let admin: Redis;
let ports: Ports;
let keys: Keys;

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
  return () => ports.close();
});

describe("a task", () => {
  it("whose log has lost its tail is acquired by nobody: new records would lie in front of its offset", async () => {
    const topic = await newTopic(ports);
    const task: TaskRef = { group: "g", topic, partition: 0 };
    await ok(ports.log.append(appendOf(topic, { count: 3 })));
    const { log } = keys.partition(topic.name, 0);
    const [, second = "", third = ""] = (await admin.xrange(log, "-", "+")).map(([id]) => id);
    const owner = await ok(ports.tasks.acquire(task, 1));
    const offset = offsetOf(third, 0);
    await ok(ports.tasks.commit(commitOf(task, owner, { offset, processed: 3 })));
    await admin.xdel(log, third);
    await admin.call("XSETID", log, second);
    const { _tag, message } = await failure(ports.tasks.acquire(task, 2));
    expect(_tag).toBe("TopicLost");
    expect(message).toContain(`the log ends at ${second}, before the committed offset`);
    await admin.call("XSETID", log, third);
    expect(await ok(ports.tasks.acquire(task, 2))).toMatchObject({ sequence: 1, offset, processed: 3 });
  });

  it("promises nothing to the readers of a topic that was made anew, and writes nothing else beside it", async () => {
    const [source, output] = [await newTopic(ports, "source"), await newTopic(ports, "output")];
    const task: TaskRef = { group: "g", topic: source, partition: 0 };
    const owner = await ok(ports.tasks.acquire(task, 1));
    const commit = commitOf(task, owner, {
      outputs: [{ topic: source, partition: 0, records: numbered(1) }],
      watermarks: [
        { topic: source, writer: "w", watermarkMs: 1 },
        { topic: { ...output, incarnation: "another" }, writer: "w", watermarkMs: 1 },
      ],
    });
    expect(await failure(ports.tasks.commit(commit))).toMatchObject({ _tag: "TopicLost" });
    expect((await ok(ports.log.times(output))).writers).toEqual({});
    expect(await ok(ports.log.times(source))).toMatchObject({ writers: {}, partitions: [{ appended: 0 }] });
    expect(await ok(ports.tasks.commit(commitOf(task, owner)))).toBe("applied");
  });
});

it("a partition that was made anew, its topic's name and incarnation left as they were, tells nobody its end", async () => {
  const topic = await newTopic(ports);
  await ok(ports.log.append(appendOf(topic, { count: 1 })));
  await admin.hset(keys.partition(topic.name, 0).meta, "incarnation", "another");
  expect(await failure(ports.log.times(topic))).toMatchObject({ _tag: "TopicLost" });
});

it("a topic that was deleted is not taken for the one of its name, by a task that never ran, or by who asks for promises alone", async () => {
  const topic = await newTopic(ports);
  await ok(ports.log.registerWriters(topic, ["w"]));
  const before: TopicInfo = { ...topic, incarnation: "another" };
  const task: TaskRef = { group: "g", topic: before, partition: 0 };
  expect(await failure(ports.tasks.acquire(task, 1))).toMatchObject({ _tag: "TopicLost" });
  expect(await admin.exists(keys.task(topic.name, 0, "g"))).toBe(0);
  expect(await failure(ports.log.times(before, []))).toMatchObject({ _tag: "TopicLost" });
});
