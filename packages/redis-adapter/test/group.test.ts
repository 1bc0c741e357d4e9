import type { GroupSnapshot, Ports } from "@millrace/core";
import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { type Keys, keysOf } from "../src/keys.ts";
import { redisAdapter } from "../src/redis-adapter.ts";
import { aim, beat, expire, GROUP, joinOf, refOf, serverTime } from "./support/groups.ts";
import { failure, ok } from "./support/ports.ts";
import { type RedisServer, startRedis, uniqueNamespace } from "./support/redis-server.ts";

const HOUR_MS = 3_600_000;
const TOPOLOGY = { expected: null, topology: "t", onlyAlone: false };
const CALM = { generation: 0, isLeaving: false };

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

function clear(): Promise<number> {
  return admin.del(...Object.values(keys.group(GROUP)));
}

/** Everything about the group, as it lies there. */
async function everything(): Promise<Record<string, string | undefined>> {
  const all = Object.values(keys.group(GROUP));
  const dumps = await Promise.all(all.map((key) => admin.dumpBuffer(key)));
  return Object.fromEntries(all.map((key, n) => [key, dumps[n]?.toString("hex")]));
}

describe("a session", () => {
  it("lasts by the server's clock, whatever the worker's says", async () => {
    const wrong = vi.spyOn(Date, "now").mockReturnValue(5);
    const beforeMs = await serverTime(admin);
    await ok(ports.group.join(joinOf("a", { sessionMs: 7_000 })));
    await ok(ports.group.join(joinOf("b", { sessionMs: 3_000 })));
    const { nextExpiryMs } = await beat(ports, "a");
    wrong.mockRestore();
    const afterMs = await serverTime(admin);
    const untilMs = Number(await admin.zscore(keys.group(GROUP).sessions, "a"));
    expect(untilMs).toBeGreaterThanOrEqual(beforeMs + 7_000);
    expect(untilMs).toBeLessThanOrEqual(afterMs + 7_000);
    expect(nextExpiryMs).toBeGreaterThan(0);
    expect(nextExpiryMs).toBeLessThanOrEqual(3_000);
  });

  it.each([
    ["a heartbeat", () => beat(ports, "a")],
    ["a take", () => ok(ports.group.take(refOf("a"), 0, []))],
    ["a join", () => ok(ports.group.join(joinOf("c")))],
    ["a repeated join", () => ok(ports.group.join(joinOf("a")))],
    ["a join that replaces a stay", () => ok(ports.group.join(joinOf("a", { instance: "2", previous: "a-1" })))],
  ])("that is over is noticed by %s of another member, and its end is a loss", async (_, call) => {
    await ok(ports.group.join(joinOf("a")));
    await ok(ports.group.join(joinOf("b")));
    await aim(ports, {});
    await expire(admin, keys, "b");
    const { epoch, members } = await snapshot();
    expect(members.find(({ member }) => member === "b")?.expiresInMs).toBeLessThan(0);
    await call();
    const after = await snapshot();
    expect(after.members.map(({ member }) => member)).not.toContain("b");
    expect(after.epoch).toBeGreaterThan(epoch);
    expect(await admin.hget(keys.group(GROUP).group, "urgent")).toBe("1");
    expect(await failure(ports.group.heartbeat(refOf("b"), CALM))).toMatchObject({ _tag: "NotMember" });
  });

  it("of a leaving member that is over does not count as leaving any more", async () => {
    await ok(ports.group.join(joinOf("a")));
    await ok(ports.group.join(joinOf("b")));
    expect(await beat(ports, "b", { isLeaving: true })).toMatchObject({ epoch: 3, members: 2, staying: 1 });
    await expire(admin, keys, "b");
    expect(await beat(ports, "a")).toMatchObject({ epoch: 4, members: 1, staying: 1 });
  });

  it.each([
    ["a heartbeat", () => beat(ports, "a")],
    ["a take", () => ok(ports.group.take(refOf("a"), 0, []))],
    ["a repeated join", () => ok(ports.group.join(joinOf("a")))],
    ["a join that replaces it", () => ok(ports.group.join(joinOf("a", { instance: "2", previous: "a-1" })))],
  ])("that is over unnoticed is renewed by %s, and with it all the others", async (_, call) => {
    for (const member of ["a", "b", "c"]) {
      await ok(ports.group.join(joinOf(member)));
    }
    await expire(admin, keys, "a", "b");
    await call();
    const { members } = await snapshot();
    expect(members.map(({ member }) => member).toSorted()).toEqual(["a", "b", "c"]);
    expect(Math.min(...members.map(({ expiresInMs }) => expiresInMs))).toBeGreaterThan(5_000);
  });

  it("is not renewed by a new worker of the same name, who was away itself", async () => {
    await ok(ports.group.join(joinOf("a")));
    await ok(ports.group.join(joinOf("b")));
    await expire(admin, keys, "a", "b");
    expect(await ok(ports.group.join(joinOf("a", { instance: "2" })))).toMatchObject({ members: 1 });
  });

  it("is renewed where the store has lost only the sessions", async () => {
    await ok(ports.group.join(joinOf("a")));
    await admin.del(keys.group(GROUP).sessions);
    await ok(ports.group.take(refOf("a"), 0, []));
    expect(await admin.zcard(keys.group(GROUP).sessions)).toBe(1);
    expect(await beat(ports, "a")).toMatchObject({ members: 1 });
  });

  it("without a member goes", async () => {
    await ok(ports.group.join(joinOf("a")));
    await admin.zadd(keys.group(GROUP).sessions, 1, "ghost");
    await expire(admin, keys, "a");
    await beat(ports, "a");
    expect(await admin.zrange(keys.group(GROUP).sessions, 0, -1)).toEqual(["a"]);
  });
});

