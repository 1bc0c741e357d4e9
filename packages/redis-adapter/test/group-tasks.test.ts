import { GROUP_TIMES, type GroupSnapshot, type Ports } from "@millrace/core";
import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Keys, keysOf } from "../src/keys.ts";
import { redisAdapter } from "../src/redis-adapter.ts";
import { aim, beat, expire, GROUP, joinOf, refOf, serverTime } from "./support/groups.ts";
import { ok } from "./support/ports.ts";
import { type RedisServer, startRedis, uniqueNamespace } from "./support/redis-server.ts";

const TASK = "orders/0";
const HOUR_MS = 3_600_000;

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

function snapshot(): Promise<GroupSnapshot> {
  return ok(ports.group.snapshot(GROUP));
}

async function take(member: string, generation: number, tasks: readonly string[] = [TASK]) {
  return ok(ports.group.take(refOf(member), generation, tasks));
}

/** What the group's hash says, as numbers. */
async function fields(): Promise<Record<string, number>> {
  const found = await admin.hgetall(keys.group(GROUP).group);
  return Object.fromEntries(Object.entries(found).map(([field, value]) => [field, Number(value)]));
}

/** `member` holds {@link TASK}, and "b" is to have it. Returns the generation. */
async function wanted(): Promise<number> {
  await ok(ports.group.join(joinOf("a", { revocationMs: HOUR_MS, sessionMs: 2 * HOUR_MS })));
  await ok(ports.group.join(joinOf("b")));
  expect(await take("a", await aim(ports, { a: [TASK] }))).toMatchObject({ granted: [{ task: TASK }] });
  return aim(ports, { b: [TASK] });
}

describe("a task that another member holds", () => {
  it("is asked for by the first wish, and free when its holder's time is over", async () => {
    const generation = await wanted();
    const nowMs = await serverTime(admin);
    const { held } = await take("b", generation);
    expect(held).toEqual([{ task: TASK, member: "a", forMs: HOUR_MS }]);
    const until = Number(await admin.hget(keys.group(GROUP).asked, TASK));
    expect(until).toBeGreaterThanOrEqual(nowMs + HOUR_MS);
    await admin.hset(keys.group(GROUP).asked, TASK, until - HOUR_MS / 2);
    const [again] = (await take("b", generation)).held;
    expect(again?.forMs).toBeLessThanOrEqual(HOUR_MS / 2);
    await admin.hset(keys.group(GROUP).asked, TASK, nowMs);
    expect(await take("b", generation)).toMatchObject({ granted: [{ task: TASK, pausedMs: null }], held: [] });
    expect(await admin.exists(keys.group(GROUP).asked)).toBe(0);
  });

  it("is free when its holder's session is over, should that come first", async () => {
    const generation = await wanted();
    await admin.zadd(keys.group(GROUP).sessions, (await serverTime(admin)) + 30_000, "a");
    const [held] = (await take("b", generation)).held;
    expect(held?.forMs).toBeLessThanOrEqual(30_000);
    expect(held?.forMs).toBeGreaterThan(20_000);
    await expire(admin, keys, "a");
    expect(await take("b", generation)).toMatchObject({ granted: [{ task: TASK }] });
  });

  it("is not promised for later where the store has lost the holder's session", async () => {
    const generation = await wanted();
    await admin.zrem(keys.group(GROUP).sessions, "a");
    expect((await take("b", generation)).held).toEqual([{ task: TASK, member: "a", forMs: 0 }]);
  });

  it("is still asked for when a further target gives it to the same other, or to a third", async () => {
    await take("b", await wanted());
    const until = await admin.hget(keys.group(GROUP).asked, TASK);
    await ok(ports.group.join(joinOf("c")));
    await take("b", await aim(ports, { a: ["orders/00"], b: [TASK] }));
    await take("c", await aim(ports, { a: [], c: [TASK] }));
    expect(await admin.hget(keys.group(GROUP).asked, TASK)).toBe(until);
  });

  it("is asked for anew after a target has given it back to its holder, who worked on it in peace", async () => {
    await take("b", await wanted());
    await admin.hset(keys.group(GROUP).asked, TASK, 1);
    await aim(ports, { a: ["orders/1", TASK, "orders/2"], b: [] });
    const generation = await aim(ports, { b: [TASK] });
    expect(await take("b", generation)).toMatchObject({ granted: [], held: [{ forMs: HOUR_MS }] });
  });

  it("that belongs to an earlier stay under its holder's name is free", async () => {
    const generation = await wanted();
    await ok(ports.group.join(joinOf("a", { instance: "2" })));
    expect(await take("b", generation)).toMatchObject({ granted: [{ task: TASK }] });
  });
});

