import { once } from "node:events";
import { createServer } from "node:net";
import type { GroupHint } from "@millrace/core";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { keysOf } from "../src/keys.ts";
import { redisAdapter } from "../src/redis-adapter.ts";
import { aim, beat, expire, GROUP, joinOf, refOf } from "./support/groups.ts";
import { commitOf, failure, newTopic, numbered, ok, openPorts, until } from "./support/ports.ts";
import { type RedisServer, startRedis, uniqueNamespace, whyNoOwnRedis } from "./support/redis-server.ts";

/** Nobody waits longer than this for an answer to `open`. */
const PROMPTLY_MS = 5_000;
const SECRET = "s3cr/t w@rd";

async function openFailure(url: string, namespace = "test"): Promise<{ tag: string; message: string }> {
  const startMs = performance.now();
  const { _tag: tag, message, ...rest } = await failure(redisAdapter({ url, namespace }).open());
  expect(performance.now() - startMs).toBeLessThan(PROMPTLY_MS);
  expect(`${message}${JSON.stringify(rest)}`).not.toContain("s3cr");
  return { tag, message };
}

describe("what is no address of a server", () => {
  it.each([
    ["", /not a URL/],
    ["localhost", /not a URL/],
    [`http://:s3cret@localhost`, /redis:\/\/ or rediss:\/\//],
    ["redis:", /names no host/],
    ["redis:///1", /names no host/],
    ["redis://localhost/database", /only the number of a database/],
    ["redis://localhost?password=s3cret", /only the number of a database/],
    ["redis://a:s3cret%zz@localhost", /percent-encoded/],
    ["redis://:s3cret@local host", /not a URL/],
    ["redis://:s3cret@localhost:99999", /not a URL/],
  ])("is refused without a look at the network: %s", async (url, message) => {
    expect(await openFailure(url)).toEqual({ tag: "Refused", message: expect.stringMatching(message) });
  });

  it.each(["", "a}b", "{a}", "a:b", "a b", ".a", "a\r\nb", "ä", "a".repeat(201)])(
    "is refused as a namespace: %j",
    async (namespace) => {
      const refusal = await openFailure("redis://127.0.0.1:1", namespace);
      expect(refusal).toEqual({ tag: "Refused", message: expect.stringMatching(/namespace is not usable/) });
    },
  );
});

describe("the adapter's name", () => {
  it.each([
    ["redis://localhost", "Redis at redis://localhost:6379, namespace test"],
    ["rediss://ada:s3cret@example.org:7000/3", "Redis at rediss://ada:***@example.org:7000/3, namespace test"],
    ["redis://:s3cret@[::1]", "Redis at redis://:***@[::1]:6379, namespace test"],
    ["nonsense s3cret", "Redis at an unusable URL, namespace test"],
  ])("says where %s points, without the password", (url, name) => {
    expect(redisAdapter({ url, namespace: "test" }).name).toBe(name);
  });
});

describe("a server that is not there", () => {
  it("is Unavailable when nobody listens", async () => {
    const { tag, message } = await openFailure("redis://:s3cret@127.0.0.1:1");
    expect({ tag, message }).toEqual({ tag: "Unavailable", message: expect.stringContaining("ECONNREFUSED") });
    expect(message).toContain("redis://:***@127.0.0.1:1");
  });

  it("is Unavailable when its name is unknown", async () => {
    expect((await openFailure("redis://millrace.invalid")).tag).toBe("Unavailable");
  });

  it("is Unavailable when somebody listens and says nothing", async () => {
    const server = createServer(() => {}).listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" ? address?.port : 0;
    expect(await openFailure(`redis://:s3cret@127.0.0.1:${port}`)).toMatchObject({
      tag: "Unavailable",
      message: expect.stringContaining("did not answer"),
    });
    server.close();
  });
});

describe.skipIf(whyNoOwnRedis !== undefined)("a server that cannot be used", () => {
  let redis: RedisServer;
  let admin: Redis;

  beforeAll(async () => {
    redis = await startRedis({ own: true, args: ["--requirepass", SECRET] });
    admin = new Redis(redis.url, { password: SECRET });
  });
  afterAll(async () => {
    admin.disconnect();
    await redis.stop();
  });

  const urlWith = (credentials: string, path = ""): string =>
    `${redis.url.replace("redis://", `redis://${credentials}@`)}${path}`;

  it("opens with the right password", async () => {
    const ports = await openPorts({ url: urlWith(`:${encodeURIComponent(SECRET)}`), namespace: uniqueNamespace() });
    await newTopic(ports);
  });

  it("is refused with a wrong password, or none, and the password is in no message", async () => {
    expect(await openFailure(urlWith(":s3cret"))).toMatchObject({
      tag: "Refused",
      message: expect.stringContaining("WRONGPASS"),
    });
    expect(await openFailure(urlWith("nobody:s3cret"))).toMatchObject({
      tag: "Refused",
      message: expect.stringContaining("WRONGPASS"),
    });
    expect(await openFailure(redis.url)).toMatchObject({ tag: "Refused", message: expect.stringContaining("NOAUTH") });
  });

  it("is refused with a database that it does not have", async () => {
    expect((await openFailure(urlWith(`:${encodeURIComponent(SECRET)}`, "/9999"))).tag).toBe("Refused");
  });

  it.each(["allkeys-lru", "allkeys-lfu", "allkeys-random"])(
    "is refused when it may delete what it likes: %s",
    async (policy) => {
      await admin.config("SET", "maxmemory-policy", policy);
      const { tag, message } = await openFailure(urlWith(`:${encodeURIComponent(SECRET)}`));
      await admin.config("SET", "maxmemory-policy", "noeviction");
      expect(tag).toBe("Refused");
      expect(message).toContain(policy);
      expect(message).toContain("CONFIG SET maxmemory-policy noeviction");
    },
  );

  it("opens when only keys with a time to live may be deleted", async () => {
    await admin.config("SET", "maxmemory-policy", "volatile-lru");
    await openPorts({ url: urlWith(`:${encodeURIComponent(SECRET)}`) });
    await admin.config("SET", "maxmemory-policy", "noeviction");
  });

  it("is refused when it is a replica", async () => {
    await using replica = await startRedis({
      own: true,
      args: ["--replicaof", "127.0.0.1", `${redis.port}`, "--masterauth", SECRET],
    });
    const { tag, message } = await openFailure(replica.url);
    expect({ tag, message }).toEqual({ tag: "Refused", message: expect.stringContaining("replica") });
  });

  it("is refused in cluster mode", async () => {
    await using cluster = await startRedis({ own: true, args: ["--cluster-enabled", "yes"] });
    const { tag, message } = await openFailure(cluster.url);
    expect({ tag, message }).toEqual({ tag: "Refused", message: expect.stringContaining("cluster mode") });
  });

  it("leaves no connection behind when it is refused", async () => {
    await admin.config("SET", "maxmemory-policy", "allkeys-lru");
    await openFailure(urlWith(`:${encodeURIComponent(SECRET)}`), "refused");
    await admin.config("SET", "maxmemory-policy", "noeviction");
    await until(async () => !String(await admin.client("LIST")).includes("name=millrace:refused:"));
  });

  it("serves a user who may do no more than what is documented", async () => {
    const namespace = uniqueNamespace();
    const rules =
      "-@all +eval +evalsha +xread +hget +hset +hmget +hdel +hsetnx +hgetall +hincrby +hkeys +hlen +hscan +exists +type " +
      "+del +pexpire +persist +time +zadd +zrem +zscore +zrange +sadd +srem +scard +sismember +smembers +xadd +xgroup|create " +
      "+xgroup|setid +xgroup|destroy +xinfo|stream +client|id +client|unblock +publish +subscribe +unsubscribe +ping +auth";
    const own = ["resetkeys", `~${namespace}:*`, "resetchannels", `&${namespace}:*`];
    await admin.acl("SETUSER", "worker", "on", ">pw", ...own, ...rules.split(" "));
    await admin.call("acl", ["log", "reset"]);
    const ports = await openPorts({ url: urlWith("worker:pw"), namespace });
    const topic = await newTopic(ports);
    await ok(
      ports.log.append({ topic, partition: 0, producer: "p", ephemeral: true, firstSequence: 0, records: numbered(2) }),
    );
    await ok(ports.log.registerWriters(topic, ["w"]));
    const hints: GroupHint[] = [];
    const stop = ports.group.watch(GROUP, (hint) => hints.push(hint));
    await until(async () => (await admin.pubsub("CHANNELS", `${namespace}:*`)).length === 1);
    await ok(ports.group.join(joinOf("a")));
    await ok(ports.group.join(joinOf("b")));
    await expire(admin, keysOf(namespace), "b");
    await beat(ports, "a", { isLeaving: true });
    const generation = await aim(ports, { a: ["topic/0"] });
    await ok(ports.group.take(refOf("a"), generation, ["topic/0"]));
    const task = { group: GROUP, topic, partition: 0 };
    const owner = await ok(ports.tasks.acquire(task, generation));
    await ok(ports.tasks.positions([task]));
    await ok(ports.group.give(refOf("a"), { released: [], completed: ["topic/0"] }));
    await ok(ports.group.give(refOf("a"), { released: [{ task: "topic/0", pausedMs: 0 }], completed: [] }));
    await ok(ports.group.leave(refOf("a")));
    await until(() => hints.length === 3);
    stop();
    const state = [{ store: "s", puts: [["a", "1"] as const], deletes: ["b"] }];
    await ok(
      ports.tasks.commit(commitOf(task, owner, { state, outputs: [{ topic, partition: 0, records: numbered(1) }] })),
    );
    await ok(ports.state.scan(task, "s", null));
    await ok(ports.log.seal(topic));
    expect(await ok(ports.log.times(topic))).toMatchObject({ partitions: [{ appended: 3, sealed: true }] });
    const denied = await admin.call("acl", ["log"]);
    const commands = (denied as unknown[][]).map((entry) => entry[entry.indexOf("object") + 1]);
    // INFO is asked for and done without; the driver names its connections where it may.
    expect(new Set(commands)).toEqual(new Set(["info", "client|setname"]));
  });
});
