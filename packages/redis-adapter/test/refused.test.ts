import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { keysOf } from "../src/keys.ts";
import { appendOf, commitOf, failure, newTopic, numbered, ok, openPorts } from "./support/ports.ts";
import { type RedisServer, startRedis, uniqueNamespace, whyNoOwnRedis } from "./support/redis-server.ts";

describe.skipIf(whyNoOwnRedis !== undefined)("what the server will never accept", () => {
  let redis: RedisServer;
  let admin: Redis;

  beforeAll(async () => {
    redis = await startRedis({ own: true });
    admin = new Redis(redis.url);
  });
  afterAll(async () => {
    admin.disconnect();
    await redis.stop();
  });

  it("is Refused, not repeated: outputs into a log whose ids are used up", async () => {
    const namespace = uniqueNamespace();
    const ports = await openPorts({ url: redis.url, namespace });
    const topic = await newTopic(ports);
    const full = await newTopic(ports, "full");
    const task = { group: "g", topic, partition: 0 };
    const owner = await ok(ports.tasks.acquire(task, 1));
    await admin.xadd(keysOf(namespace).partition("full", 0).log, "18446744073709551615-18446744073709551615", "x", "y");
    const outputs = [{ topic: full, partition: 0, records: numbered(1) }];
    const refused = await failure(ports.tasks.commit(commitOf(task, owner, { outputs })));
    expect(refused).toMatchObject({ _tag: "Refused", retriable: false });
    expect(refused.message).toContain("committing task g on topic/0");
  });

  it("is Refused, not repeated: a command that the user may not run", async () => {
    const namespace = uniqueNamespace();
    await admin.call("acl", ["setuser", "limited", "on", ">secret", "~*", "+@all", "-hdel"]);
    const url = redis.url.replace("redis://", "redis://limited:secret@");
    const ports = await openPorts({ url, namespace });
    const topic = await newTopic(ports);
    const task = { group: "g", topic, partition: 0 };
    const owner = await ok(ports.tasks.acquire(task, 1));
    const state = [{ store: "s", puts: [], deletes: ["a"] }];
    const refused = await failure(ports.tasks.commit(commitOf(task, owner, { state })));
    expect(refused).toMatchObject({ _tag: "Refused", retriable: false });
    expect(refused.message).not.toContain("secret");
  });

  it("a field of the writers' table that is no number holds its readers back, and does not break them", async () => {
    const namespace = uniqueNamespace();
    const ports = await openPorts({ url: redis.url, namespace });
    const topic = await newTopic(ports);
    await ok(ports.log.append(appendOf(topic, { count: 1 })));
    await admin.hset(keysOf(namespace).topic("topic").writers, "stranger", "bar");
    expect(await ok(ports.log.times(topic))).toMatchObject({ writers: { stranger: -Infinity } });
  });
});
