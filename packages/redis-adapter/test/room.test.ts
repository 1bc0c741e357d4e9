import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { aim, beat, GROUP, joinOf, refOf } from "./support/groups.ts";
import { appendOf, commitOf, failure, newTopic, numbered, ok, openPorts } from "./support/ports.ts";
import { type RedisServer, startRedis, uniqueNamespace, whyNoOwnRedis } from "./support/redis-server.ts";

describe.skipIf(whyNoOwnRedis !== undefined)("a server that has reached its maxmemory", () => {
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

  it("refuses what adds records or state, and nothing else", async () => {
    const ports = await openPorts({ url: redis.url, namespace: uniqueNamespace() });
    const topic = await newTopic(ports);
    const task = { group: "g", topic, partition: 0 };
    await ok(ports.log.append(appendOf(topic, { count: 1 })));
    const owner = await ok(ports.tasks.acquire(task, 1));
    await ok(
      ports.tasks.commit(commitOf(task, owner, { state: [{ store: "s", puts: [["a", "1", 1]], deletes: [] }] })),
    );

    await admin.config("SET", "maxmemory", "1");
    const adding = {
      ...commitOf(task, owner, { outputs: [{ topic, partition: 0, records: numbered(1) }] }),
      sequence: 1,
    };
    expect(await failure(ports.log.append(appendOf(topic, { count: 2 })))).toMatchObject({ _tag: "Full" });
    expect(await failure(ports.tasks.commit(adding))).toMatchObject({ _tag: "Full" });
    const puts = [{ store: "s", puts: [["b", "2"] as const], deletes: [] }];
    expect(await failure(ports.tasks.commit({ ...adding, outputs: [], state: puts }))).toMatchObject({ _tag: "Full" });
    const another = { name: "another", partitions: 1, defaultPartitions: 1 };
    expect(await failure(ports.log.ensureTopic(another))).toMatchObject({ _tag: "Full" });

    // What lets readers go on, and so makes room again.
    const state = [{ store: "s", puts: [], deletes: ["a"] }];
    const watermarks = [{ topic, writer: "w", watermarkMs: 1 }];
    expect(await ok(ports.tasks.commit({ ...adding, outputs: [], state, watermarks }))).toBe("applied");
    expect(await ok(ports.tasks.commit(commitOf(task, owner, { sequence: 2 })))).toBe("applied");
    await ok(ports.tasks.acquire(task, 2));
    await ok(ports.log.registerWriters(topic, ["v"]));
    await ok(ports.log.seal(topic));
    expect(await ok(ports.log.times(topic))).toMatchObject({ writers: { w: 1, v: -Infinity } });
    expect(await ok(ports.log.nextSequences(topic, "p"))).toEqual([1]);
    expect(await ok(ports.state.scan(task, "s", null))).toMatchObject({ entries: [] });
    expect(await ok(ports.state.get(task, "s", ["a"]))).toEqual([null]);
    const range = { fromMs: 0, untilMs: 1, limit: 1 };
    expect(await ok(ports.state.due(task, "s", range))).toEqual({ entries: [], nextMs: null });
    await ok(ports.state.drop(task, "s"));
  });
});

describe.skipIf(whyNoOwnRedis !== undefined)("a group on a server without room", () => {
  it("goes on: members come, agree, hand tasks over and go", async () => {
    await using redis = await startRedis({ own: true });
    const admin = new Redis(redis.url);
    onTestFinished(() => admin.disconnect());
    const ports = await openPorts({ url: redis.url, namespace: uniqueNamespace() });
    await admin.config("SET", "maxmemory", "1");
    await ok(ports.group.join(joinOf("a")));
    await ok(ports.group.join(joinOf("b")));
    expect(await beat(ports, "b")).toMatchObject({ members: 2 });
    const first = await aim(ports, { a: ["orders/0"], b: [] });
    expect(await ok(ports.group.take(refOf("a"), first, ["orders/0"]))).toMatchObject({ granted: [{}] });
    expect(await ok(ports.group.give(refOf("a"), { released: [], completed: ["orders/0"] }))).toBe(1);
    const second = await aim(ports, { a: [], b: ["orders/0"] });
    expect(await ok(ports.group.take(refOf("b"), second, ["orders/0"]))).toMatchObject({ held: [{ member: "a" }] });
    const released = [{ task: "orders/0", pausedMs: 0 }];
    expect(await ok(ports.group.give(refOf("a"), { released, completed: [] }))).toBe(0);
    expect(await ok(ports.group.take(refOf("b"), second, ["orders/0"]))).toMatchObject({ granted: [{}] });
    await ok(ports.group.leave(refOf("a")));
    expect(await ok(ports.group.snapshot(GROUP))).toMatchObject({ members: [{ member: "b" }] });
  });
});

describe("a commit", () => {
  it("takes tens of thousands of changes of state and thousands of outputs", async () => {
    await using redis = await startRedis();
    const ports = await openPorts({ url: redis.url, namespace: uniqueNamespace() });
    const topic = await newTopic(ports);
    const task = { group: "g", topic, partition: 0 };
    const owner = await ok(ports.tasks.acquire(task, 1));
    const all = Array.from({ length: 30_001 }, (_, n) => [`key-${n}`, `${n}`] as const);
    const outputs = [{ topic, partition: 0, records: numbered(3_000) }];
    await ok(ports.tasks.commit(commitOf(task, owner, { outputs, state: [{ store: "s", puts: all, deletes: [] }] })));
    expect(await count()).toBe(30_001);
    const deletes = all.slice(0, 20_000).map(([key]) => key);
    const puts = Array.from({ length: 10 }, (_, n) => [`new-${n}`, ""] as const);
    await ok(ports.tasks.commit({ ...commitOf(task, owner, { state: [{ store: "s", puts, deletes }] }), sequence: 1 }));
    expect(await count()).toBe(10_011);
    expect(await ok(ports.log.times(topic))).toMatchObject({ partitions: [{ appended: 3_000 }] });

    async function count(): Promise<number> {
      const keys = new Set<string>();
      let cursor: string | null = null;
      do {
        const page: { entries: readonly (readonly [string, string])[]; cursor: string | null } = await ok(
          ports.state.scan(task, "s", cursor),
        );
        for (const [key] of page.entries) {
          keys.add(key);
        }
        cursor = page.cursor;
      } while (cursor !== null);
      return keys.size;
    }
  });
});
