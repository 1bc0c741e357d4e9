import { setTimeout as pause } from "node:timers/promises";
import { BEFORE_FIRST, type Ports, type TopicInfo } from "@millrace/core";
import { Redis } from "ioredis";
import { describe, expect, it, onTestFinished } from "vitest";
import { aim, beat, joinOf, refOf } from "./support/groups.ts";
import { AMPLE, appendOf, commitOf, newTopic, ok, openPorts, readRecords, record, settled } from "./support/ports.ts";
import { startProxy } from "./support/proxy.ts";
import { startRedis, uniqueNamespace, whyNoOwnRedis } from "./support/redis-server.ts";

/** No call may take longer than this, whatever happens to the server. */
const BOUND_MS = 6_000;

/** Counts how long the longest of many calls took. */
function stopwatch(): { timed<A>(run: () => Promise<A>): Promise<A>; longestMs(): number } {
  let longestMs = 0;
  return {
    async timed(run) {
      const startMs = performance.now();
      try {
        return await run();
      } finally {
        longestMs = Math.max(longestMs, performance.now() - startMs);
      }
    },
    longestMs: () => longestMs,
  };
}

function administrator(url: string): Redis {
  const admin = new Redis(url, { retryStrategy: () => 20, maxRetriesPerRequest: null });
  admin.on("error", () => {}); // refused connections while the server is away
  onTestFinished(() => admin.disconnect());
  return admin;
}

/** Copies `count` records from one topic to another, one commit for each, whatever fails meanwhile. */
async function copy(ports: Ports, from: TopicInfo, to: TopicInfo, count: number): Promise<number> {
  const task = { group: "copy", topic: from, partition: 0 };
  const watch = stopwatch();
  const owner = await settled(ports.tasks.acquire(task, 1));
  const reader = ports.log.reader(from, 0, owner.offset);
  let sequence = 0;
  while (sequence < count) {
    const batch = await settled(() => watch.timed(() => reader.next({ maxRecords: 50, maxBytes: 1 << 20 })));
    for (const { payload, offset } of batch.records) {
      const outputs = [{ topic: to, partition: 0, records: [record(payload)] }];
      const commit = ports.tasks.commit(commitOf(task, owner, { sequence, offset, processed: sequence + 1, outputs }));
      await settled(() => watch.timed(commit));
      sequence += 1;
    }
  }
  reader.close();
  return watch.longestMs();
}

async function payloadsOf(ports: Ports, topic: TopicInfo, count: number): Promise<readonly string[]> {
  return (await readRecords(ports, topic, count)).map(({ payload }) => payload);
}

/** A script that the server does not know yet takes two calls; the first one's reply could be the one that is lost. */
async function useScripts(ports: Ports): Promise<void> {
  const topic = await newTopic(ports, "warm-up");
  const task = { group: "warm-up", topic, partition: 0 };
  await ok(ports.log.append(appendOf(topic, { count: 1 })));
  const owner = await ok(ports.tasks.acquire(task, 1));
  const outputs = [{ topic, partition: 0, records: [record("x")] }];
  await ok(ports.tasks.commit(commitOf(task, owner, { outputs })));
  await ok(ports.tasks.commit(commitOf(task, owner, { sequence: 1 })));
}

function upTo(count: number): readonly string[] {
  return Array.from({ length: count }, (_, n) => `${n}`);
}

describe("scripts", () => {
  it("work on after SCRIPT FLUSH", async () => {
    await using redis = await startRedis();
    const admin = administrator(redis.url);
    const ports = await openPorts({ url: redis.url, namespace: uniqueNamespace() });
    const topic = await newTopic(ports);
    const task = { group: "g", topic, partition: 0 };
    const owner = await ok(ports.tasks.acquire(task, 1));
    for (const sequence of [0, 1, 2]) {
      await admin.script("FLUSH");
      expect(await ok(ports.tasks.commit(commitOf(task, owner, { sequence })))).toBe("applied");
      await admin.script("FLUSH");
      expect(await ok(ports.log.append(appendOf(topic, { from: sequence, count: 1 })))).toBe(1);
    }
    await admin.script("FLUSH");
    await ok(ports.group.join(joinOf("a")));
    await admin.script("FLUSH");
    const generation = await aim(ports, { a: ["topic/0"] });
    await admin.script("FLUSH");
    expect(await beat(ports, "a", { generation })).toMatchObject({ generation, target: null });
  });
});