describe("what is remembered of a task", () => {
  it("is for how long nobody has worked on it, by the server's clock", async () => {
    const generation = await wanted();
    const request = { released: [{ task: TASK, pausedMs: 4_000 }], completed: [] };
    await ok(ports.group.give(refOf("a"), request));
    const [granted] = (await take("b", generation)).granted;
    expect(granted?.pausedMs).toBeGreaterThanOrEqual(4_000);
    expect(granted?.pausedMs).toBeLessThan(9_000);
    expect(await take("b", generation)).toEqual({
      isCurrent: true,
      granted: [{ task: TASK, pausedMs: null }],
      held: [],
    });
  });

  it("is who had it before, for a limited time", async () => {
    const generation = await wanted();
    await ok(ports.group.give(refOf("a"), { released: [{ task: TASK, pausedMs: 0 }], completed: [] }));
    expect((await snapshot()).pastOwners).toEqual([{ task: TASK, member: "a" }]);
    await take("b", generation);
    expect(await snapshot()).toMatchObject({
      owners: [{ task: TASK, member: "b" }],
      pastOwners: [{ task: TASK, member: "a" }],
    });
    const [member, until] = String(await admin.hget(keys.group(GROUP).past, TASK)).split(";");
    const leftMs = Number(until) - (await serverTime(admin));
    expect(member).toBe("a");
    expect(leftMs).toBeLessThanOrEqual(GROUP_TIMES.memoryMs);
    expect(leftMs).toBeGreaterThan(GROUP_TIMES.memoryMs - 60_000);
    await admin.hset(keys.group(GROUP).past, TASK, "a;1");
    expect((await snapshot()).pastOwners).toEqual([]);
  });

  it("is not who has given it back long ago", async () => {
    await wanted();
    await ok(ports.group.give(refOf("a"), { released: [{ task: TASK, pausedMs: HOUR_MS }], completed: [] }));
    expect(await snapshot()).toMatchObject({ owners: [], pastOwners: [] });
  });

  it("is the last one to have had it, where several are remembered", async () => {
    await take("b", await wanted());
    await admin.hset(keys.group(GROUP).asked, TASK, 1);
    await take("b", (await snapshot()).generation);
    await ok(ports.group.leave(refOf("b")));
    expect(await snapshot()).toMatchObject({ owners: [], pastOwners: [{ task: TASK, member: "b" }] });
  });

  it("stays what it was when a member takes a task back", async () => {
    await take("b", await wanted());
    await admin.hset(keys.group(GROUP).asked, TASK, 1);
    const { generation } = await snapshot();
    await take("b", generation);
    await ok(ports.group.join(joinOf("b", { instance: "2" })));
    expect(await ok(ports.group.take(refOf("b", "2"), generation, [TASK]))).toMatchObject({
      granted: [{ task: TASK }],
    });
    expect((await snapshot()).pastOwners).toEqual([{ task: TASK, member: "a" }]);
  });
});

