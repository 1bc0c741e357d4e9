import type { Commit, DueRange, Ownership, PortError, Ports, StateDelta, TaskRef } from "@millrace/core";
import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Keys, keysOf, type StoreKeys } from "../src/keys.ts";
import { redisAdapter } from "../src/redis-adapter.ts";
import { commitOf, failure, newTopic, ok } from "./support/ports.ts";
import { type RedisServer, startRedis, uniqueNamespace, whyNoOwnRedis } from "./support/redis-server.ts";

const ALL: DueRange = { fromMs: Number.NEGATIVE_INFINITY, untilMs: Number.POSITIVE_INFINITY, limit: 10_000 };

let redis: RedisServer;
let admin: Redis;
let ports: Ports;
let keys: Keys;
let task: TaskRef;
let owner: Ownership;
let store: StoreKeys;
let sequence: number;

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
  task = { group: "g", topic: await newTopic(ports), partition: 0 };
  owner = await ok(ports.tasks.acquire(task, 1));
  store = keys.store(task, "s");
  sequence = 0;
  return () => ports.close();
});

/** The task's next commit, which has not been sent. */
function nextCommit(change: Partial<StateDelta>, rest: Partial<Commit> = {}): Commit {
  const state = [{ store: "s", puts: [], deletes: [], ...change }];
  return commitOf(task, owner, { sequence: sequence++, state, ...rest });
}

describe("the due times of a store", () => {
  it("lie in a sorted set beside the values, with the same hash tag, and only there", async () => {
    await ok(
      ports.tasks.commit(
        nextCommit({
          puts: [
            ["a", "1", 5],
            ["b", "2"],
            ["c", "3", null],
            ["d", "4", Infinity],
          ],
        }),
      ),
    );
    expect(await admin.zrange(store.dues, 0, -1, "WITHSCORES")).toEqual(["a", "5", "d", "inf"]);
    expect(await admin.hgetall(store.values)).toEqual({ a: "1", b: "2", c: "3", d: "4" });
    const tag = /\{.*\}/;
    expect(tag.exec(store.dues)?.[0]).toBe(tag.exec(keys.task("topic", 0, "g"))?.[0]);
    await ok(ports.tasks.commit(nextCommit({ deletes: ["a", "b", "c", "d"] })));
    expect(await admin.exists(store.dues, store.values)).toBe(0);
  });

  it("are not looked at by a commit that changes none, and would find a foreign type by one that may", async () => {
    await admin.set(store.dues, "somebody's");
    await ok(ports.tasks.commit(nextCommit({ puts: [["a", "1"]] })));
    const mayChange: readonly Partial<StateDelta>[] = [
      { puts: [["b", "1", 5]] },
      { puts: [["b", "1", null]] },
      { deletes: ["a"] },
    ];
    for (const change of mayChange) {
      const refused = await failure(ports.tasks.commit({ ...nextCommit(change), sequence: 1 }));
      expect(refused).toMatchObject({ _tag: "WrongType", message: expect.stringContaining(store.dues) });
      expect(await admin.hgetall(store.values)).toEqual({ a: "1" });
    }
  });

  it.each(["values", "dues"] as const)("are refused with the key in which a foreign type lies: %s", async (kind) => {
    await ok(ports.tasks.commit(nextCommit({ puts: [["a", "1", 5]] })));
    await admin.del(store[kind]);
    await admin.set(store[kind], "somebody's");
    for (const call of [ports.state.due(task, "s", ALL), ports.state.drop(task, "s")]) {
      const message = expect.stringContaining(`key ${store[kind]} `);
      expect(await failure<PortError>(call)).toMatchObject({ _tag: "WrongType", message });
    }
    expect(await admin.exists(store.values, store.dues)).toBe(2);
  });

  it("count once for a key that is put more than once, and then as the last put says", async () => {
    const puts = [
      ["a", "1", 5],
      ["b", "1", 5],
      ["c", "1", null],
      ["a", "2"],
      ["b", "2", null],
      ["c", "2", 6],
    ] as const;
    await ok(ports.tasks.commit(nextCommit({ puts })));
    expect(await admin.zrange(store.dues, 0, -1, "WITHSCORES")).toEqual(["a", "5", "c", "6"]);
  });

  it("of an entry whose value somebody deleted are reported with its name, and where to look", async () => {
    const puts = [
      ["a", "1", 1],
      ["gone", "2", 2],
      ["b", "3", 3],
    ] as const;
    await ok(ports.tasks.commit(nextCommit({ puts })));
    await admin.hdel(store.values, "gone");
    expect(await ok(ports.state.due(task, "s", { ...ALL, untilMs: 1 }))).toEqual({
      entries: [["a", "1", 1]],
      nextMs: 2,
    });
    const lost = await failure(ports.state.due(task, "s", ALL));
    expect(lost).toMatchObject({ _tag: "WrongType", retriable: false });
    expect(lost.message).toContain('"gone"');
    expect(lost.message).toContain(store.values);
    expect(lost.message).toContain(store.dues);
    await admin.zrem(store.dues, "gone");
    const left = [
      ["a", "1", 1],
      ["b", "3", 3],
    ];
    expect(await ok(ports.state.due(task, "s", ALL))).toEqual({ entries: left, nextMs: null });
    await admin.del(store.values);
    expect(await failure(ports.state.due(task, "s", ALL))).toMatchObject({ _tag: "WrongType" });
  });
});