describe("connections that are killed", () => {
  it("lose and repeat nothing, neither of reads nor of commits", { timeout: 60_000 }, async () => {
    await using redis = await startRedis();
    const admin = administrator(redis.url);
    const ports = await openPorts({ url: redis.url, namespace: uniqueNamespace() });
    const [from, to] = [await newTopic(ports, "from"), await newTopic(ports, "to")];
    const count = 2_000;
    const done = new AbortController();
    const killing = (async () => {
      while (!done.signal.aborted) {
        await admin.client("KILL", "TYPE", "normal", "SKIPME", "yes");
        await pause(15); // what is tested is when, in the life of a call, a kill comes
      }
    })();
    const producing = (async () => {
      for (let n = 0; n < count; n += 20) {
        await settled(ports.log.append(appendOf(from, { from: n, count: 20 })));
      }
    })();
    const longestMs = await copy(ports, from, to, count);
    done.abort();
    await Promise.all([killing, producing]);
    expect(await payloadsOf(ports, from, count)).toEqual(upTo(count));
    expect(await payloadsOf(ports, to, count)).toEqual(upTo(count));
    expect(await ok(ports.log.times(to))).toMatchObject({ partitions: [{ appended: count }] });
    expect(longestMs).toBeLessThan(BOUND_MS);
  });

  it("do not disturb a reader that waits", async () => {
    await using redis = await startRedis();
    const admin = administrator(redis.url);
    const ports = await openPorts({ url: redis.url, namespace: uniqueNamespace() });
    const topic = await newTopic(ports);
    const reader = ports.log.reader(topic, 0, BEFORE_FIRST);
    await ok(() => reader.next(AMPLE));
    const waiting = reader.next(AMPLE);
    await admin.client("KILL", "TYPE", "normal", "SKIPME", "yes");
    expect(await waiting).toMatchObject({ _tag: "Right" });
    await settled(ports.log.append(appendOf(topic, { count: 1 })));
    expect((await settled(() => reader.next(AMPLE))).records).toHaveLength(1);
    reader.close();
  });
});

describe("a reply that is lost", () => {
  it("does not make a commit or an append happen twice", async () => {
    await using redis = await startRedis();
    await using proxy = await startProxy(redis.port);
    const namespace = uniqueNamespace();
    const direct = await openPorts({ url: redis.url, namespace });
    const ports = await openPorts({ url: proxy.url, namespace });
    const topic = await newTopic(ports);
    const task = { group: "g", topic, partition: 0 };
    await useScripts(ports);
    const owner = await ok(ports.tasks.acquire(task, 1));
    const outputs = [{ topic, partition: 0, records: [record("output")] }];
    const commit = ports.tasks.commit(commitOf(task, owner, { outputs, time: "t" }));
    const append = ports.log.append(appendOf(topic, { count: 2 }));

    proxy.swallowReplies();
    const [committed, appended] = [commit(), append()];
    const reader = direct.log.reader(topic, 0, BEFORE_FIRST);
    let seen = 0;
    while (seen < 3) {
      seen += (await ok(() => reader.next(AMPLE))).records.length;
    }
    reader.close();
    proxy.cut();
    expect(await committed).toMatchObject({ left: { _tag: "Unavailable", retriable: true } });
    expect(await appended).toMatchObject({ left: { _tag: "Unavailable", retriable: true } });

    expect(await settled(commit)).toBe("alreadyApplied");
    expect(await settled(append)).toBe(0);
    expect(await ok(direct.log.times(topic))).toMatchObject({ partitions: [{ appended: 3 }] });
  });

  it("is noticed though nobody closes the connection", { timeout: 20_000 }, async () => {
    await using redis = await startRedis();
    await using proxy = await startProxy(redis.port);
    const ports = await openPorts({ url: proxy.url, namespace: uniqueNamespace() });
    await useScripts(ports);
    const topic = await newTopic(ports);
    const task = { group: "g", topic, partition: 0 };
    const owner = await ok(ports.tasks.acquire(task, 1));
    const reader = ports.log.reader(topic, 0, BEFORE_FIRST);
    await ok(() => reader.next(AMPLE));
    const watch = stopwatch();
    proxy.swallowReplies();
    const results = await Promise.all([
      watch.timed(ports.tasks.commit(commitOf(task, owner))),
      watch.timed(ports.log.append(appendOf(topic, { count: 1 }))),
      watch.timed(() => reader.next(AMPLE)),
    ]);
    expect(watch.longestMs()).toBeLessThan(BOUND_MS);
    expect(results[0]).toMatchObject({ left: { _tag: "Unavailable" } });
    expect(results[1]).toMatchObject({ left: { _tag: "Unavailable" } });
    expect(results[2]).toMatchObject({ left: { _tag: "Unavailable" } });
    proxy.cut();
    expect(await settled(ports.tasks.commit(commitOf(task, owner)))).toBe("alreadyApplied");
    await settled(ports.log.append(appendOf(topic, { count: 1 })));
    expect((await settled(() => reader.next(AMPLE))).records).toHaveLength(1);
    reader.close();
  });
});

describe("group calls", () => {
  it("have a connection of their own, so that they never wait behind commits", async () => {
    await using redis = await startRedis();
    const admin = administrator(redis.url);
    const namespace = uniqueNamespace();
    const ports = await openPorts({ url: redis.url, namespace });
    await ok(ports.group.join(joinOf("a")));
    await beat(ports, "a");
    const ours = String(await admin.client("LIST"))
      .split("\n")
      .filter((line) => line.includes(`name=millrace:${namespace}:`) && /cmd=eval/.test(line));
    expect(ours).toEqual([expect.stringContaining(`name=millrace:${namespace}:group `)]);
  });
});

