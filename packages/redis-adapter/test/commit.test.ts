import type { Commit, Ports } from "@millrace/core";
import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Keys, keysOf } from "../src/keys.ts";
import { redisAdapter } from "../src/redis-adapter.ts";
import { commitOf, failure, newTopic, numbered, ok } from "./support/ports.ts";
import { type RedisServer, startRedis, uniqueNamespace } from "./support/redis-server.ts";

let redis: RedisServer;
let admin: Redis;
let ports: Ports;
let keys: Keys;
let commit: Commit;

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
  const [source, first, last] = [
    await newTopic(ports, "source"),
    await newTopic(ports, "first"),
    await newTopic(ports, "last"),
  ];
  const task = { group: "g", topic: source, partition: 0 };
  const owner = await ok(ports.tasks.acquire(task, 1));
  commit = commitOf(task, owner, {
    time: "written",
    outputs: [first, last].map((topic) => ({ topic, partition: 0, records: numbered(1) })),
    state: ["s", "t"].map((store) => ({ store, puts: [["k", "v", 1]], deletes: [] })),
    watermarks: [first, last].map((topic) => ({ topic, writer: "w", watermarkMs: 1 })),
  });
  return () => ports.close();
});

/** Every key that a commit looks at before it writes, and what it holds. */
const LOOKED_AT: readonly (readonly [string, () => string])[] = [
  ["the task", () => keys.task("source", 0, "g")],
  ["the source's meta", () => keys.partition("source", 0).meta],
  ["the source's log", () => keys.partition("source", 0).log],
  ["the first destination's meta", () => keys.partition("first", 0).meta],
  ["the first destination's log", () => keys.partition("first", 0).log],
  ["the last destination's meta", () => keys.partition("last", 0).meta],
  ["the last destination's log", () => keys.partition("last", 0).log],
  ["the first store", () => keys.store(commit.task, "s").values],
  ["the first store's due times", () => keys.store(commit.task, "s").dues],
  ["the last store", () => keys.store(commit.task, "t").values],
  ["the last store's due times", () => keys.store(commit.task, "t").dues],
  ["the last watermark's topic", () => keys.topic("last").topic],
  ["the last writers' table", () => keys.topic("last").writers],
];

/** Keys without which there is no topic. */
const NEEDED = LOOKED_AT.filter(([name]) => /meta|log|topic/.test(name));

/** Everything under the namespace, as it lies there. */
async function everything(except: string): Promise<Record<string, string>> {
  const prefix = keys.group("x").group.replace("{x}:group", "");
  const all = (await admin.keys(`${prefix}*`)).filter((key) => key !== except).toSorted();
  const dumps = await Promise.all(all.map((key) => admin.dumpBuffer(key)));
  return Object.fromEntries(all.map((key, n) => [key, String(dumps[n]?.toString("hex"))]));
}

describe("a commit", () => {
  it.each(LOOKED_AT)("that finds a foreign type in place of %s names it and changes nothing", async (_, key) => {
    await admin.set(key(), "somebody's");
    const before = await everything(key());
    const { _tag, message } = await failure(ports.tasks.commit(commit));
    expect({ _tag, message }).toEqual({ _tag: "WrongType", message: expect.stringContaining(key()) });
    expect(await everything(key())).toEqual(before);
  });

  it.each(NEEDED)("that misses %s reports the topic lost and changes nothing", async (_, key) => {
    await admin.del(key());
    const before = await everything(key());
    const { _tag, message } = await failure(ports.tasks.commit(commit));
    expect({ _tag, message }).toEqual({ _tag: "TopicLost", message: expect.stringContaining(key()) });
    expect(await everything(key())).toEqual(before);
  });

  it("that finds everything in its place is applied", async () => {
    expect(await ok(ports.tasks.commit(commit))).toBe("applied");
    expect(await admin.hget(keys.topic("last").writers, "w")).toBe("1");
  });

  it("takes a writer out of the table where it has no watermark, and leaves a mark that it was there", async () => {
    const [, last] = commit.watermarks;
    if (last === undefined) {
      throw new Error("the commit has two watermarks");
    }
    await ok(ports.tasks.commit(commit));
    const watermarks = commit.watermarks.map((each) => ({ ...each, watermarkMs: null }));
    await ok(ports.tasks.commit({ ...commit, sequence: 1, watermarks }));
    expect(await admin.hgetall(keys.topic("last").writers)).toEqual({ w: "" });
    await ok(ports.log.registerWriters(last.topic, ["w", "v"], true));
    expect(await ok(ports.log.times(last.topic))).toMatchObject({ writers: { v: -Infinity } });
    expect(await admin.hgetall(keys.topic("last").writers)).toEqual({ w: "", v: "-inf" });
    await ok(ports.log.registerWriters(last.topic, ["w"]));
    expect(await admin.hget(keys.topic("last").writers, "w")).toBe("-inf");
  });
});
