import type { Ports, TopicInfo } from "@millrace/core";
import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Keys, keysOf } from "../src/keys.ts";
import { redisAdapter } from "../src/redis-adapter.ts";
import { appendOf, failure, newTopic, ok } from "./support/ports.ts";
import { type RedisServer, startRedis, uniqueNamespace } from "./support/redis-server.ts";

let redis: RedisServer;
let admin: Redis;
let ports: Ports;
let keys: Keys;
let topic: TopicInfo;

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
  topic = await newTopic(ports, "topic", 2);
  return () => ports.close();
});

const WANTED = { name: "topic", partitions: 2, defaultPartitions: 1 };

describe("a topic that somebody changed by hand", () => {
  it("is lost where its description is another one's", async () => {
    await admin.hset(keys.topic("topic").topic, "incarnation", "another");
    expect(await failure(ports.log.times(topic))).toMatchObject({ _tag: "TopicLost" });
    expect(await failure(ports.log.nextSequences(topic, "p"))).toMatchObject({ _tag: "TopicLost" });
    expect(await failure(ports.log.registerWriters(topic, ["w"]))).toMatchObject({ _tag: "TopicLost" });
  });

  it("is lost where one of its partitions is another one's, and the others are left alone", async () => {
    await admin.hset(keys.partition("topic", 1).meta, "incarnation", "another");
    expect(await failure(ports.log.times(topic))).toMatchObject({ _tag: "TopicLost" });
    expect(await failure(ports.log.seal(topic))).toMatchObject({ _tag: "TopicLost" });
    expect(await failure(ports.log.append(appendOf(topic, { count: 1 }, { partition: 1 })))).toMatchObject({
      _tag: "TopicLost",
    });
    expect(await ok(ports.log.append(appendOf(topic, { count: 1 })))).toBe(1);
  });

  it("is not created over a log that is still there", async () => {
    await ok(ports.log.append(appendOf(topic, { count: 1 })));
    await admin.del(keys.topic("topic").topic);
    const { log } = keys.partition("topic", 0);
    expect(await failure(ports.log.ensureTopic(WANTED))).toMatchObject({
      _tag: "Refused",
      message: expect.stringContaining(log),
    });
    expect(await admin.xlen(log)).toBe(1);
  });

  it("is refused in a format of the future", async () => {
    await admin.hset(keys.topic("topic").topic, "format", "2");
    expect(await failure(ports.log.ensureTopic(WANTED))).toMatchObject({
      _tag: "Refused",
      message: expect.stringContaining("format 2"),
    });
  });
});

describe("the times of some partitions", () => {
  it("look at those alone, in the order in which they were asked for", async () => {
    const wide = await newTopic(ports, "wide", 4);
    await ok(ports.log.append(appendOf(wide, { count: 2 }, { partition: 1 })));
    await ok(ports.log.append(appendOf(wide, { count: 3 }, { partition: 3 })));
    await admin.del(keys.partition("wide", 0).log);
    const { partitions } = await ok(ports.log.times(wide, [3, 2, 1]));
    expect(partitions.map(({ appended }) => appended)).toEqual([3, 0, 2]);
    expect(await failure(ports.log.times(wide))).toMatchObject({ _tag: "TopicLost" });
  });
});

describe("a new topic", () => {
  it("keeps what was appended before it existed", async () => {
    const { log } = keys.partition("early", 0);
    await admin.xadd(log, "*", "m", "1;5;;k", "v", "early");
    const early = await newTopic(ports, "early");
    expect(await ok(ports.log.times(early))).toMatchObject({ partitions: [{ appended: 1 }] });
  });

  it.each([
    ["a}b", 1],
    ["", 1],
    ["a/b", 1],
    ["topic", 0],
    ["topic", -1],
    ["topic", 1.5],
    ["topic", 1e9],
  ])("is refused as %j with %d partitions", async (name, partitions) => {
    const refusal = await failure(ports.log.ensureTopic({ name, partitions, defaultPartitions: 1 }));
    expect(refusal).toMatchObject({ _tag: "Refused" });
  });
});

describe("what the log remembers of a producer", () => {
  it("expires after a week of silence where the producer is ephemeral, and never otherwise", async () => {
    const weekMs = 7 * 24 * 60 * 60 * 1_000;
    const key = keys.producer("topic", 0, "p");
    await ok(ports.log.append(appendOf(topic, { count: 1 }, { ephemeral: true })));
    expect(await admin.pttl(key)).toBeGreaterThan(weekMs - 60_000);
    await admin.pexpire(key, 60_000);
    await ok(ports.log.append(appendOf(topic, { count: 1 }, { ephemeral: true })));
    expect(await admin.pttl(key)).toBeGreaterThan(weekMs - 60_000);
    await ok(ports.log.append(appendOf(topic, { from: 1, count: 1 })));
    expect(await admin.pttl(key)).toBe(-1);
  });

  it("is a gap where it expired, not a repetition", async () => {
    await ok(ports.log.append(appendOf(topic, { count: 3 }, { ephemeral: true })));
    await admin.del(keys.producer("topic", 0, "p"));
    const next = appendOf(topic, { from: 3, count: 1 }, { ephemeral: true });
    expect(await failure(ports.log.append(next))).toMatchObject({ _tag: "SequenceGap" });
  });
});
