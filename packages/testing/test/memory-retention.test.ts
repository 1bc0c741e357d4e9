import { BEFORE_FIRST, type TopicInfo } from "@millrace/core";
import { beforeEach, describe, expect, it } from "vitest";
import { ok } from "../src/conformance/outcome.ts";
import { outcome, pending, type SmallBroker, startSmallBroker } from "./support/small-broker.ts";

let broker: SmallBroker;

beforeEach(async () => {
  broker = await startSmallBroker();
});

describe("retention in memory", () => {
  it("keeps everything, read and committed or not, until a partition reaches its limit", async () => {
    const topic = await broker.topic("t");
    const worker = await broker.worker("g", topic);
    for (const name of ["a", "b", "c"]) {
      await ok(broker.append(topic, name));
    }
    await ok(worker.commit({ offset: await broker.offsetOf(topic, "c") }));
    await ok(broker.append(topic, "d"));
    expect(await broker.names(topic)).toBe("abcd");
  });

  it("then drops what its group has committed, and goes on without waiting", async () => {
    const topic = await broker.topic("t");
    const worker = await broker.worker("g", topic);
    await broker.fill(topic);
    await ok(worker.commit({ offset: await broker.offsetOf(topic, "d") }));
    await ok(broker.append(topic, "f"));
    expect(await broker.names(topic)).toBe("ef");
  });

  it("waits where nothing may be dropped, and resumes when a commit makes room", async () => {
    const topic = await broker.topic("t");
    const worker = await broker.worker("g", topic);
    await broker.fill(topic);
    const offset = await broker.offsetOf(topic, "b");
    const waiting = broker.append(topic, "f")();
    expect(await pending(waiting)).toBe(true);
    await ok(worker.commit({ offset }));
    expect(await waiting).toMatchObject({ right: 1 });
    expect(await broker.names(topic)).toBe("cdef");
  });

  it.each([
    ["one", "two"],
    ["two", "one"],
  ])("waits for every group that ever acquired the partition: %s, then %s", async (fast, slow) => {
    const topic = await broker.topic("t");
    const workers = new Map([
      ["one", await broker.worker("one", topic)],
      ["two", await broker.worker("two", topic)],
    ]);
    await broker.fill(topic);
    const offset = await broker.offsetOf(topic, "c");
    const waiting = broker.append(topic, "f")();
    await workers.get(fast)?.commit({ offset })();
    expect(await pending(waiting)).toBe(true);
    await workers.get(slow)?.commit({ offset })();
    await waiting;
    expect(await broker.names(topic)).toBe("def");
  });

  it("waits for open readers, which let go as they read, when they close and when their ports close", async () => {
    const topic = await broker.topic("t");
    const worker = await broker.worker("g", topic);
    const other = await ok(broker.adapter.open());
    const slow = broker.ports.log.reader(topic, 0, BEFORE_FIRST);
    const closing = broker.ports.log.reader(topic, 0, BEFORE_FIRST);
    other.log.reader(topic, 0, BEFORE_FIRST);
    await broker.fill(topic);
    const offset = await broker.offsetOf(topic, "e");
    await ok(worker.commit({ offset }));
    const waiting = broker.append(topic, "f")();
    expect(await pending(waiting)).toBe(true);
    closing.close();
    expect(await pending(waiting)).toBe(true);
    await other.close();
    expect(await pending(waiting)).toBe(true);
    await ok(() => slow.next({ maxRecords: 2, maxBytes: 1e9 }));
    await waiting;
    expect(await broker.names(topic)).toBe("cdef");
  });

  it("resumes when the last one that held it back is a reader that closes", async () => {
    const topic = await broker.topic("t");
    const worker = await broker.worker("g", topic);
    const reader = broker.ports.log.reader(topic, 0, BEFORE_FIRST);
    await broker.fill(topic);
    await ok(worker.commit({ offset: await broker.offsetOf(topic, "e") }));
    const waiting = broker.append(topic, "f")();
    expect(await pending(waiting)).toBe(true);
    reader.close();
    await waiting;
    expect(await broker.names(topic)).toBe("f");
  });

  it("resumes when the first reader of a topic that nobody held begins behind some of it", async () => {
    const topic = await broker.topic("t");
    await broker.fill(topic);
    const after = await broker.offsetOf(topic, "b");
    const waiting = broker.append(topic, "f")();
    expect(await pending(waiting)).toBe(true);
    const reader = broker.ports.log.reader(topic, 0, after);
    await waiting;
    expect(await broker.names(topic)).toBe("cdef");
    reader.close();
  });

  it("drops what a reader has read where no group needs it, and waits where nobody reads at all", async () => {
    const topic = await broker.topic("t");
    await broker.fill(topic);
    const waiting = broker.append(topic, "f")();
    expect(await pending(waiting)).toBe(true);
    const reader = broker.ports.log.reader(topic, 0, BEFORE_FIRST);
    expect(await pending(waiting)).toBe(true);
    await ok(() => reader.next({ maxRecords: 1, maxBytes: 1e9 }));
    await waiting;
    expect(await broker.names(topic)).toBe("bcdef");
  });

  it("serves those who wait in the order in which they came", async () => {
    const topic = await broker.topic("t");
    const worker = await broker.worker("g", topic);
    await broker.fill(topic);
    const [first, last] = [await broker.offsetOf(topic, "a"), await broker.offsetOf(topic, "e")];
    const waiting = ["1", "2", "3"].map((name) => broker.append(topic, name)());
    await ok(worker.commit({ offset: first }));
    await waiting[0];
    expect(await pending(Promise.race(waiting.slice(1)))).toBe(true);
    const late = broker.append(topic, "4")();
    await ok(worker.commit({ offset: last }));
    await Promise.all([...waiting, late]);
    expect(await broker.names(topic)).toBe("1234");
  });

  it("gives up waiting when the signal aborts, leaves nothing, and lets the next one pass", async () => {
    const topic = await broker.topic("t");
    const worker = await broker.worker("g", topic);
    await broker.fill(topic);
    const offset = await broker.offsetOf(topic, "a");
    const abort = new AbortController();
    const waiting = outcome(broker.append(topic, "never", abort.signal));
    const next = broker.append(topic, "f")();
    expect(await pending(waiting)).toBe(true);
    abort.abort();
    expect(await waiting).toBe("Full");
    expect(await outcome(broker.append(topic, "never", abort.signal))).toBe("Full");
    await ok(worker.commit({ offset }));
    await next;
    expect(await broker.names(topic)).toBe("bcdef");
    // The signal gives up waiting, not appending.
    await ok(worker.commit({ offset: await broker.offsetOf(topic, "e") }));
    expect(await outcome(broker.append(topic, "g", abort.signal))).toBe(1);
  });

  it("appends a waiting call and its repeat once, and answers repeats of what is there without waiting", async () => {
    const topic = await broker.topic("t");
    const worker = await broker.worker("g", topic);
    await broker.fill(topic);
    expect(await outcome(broker.append(topic, "a"))).toBe(0);
    const offset = await broker.offsetOf(topic, "e");
    const waiting = [outcome(broker.append(topic, "f")), outcome(broker.append(topic, "f"))];
    await ok(worker.commit({ offset }));
    expect(await Promise.all(waiting)).toEqual([1, 0]);
    expect(await broker.names(topic)).toBe("f");
  });

  it.each([
    ["TopicSealed", async (topic: TopicInfo) => ok(broker.ports.log.seal(topic))],
    ["TopicLost", async (topic: TopicInfo) => broker.adapter.deleteTopic(topic.name)],
    ["Unavailable", async () => broker.ports.close()],
  ] as const)("ends a waiting append with %s at once", async (tag, happen) => {
    const topic = await broker.topic("t");
    await broker.fill(topic);
    const waiting = outcome(broker.append(topic, "f"));
    expect(await pending(waiting)).toBe(true);
    await happen(topic);
    expect(await waiting).toBe(tag);
  });

  it("counts what was dropped as processed by a group that comes later", async () => {
    const topic = await broker.topic("t");
    const worker = await broker.worker("g", topic);
    await broker.fill(topic);
    await ok(worker.commit({ offset: await broker.offsetOf(topic, "c") }));
    await ok(broker.append(topic, "f"));
    const late = await ok(broker.ports.tasks.acquire({ group: "late", topic, partition: 0 }, 1));
    expect(late).toMatchObject({ offset: BEFORE_FIRST, processed: 3 });
    expect((await ok(broker.ports.log.times(topic))).partitions).toMatchObject([{ appended: 6 }]);
  });

  it("waits without setting a timer", async () => {
    const timers: number[] = [];
    const clock = { now: () => 0, after: (delayMs: number) => () => timers.push(delayMs) };
    broker = await startSmallBroker({ clock });
    const topic = await broker.topic("t");
    await broker.fill(topic);
    const waiting = broker.append(topic, "f")();
    expect(await pending(waiting)).toBe(true);
    expect(timers).toEqual([]);
  });
});