describe.skipIf(whyNoOwnRedis !== undefined)("a server", () => {
  it("that stands still for 3 s holds nobody up for much longer", { timeout: 60_000 }, async () => {
    await using redis = await startRedis({ own: true });
    const ports = await openPorts({ url: redis.url, namespace: uniqueNamespace() });
    const [from, to] = [await newTopic(ports, "from"), await newTopic(ports, "to")];
    const count = 1_000;
    const producing = (async () => {
      for (let n = 0; n < count; n += 10) {
        await settled(ports.log.append(appendOf(from, { from: n, count: 10 })));
        if (n === count / 2) {
          await redis.kill("SIGSTOP");
          setTimeout(() => void redis.kill("SIGCONT"), 3_000);
        }
      }
    })();
    const longestMs = await copy(ports, from, to, count);
    await producing;
    expect(await payloadsOf(ports, to, count)).toEqual(upTo(count));
    expect(await ok(ports.log.times(to))).toMatchObject({ partitions: [{ appended: count }] });
    expect(longestMs).toBeLessThan(BOUND_MS);
  });

  it("that stands still leaves time to renew a session by another try", { timeout: 20_000 }, async () => {
    await using redis = await startRedis({ own: true });
    const ports = await openPorts({ url: redis.url, namespace: uniqueNamespace() });
    await ok(ports.group.join(joinOf("a")));
    await beat(ports, "a");
    const watch = stopwatch();
    await redis.kill("SIGSTOP");
    const heartbeat = ports.group.heartbeat(refOf("a"), { generation: 0, isLeaving: false });
    const unanswered = await watch.timed(heartbeat);
    await redis.kill("SIGCONT");
    expect(unanswered).toMatchObject({ left: { _tag: "Unavailable", retriable: true } });
    expect(watch.longestMs()).toBeLessThan(1_800);
    expect(await settled(heartbeat)).toMatchObject({ members: 1 });
  });

  it("that stands still is never taken for an empty log", { timeout: 60_000 }, async () => {
    await using redis = await startRedis({ own: true });
    const ports = await openPorts({ url: redis.url, namespace: uniqueNamespace() });
    const reader = ports.log.reader(await newTopic(ports), 0, BEFORE_FIRST);
    expect(await ok(() => reader.next(AMPLE))).toEqual({ records: [], atEnd: true });
    await redis.kill("SIGSTOP");
    const stillAtEnd = await reader.next(AMPLE); // may have been answered just before
    const answers = [stillAtEnd, await reader.next(AMPLE), await reader.next(AMPLE)];
    await redis.kill("SIGCONT");
    expect(answers.slice(1)).toMatchObject([{ left: { _tag: "Unavailable" } }, { left: { _tag: "Unavailable" } }]);
    expect(await settled(() => reader.next(AMPLE))).toEqual({ records: [], atEnd: true });
    reader.close();
  });

  it("that is killed and comes back with its data goes on where it was", { timeout: 60_000 }, async () => {
    const args = ["--appendonly", "yes", "--appendfsync", "always"];
    await using first = await startRedis({ own: true, args });
    const ports = await openPorts({ url: first.url, namespace: uniqueNamespace() });
    const [from, to] = [await newTopic(ports, "from"), await newTopic(ports, "to")];
    const count = 600;
    const producing = (async () => {
      for (let n = 0; n < count; n += 10) {
        await settled(ports.log.append(appendOf(from, { from: n, count: 10 })));
      }
    })();
    const copying = copy(ports, from, to, count);
    await pause(100);
    await first.kill("SIGKILL");
    await using second = await startRedis({ own: true, args, port: first.port, dir: first.dir });
    const longestMs = await copying;
    await producing;
    expect(second.pid).not.toBe(first.pid);
    expect(await payloadsOf(ports, from, count)).toEqual(upTo(count));
    expect(await payloadsOf(ports, to, count)).toEqual(upTo(count));
    expect(longestMs).toBeLessThan(BOUND_MS);
  });

  it("that came back without its data is reported, not taken for an empty topic", { timeout: 60_000 }, async () => {
    await using first = await startRedis({ own: true });
    const ports = await openPorts({ url: first.url, namespace: uniqueNamespace() });
    const topic = await newTopic(ports);
    const task = { group: "g", topic, partition: 0 };
    const owner = await ok(ports.tasks.acquire(task, 1));
    const reader = ports.log.reader(topic, 0, BEFORE_FIRST);
    await ok(() => reader.next(AMPLE));
    await first.kill("SIGKILL");
    await using reborn = await startRedis({ own: true, port: first.port });
    expect(reborn.pid).not.toBe(first.pid);
    await expect(settled(ports.tasks.commit(commitOf(task, owner)))).rejects.toThrow(/Fenced/);
    await expect(settled(ports.tasks.acquire(task, 2))).rejects.toThrow(/TopicLost/);
    await expect(settled(ports.log.append(appendOf(topic, { count: 1 })))).rejects.toThrow(/TopicLost/);
    const reads = async (): Promise<void> => {
      for (let n = 0; n < 5; n += 1) {
        await settled(() => reader.next(AMPLE));
      }
    };
    await expect(reads()).rejects.toThrow(/TopicLost/);
    reader.close();
  });
});
