import { setTimeout as pause } from "node:timers/promises";
import type { GroupHint, Ports } from "@millrace/core";
import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { keysOf } from "../src/keys.ts";
import { aim, beat, GROUP, joinOf, refOf } from "./support/groups.ts";
import { ok, openPorts, until } from "./support/ports.ts";
import { startProxy } from "./support/proxy.ts";
import { type RedisServer, startRedis, uniqueNamespace, whyNoOwnRedis } from "./support/redis-server.ts";

const CHANGED: GroupHint = { kind: "changed" };

let redis: RedisServer;
let admin: Redis;
let namespace: string;

beforeAll(async () => {
  redis = await startRedis();
  admin = new Redis(redis.url);
});
afterAll(async () => {
  admin.disconnect();
  await redis.stop();
});
beforeEach(() => {
  namespace = uniqueNamespace();
});

/** Ports of a process of their own. */
function open(url = redis.url): Promise<Ports> {
  return openPorts({ url, namespace });
}

function channel(group = GROUP): string {
  return keysOf(namespace).hints(group);
}

/** How many connections listen to the group. */
async function subscribers(group = GROUP): Promise<number> {
  const [, count] = (await admin.pubsub("NUMSUB", channel(group))) as [string, number];
  return count;
}

/** The lines of CLIENT LIST about connections for hints. */
async function connections(): Promise<readonly string[]> {
  const all = String(await admin.client("LIST")).split("\n");
  return all.filter((line) => line.includes(`name=millrace:${namespace}:hints`));
}

/** What comes to a new listener, from the moment on in which the server knows of it. */
async function listen(ports: Ports, before = 0): Promise<{ readonly heard: GroupHint[]; readonly stop: () => void }> {
  const heard: GroupHint[] = [];
  const stop = ports.group.watch(GROUP, (hint) => heard.push(hint));
  await until(async () => (await subscribers()) > before);
  return { heard, stop };
}

/** Something that every listener hears. */
function call(): Promise<number> {
  return admin.publish(channel(), "released call/0");
}
const CALL: GroupHint = { kind: "released", tasks: ["call/0"] };

describe("hints", () => {
  it("tell other processes of targets, released tasks and members that left", async () => {
    const [ports, other] = [await open(), await open()];
    const { heard } = await listen(other);
    await ok(ports.group.join(joinOf("a")));
    const generation = await aim(ports, { a: ["orders/0", "orders/1"] });
    await until(() => heard.length === 1);
    await ok(ports.group.take(refOf("a"), generation, ["orders/0", "orders/1"]));
    const released = ["orders/0", "not-mine/0", "orders/1"].map((task) => ({ task, pausedMs: 0 }));
    await ok(ports.group.give(refOf("a"), { released, completed: [] }));
    await ok(ports.group.give(refOf("a"), { released, completed: [] }));
    await until(() => heard.length === 2);
    await ok(ports.group.leave(refOf("a")));
    await ok(ports.group.leave(refOf("a")));
    await call();
    await until(() => heard.length >= 4);
    expect(heard).toEqual([CHANGED, { kind: "released", tasks: ["orders/0", "orders/1"] }, CHANGED, CALL]);
  });

  it("of somebody else's making are passed over", async () => {
    const { heard } = await listen(await open());
    for (const message of ["", "nonsense", "released", "changed again", '{"kind":"changed"}']) {
      await admin.publish(channel(), message);
    }
    await call();
    await until(() => heard.length > 0);
    expect(heard).toEqual([CALL]);
  });

  it("come to each listener until it stops, the same function twice or not", async () => {
    const ports = await open();
    const { heard, stop } = await listen(ports);
    const calls: GroupHint[] = [];
    const onHint = (hint: GroupHint): number => calls.push(hint);
    const stops = [ports.group.watch(GROUP, onHint), ports.group.watch(GROUP, onHint)];
    await call();
    await until(() => calls.length === 2);
    stops[0]?.();
    stops[0]?.();
    await call();
    await until(() => calls.length === 3);
    stop();
    stops[1]?.();
    await until(async () => (await subscribers()) === 0);
    await listen(ports);
    expect({ heard, calls }).toEqual({ heard: [CALL, CALL], calls: [CALL, CALL, CALL] });
  });

  it("take one connection, whatever the number of groups, from the first one on that is watched", async () => {
    const ports = await open();
    await ok(ports.group.join(joinOf("a")));
    expect(await connections()).toHaveLength(0);
    await listen(ports);
    const heard: GroupHint[] = [];
    ports.group.watch("another", (hint) => heard.push(hint));
    await until(async () => (await subscribers("another")) === 1);
    expect(await connections()).toHaveLength(1);
    await ports.close();
    await until(async () => (await connections()).length === 0);
    ports.group.watch(GROUP, (hint) => heard.push(hint))();
    expect(heard).toEqual([]);
  });
});