describe("a group whose keys were deleted", () => {
  it("has no members, and nobody's call brings them back but a join", async () => {
    await ok(ports.group.join(joinOf("a")));
    await clear();
    expect(await failure(ports.group.heartbeat(refOf("a"), CALM))).toMatchObject({
      _tag: "NotMember",
      message: expect.stringMatching(/group app\.pipeline as member a: .* Join the group again/),
    });
    expect(await failure(ports.group.take(refOf("a"), 0, ["orders/0"]))).toMatchObject({ _tag: "NotMember" });
    expect(await ok(ports.group.give(refOf("a"), { released: [], completed: ["orders/0"] }))).toBe(0);
    await ok(ports.group.leave(refOf("a")));
    expect(Object.values(await everything()).filter((dump) => dump !== undefined)).toEqual([]);
  });

  it("begins anew with generations above all that it had", async () => {
    await ok(ports.group.join(joinOf("a")));
    const beforeMs = await serverTime(admin);
    const first = await aim(ports, { a: [] });
    const second = await aim(ports, { a: [] });
    expect(first).toBeGreaterThanOrEqual(beforeMs);
    expect(second).toBeGreaterThan(first);
    await clear();
    expect(await ok(ports.group.join(joinOf("a", { instance: "2" })))).toMatchObject({ epoch: 1, generation: 0 });
    expect(await aim(ports, { a: [] })).toBeGreaterThanOrEqual(second);
  });

  it("has generations that rise though the server's clock was set back", async () => {
    await ok(ports.group.join(joinOf("a")));
    const ahead = (await serverTime(admin)) + HOUR_MS;
    await admin.hset(keys.group(GROUP).group, "generation", ahead);
    expect(await aim(ports, { a: [] })).toBe(ahead + 1);
  });
});

describe("a call", () => {
  const proposal = { ...refOf("a"), epoch: 1, generation: 0, target: { a: ["orders/0"] } };
  const CALLS: readonly (readonly [string, () => Promise<unknown>])[] = [
    ["join", () => failure(ports.group.join(joinOf("b")))],
    ["heartbeat", () => failure(ports.group.heartbeat(refOf("a"), { generation: 0, isLeaving: true }))],
    ["snapshot", () => failure(ports.group.snapshot(GROUP))],
    ["propose", () => failure(ports.group.propose(proposal))],
    ["take", () => failure(ports.group.take(refOf("a"), 0, ["orders/0"]))],
    ["give", () => failure(ports.group.give(refOf("a"), { released: [], completed: ["orders/0"] }))],
    ["topology", () => failure(ports.group.topology(GROUP))],
    ["storeTopology", () => failure(ports.group.storeTopology(refOf("a"), TOPOLOGY))],
    ["leave", () => failure(ports.group.leave(refOf("a")))],
  ];

  it.each(CALLS)("that finds a foreign type names it and changes nothing, whichever key it is: %s", async (_, call) => {
    for (const key of Object.values(keys.group(GROUP))) {
      await ok(ports.group.join(joinOf("a")));
      await admin.set(key, "somebody's");
      const before = await everything();
      expect(await call()).toMatchObject({ _tag: "WrongType", message: expect.stringContaining(key) });
      expect(await everything()).toEqual(before);
      await clear();
    }
  });

  it("takes any text as an instance, a host and a meaning", async () => {
    const odd = 'a;b c"\\\n;é';
    const request = joinOf("a", { instance: odd, host: odd, plan: { orders: { partitions: 4, meaning: odd } } });
    await ok(ports.group.join(request));
    const generation = await aim(ports, { a: ["orders/0"] });
    await ok(ports.group.take(request, generation, ["orders/0"]));
    expect(await snapshot()).toMatchObject({
      members: [{ member: "a", weight: 1, runs: ["orders"], host: odd, pid: 1, isLeaving: false }],
      plan: { orders: { partitions: 4, meaning: odd } },
      owners: [{ task: "orders/0", member: "a", generation }],
      pastOwners: [],
    });
    const again = joinOf("a", { instance: `${odd}2`, previous: odd, plan: request.plan });
    expect(await ok(ports.group.join(again))).toMatchObject({ members: 1 });
  });
});