describe("a proposal", () => {
  it("waits while members come, but not for ever", async () => {
    await ok(ports.group.join(joinOf("a")));
    const { firstChange = 0, dueAt } = await fields();
    expect(dueAt).toBe(firstChange + GROUP_TIMES.quietMs);
    await admin.hset(keys.group(GROUP).group, "firstChange", firstChange - GROUP_TIMES.longestQuietMs);
    await ok(ports.group.join(joinOf("b")));
    expect(await fields()).toMatchObject({ dueAt: firstChange });
  });

  it("comes soon after a loss, and neither joins nor further losses put it off", async () => {
    await ok(ports.group.join(joinOf("a")));
    await ok(ports.group.join(joinOf("b")));
    await aim(ports, {});
    await ok(ports.group.leave(refOf("b")));
    const { firstChange = 0, dueAt = 0 } = await fields();
    expect(dueAt).toBe(firstChange + GROUP_TIMES.quietAfterLossMs);
    await admin.hset(keys.group(GROUP).group, "dueAt", dueAt - 1_000);
    await ok(ports.group.join(joinOf("b", { instance: "2" })));
    await beat(ports, "a", { isLeaving: true });
    expect(await fields()).toMatchObject({ dueAt: dueAt - 1_000 });
  });

  it("is one member's at a time, until its claim is over", async () => {
    await ok(ports.group.join(joinOf("a")));
    await ok(ports.group.join(joinOf("b")));
    await admin.hset(keys.group(GROUP).group, "dueAt", 1);
    expect(await beat(ports, "a")).toMatchObject({ proposal: 0 });
    const { proposal } = await beat(ports, "b");
    expect(proposal).toBeGreaterThan(0);
    expect(proposal).toBeLessThanOrEqual(GROUP_TIMES.claimMs);
    expect(await beat(ports, "a")).toMatchObject({ proposal: 0 });
    await admin.hset(keys.group(GROUP).group, "proposerUntil", 1);
    expect(await beat(ports, "b")).toMatchObject({ proposal: 0 });
    expect((await beat(ports, "a")).proposal).toBeGreaterThan(0);
  });

  it("leaves nothing behind of what led to it", async () => {
    await ok(ports.group.join(joinOf("a")));
    await ok(ports.group.join(joinOf("b")));
    await beat(ports, "a", { isLeaving: true });
    await admin.hset(keys.group(GROUP).group, "dueAt", 1);
    await beat(ports, "b");
    await aim(ports, { b: [TASK] });
    expect(Object.keys(await fields()).toSorted()).toEqual(["epoch", "generation", "plan:orders", "targetEpoch"]);
    expect(await beat(ports, "b")).toMatchObject({ proposal: null, target: [TASK] });
  });
});

describe("a member that is about to leave", () => {
  it("does not take that back by a heartbeat that comes late, only by joining again", async () => {
    await ok(ports.group.join(joinOf("a")));
    expect(await beat(ports, "a", { isLeaving: true })).toMatchObject({ epoch: 2, staying: 0 });
    expect(await beat(ports, "a", { isLeaving: false })).toMatchObject({ epoch: 2, staying: 0 });
    expect(await ok(ports.group.join(joinOf("a", { instance: "2" })))).toMatchObject({ epoch: 3, staying: 1 });
  });
});

describe("a large group", () => {
  const ALL = Array.from({ length: 10_000 }, (_, n) => `orders/${n}`);
  const memberOf = (n: number): string => `member-${n}`;

  it("of 500 members and 10,000 tasks works", async () => {
    const members = Array.from({ length: 500 }, (_, n) => memberOf(n));
    await Promise.all(members.map((member) => ok(ports.group.join(joinOf(member, { sessionMs: HOUR_MS })))));
    const target = Object.fromEntries(members.map((member, n) => [member, ALL.slice(20 * n, 20 * n + 20)]));
    const generation = await aim(ports, target);
    expect(await beat(ports, memberOf(499))).toMatchObject({ members: 500, target: ALL.slice(-20) });
    await Promise.all(members.map((member) => take(member, generation, target[member])));
    const { owners, ...rest } = await snapshot();
    expect(owners).toHaveLength(10_000);
    expect(rest).toMatchObject({ target, pastOwners: [] });
    await expire(admin, keys, ...members.slice(1));
    expect(await beat(ports, memberOf(0), { generation })).toMatchObject({ members: 1, target: null, epoch: 999 });
    expect((await snapshot()).pastOwners).toHaveLength(9_980);
  });

  it("of one member takes and gives 10,000 tasks in one call each", async () => {
    await ok(ports.group.join(joinOf("a")));
    await ok(ports.group.join(joinOf("b", { revocationMs: HOUR_MS, sessionMs: HOUR_MS })));
    const first = await aim(ports, { a: ALL });
    expect((await take("a", first, ALL)).granted.map(({ task }) => task)).toEqual(ALL);
    expect(await ok(ports.group.give(refOf("a"), { released: [], completed: ALL }))).toBe(10_000);
    const next = await aim(ports, { b: ALL });
    expect((await take("b", next, ALL)).held.map(({ task }) => task)).toEqual(ALL);
    const released = ALL.map((task) => ({ task, pausedMs: 0 }));
    expect(await ok(ports.group.give(refOf("a"), { released, completed: [] }))).toBe(0);
    expect((await take("b", next, ALL)).granted).toHaveLength(10_000);
    expect(await snapshot()).toMatchObject({ completed: [], pastOwners: { length: 10_000 } });
  });
});