describe.skipIf(whyNoOwnRedis !== undefined)("the work of the server", () => {
  /** How many commands the server ran for a call, those of scripts included. */
  async function commandsOf(call: () => Promise<unknown>): Promise<Record<string, number>> {
    await admin.config("RESETSTAT");
    await call();
    const stats = await admin.info("commandstats");
    const calls = [...stats.matchAll(/cmdstat_([^:]+):calls=(\d+)/g)].map(([, name, count]) => [name, Number(count)]);
    const { "config|resetstat": _, ...found } = Object.fromEntries(calls);
    return found;
  }

  it("for a commit does not grow with the number of entries", async () => {
    const changes = (count: number, stem: string): Commit => {
      const names = Array.from({ length: count }, (_, n) => `${stem}-${n}`);
      const puts = names.flatMap((name, n) => [[name, "v", n] as const, [`without ${name}`, "v", null] as const]);
      return nextCommit({ puts, deletes: names.map((name) => `never ${name}`) });
    };
    await ok(ports.tasks.commit(nextCommit({})));
    const one = await commandsOf(() => ok(ports.tasks.commit(changes(1, "a"))));
    expect(one).toMatchObject({ hset: 2, hdel: 1, zadd: 1, zrem: 1 });
    expect(await commandsOf(() => ok(ports.tasks.commit(changes(900, "b"))))).toEqual(one);
  });

  it("for a commit to stores without due times has nothing to do with them", async () => {
    await ok(ports.tasks.commit(nextCommit({ puts: [["a", "1"]] })));
    const plain = await commandsOf(() => ok(ports.tasks.commit(nextCommit({ puts: [["a", "2"]] }))));
    expect(Object.keys(plain).filter((name) => name.startsWith("z"))).toEqual([]);
    const timed = await commandsOf(() => ok(ports.tasks.commit(nextCommit({ puts: [["a", "2", 1]] }))));
    expect(timed).toEqual({ ...plain, zadd: 1, type: (plain["type"] ?? 0) + 1 });
  });

  it("for a page is one script, and for values one command, however many keys there are", async () => {
    const puts = Array.from({ length: 1_000 }, (_, n) => [`${n}`, "v", n] as const);
    await ok(ports.tasks.commit(nextCommit({ puts })));
    await ok(ports.state.due(task, "s", ALL));
    const page = await commandsOf(() => ok(ports.state.due(task, "s", ALL)));
    expect(page).toEqual({ evalsha: 1, type: 2, zrange: 2, hmget: 1 });
    const wanted = puts.map(([key]) => key);
    expect(await commandsOf(() => ok(ports.state.get(task, "s", wanted)))).toEqual({ hmget: 1 });
    expect(await commandsOf(() => ok(ports.state.get(task, "s", [])))).toEqual({});
  });
});

describe("reads of a store", () => {
  it("do not overtake a commit that was sent before them", async () => {
    // Large, so that it takes the server a while to receive it.
    const filler = Array.from({ length: 30_000 }, (_, n) => [`${n}`, "x".repeat(100)] as const);
    const commit = nextCommit({ puts: [...filler, ["a", "new", 5]] });
    const committing = ports.tasks.commit(commit)();
    const [values, page, scanned] = await Promise.all([
      ok(ports.state.get(task, "s", ["a"])),
      ok(ports.state.due(task, "s", ALL)),
      ok(ports.state.scan(task, "s", null)),
    ]);
    expect(values).toEqual(["new"]);
    expect(page).toEqual({ entries: [["a", "new", 5]], nextMs: null });
    expect(scanned.entries.length).toBeGreaterThan(0);
    expect(await committing).toMatchObject({ right: "applied" });
  });
});

describe("the time for which a task has processed nothing", () => {
  const quietMs = async (): Promise<number> => (await ok(ports.tasks.acquire(task, 1))).quietMs;
  const taskKey = (): string => keys.task("topic", 0, "g");

  it("is told by the server's clock", async () => {
    await ok(ports.tasks.commit(nextCommit({}, { processed: 1 })));
    const [seconds] = await admin.time();
    const movedAtMs = Number(await admin.hget(taskKey(), "movedAt"));
    expect(Math.abs(movedAtMs - Number(seconds) * 1_000)).toBeLessThan(10_000);
    await admin.hset(taskKey(), "movedAt", movedAtMs - 3_600_000);
    expect(await quietMs()).toBeGreaterThanOrEqual(3_600_000);
    expect(await quietMs()).toBeLessThan(3_660_000);
  });

  it("is 0 where the server's clock went backwards", async () => {
    await ok(ports.tasks.commit(nextCommit({}, { processed: 1 })));
    await admin.hset(taskKey(), "movedAt", Date.now() + 3_600_000);
    expect(await quietMs()).toBe(0);
  });

  it("is 0 for a task of an earlier version, and begins with its next commit", async () => {
    await ok(ports.tasks.commit(nextCommit({}, { processed: 1 })));
    await admin.hdel(taskKey(), "movedAt");
    expect(await quietMs()).toBe(0);
    owner = await ok(ports.tasks.acquire(task, 1));
    await ok(ports.tasks.commit(nextCommit({}, { processed: 1 })));
    expect(await admin.hexists(taskKey(), "movedAt")).toBe(1);
  });
});