describe("a join", () => {
  it("with another plan shows both, says what to do, and does not even notice sessions that are over", async () => {
    for (const member of ["a", "b", "c"]) {
      await ok(ports.group.join(joinOf(member)));
    }
    await expire(admin, keys, "b");
    const before = await everything();
    const plan = { other: { partitions: 1, meaning: "x" }, orders: { partitions: 8, meaning: "sums; doubles" } };
    expect(await failure(ports.group.join(joinOf("d", { plan })))).toMatchObject({
      _tag: "GroupMismatch",
      message: expect.stringMatching(
        /app\.pipeline as member d.*topic orders.*They have 4 partitions, "counts".*8 partitions, "sums; doubles".*pipeline name/,
      ),
    });
    expect(await everything()).toEqual(before);
  });

  it("need not agree with members whose sessions are over: the plan begins anew, and nothing is complete", async () => {
    await ok(ports.group.join(joinOf("a")));
    await ok(ports.group.join(joinOf("b")));
    await admin.sadd(keys.group(GROUP).completed, "orders/0");
    await expire(admin, keys, "a", "b");
    const plan = { other: { partitions: 1, meaning: "x" } };
    expect(await ok(ports.group.join(joinOf("c", { plan })))).toMatchObject({ members: 1, completed: 0 });
    expect((await snapshot()).plan).toEqual(plan);
  });

  it("in the place of a stay that is over must agree with those that go on, and is one change", async () => {
    await ok(ports.group.join(joinOf("a")));
    await ok(ports.group.join(joinOf("b")));
    await expire(admin, keys, "a");
    const plan = { orders: { partitions: 5, meaning: "counts" } };
    const other = joinOf("a", { instance: "2", plan });
    expect(await failure(ports.group.join(other))).toMatchObject({ _tag: "GroupMismatch" });
    expect(await ok(ports.group.join(joinOf("a", { instance: "2" })))).toMatchObject({ epoch: 3, members: 2 });
    expect(await admin.hexists(keys.group(GROUP).group, "urgent")).toBe(0);
  });

  it("must agree with them where it was the store that was away", async () => {
    await ok(ports.group.join(joinOf("a")));
    await ok(ports.group.join(joinOf("b")));
    await expire(admin, keys, "a", "b");
    const plan = { orders: { partitions: 5, meaning: "counts" } };
    const again = joinOf("a", { instance: "2", previous: "a-1", plan });
    expect(await failure(ports.group.join(again))).toMatchObject({ _tag: "GroupMismatch" });
  });

  it("under a name that is another worker's by now says so, and changes nothing", async () => {
    await ok(ports.group.join(joinOf("a")));
    await ok(ports.group.join(joinOf("a", { instance: "2" })));
    const before = await everything();
    const fenced = {
      _tag: "Fenced",
      message: expect.stringMatching(/another worker has joined as member a\. Give each worker an id of its own/),
    };
    expect(await failure(ports.group.join(joinOf("a", { instance: "3", previous: "a-1" })))).toMatchObject(fenced);
    expect(await failure(ports.group.heartbeat(refOf("a"), { generation: 0, isLeaving: true }))).toMatchObject(fenced);
    expect(await failure(ports.group.take(refOf("a"), 0, ["orders/0"]))).toMatchObject(fenced);
    await ok(ports.group.leave(refOf("a")));
    expect(await everything()).toEqual(before);
  });
});