describe("ports that are closed", () => {
  it("listen to nothing any more, and connect to nobody for it", async () => {
    const ports = await open();
    await ports.close();
    const heard: GroupHint[] = [];
    const stop = ports.group.watch(GROUP, (hint) => heard.push(hint));
    await pause(200); // no sign of life is to come
    expect(await connections()).toHaveLength(0);
    await call();
    stop();
    expect(heard).toEqual([]);
  });
});

describe("closing ports", () => {
  it("ends the signs of life that the connection for hints gives", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const ports = await open();
    await listen(ports);
    expect(vi.getTimerCount()).toBe(1);
    await ports.close();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("a connection for hints", () => {
  it("that is lost is made again, and every listener told that it may have missed something", async () => {
    const ports = await open();
    const { heard } = await listen(ports);
    for (let times = 1; times <= 3; times += 1) {
      await admin.client("KILL", "TYPE", "pubsub");
      await until(() => heard.length > 0);
      await call();
      await until(() => heard.length > 1);
      expect(heard.splice(0)).toEqual([CHANGED, CALL]);
      await until(async () => (await connections()).length === 1);
    }
  });

  it("that has died without a word is noticed", { timeout: 30_000 }, async () => {
    await using proxy = await startProxy(redis.port);
    const ports = await open(proxy.url);
    const { heard } = await listen(ports);
    proxy.freeze();
    await call();
    await until(() => heard.length > 0, 20_000);
    await call();
    await until(() => heard.length > 1);
    expect(heard).toEqual([CHANGED, CALL]);
  });

  it("that lives is kept though nothing is heard for long", { timeout: 30_000 }, async () => {
    const { heard } = await listen(await open());
    const [before] = await connections();
    await until(async () => / cmd=ping/.test((await connections())[0] ?? ""), 20_000);
    const idOf = (line: string | undefined): string | undefined => /\bid=\d+/.exec(line ?? "")?.[0];
    expect((await connections()).map(idOf)).toEqual([idOf(before)]);
    await call();
    await until(() => heard.length > 0);
    expect(heard).toEqual([CALL]);
  });
});

describe.skipIf(whyNoOwnRedis !== undefined)("a user", () => {
  const user = async (...rules: string[]): Promise<string> => {
    const name = `user-${uniqueNamespace()}`;
    await admin.acl("SETUSER", name, "on", ">pw", `~${namespace}:*`, "+@all", ...rules);
    onTestFinished(async () => {
      await admin.acl("DELUSER", name);
    });
    return redis.url.replace("redis://", `redis://${name}:pw@`);
  };

  it.each([
    ["channels", ["resetchannels"]],
    ["PUBLISH and SUBSCRIBE", ["allchannels", "-publish", "-subscribe", "-ping"]],
  ])("without the permission for %s has a group without hints", async (_, rules) => {
    const ports = await open(await user(...rules));
    const heard: GroupHint[] = [];
    await admin.call("acl", ["log", "reset"]);
    ports.group.watch(GROUP, (hint) => heard.push(hint));
    await until(async () => JSON.stringify(await admin.call("acl", ["log"])).includes('"toplevel"'));
    const connected = async () => /total_connections_received:\d+/.exec(await admin.info("stats"))?.[0];
    const before = await connected();
    await ok(ports.group.join(joinOf("a")));
    const generation = await aim(ports, { a: ["orders/0"] });
    await ok(ports.group.take(refOf("a"), generation, ["orders/0"]));
    await ok(ports.group.give(refOf("a"), { released: [{ task: "orders/0", pausedMs: 0 }], completed: [] }));
    await beat(ports, "a", { isLeaving: true });
    await ok(ports.group.leave(refOf("a")));
    await pause(200); // no sign of life is to come: neither a hint nor a connection
    expect(await connected()).toBe(before);
    expect(heard).toEqual([]);
    expect(await ok(ports.group.snapshot(GROUP))).toMatchObject({ members: [], pastOwners: [{ member: "a" }] });
  });
});
