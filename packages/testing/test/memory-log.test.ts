import { BEFORE_FIRST, type Clock, type Offset } from "@millrace/core";
import { describe, expect, it } from "vitest";
import { ok } from "../src/conformance/outcome.ts";
import { appendOf, records } from "../src/conformance/requests.ts";
import { createVirtualClock, memoryAdapter } from "../src/index.ts";
import { pending } from "./support/small-broker.ts";

const AMPLE = { maxRecords: 1000, maxBytes: 1e9 };

describe("log in memory", () => {
  it("makes offsets as Redis makes ids, strictly ascending even when the clock goes back", async () => {
    let nowMs = 0;
    const clock: Clock = { now: () => nowMs, after: () => () => undefined };
    const { log } = await ok(memoryAdapter({ clock }).open());
    const topic = await ok(log.ensureTopic({ name: "t", partitions: 1, defaultPartitions: 1 }));
    for (const [n, ms] of [0, 1000, 1000.7, 999, 1001].entries()) {
      nowMs = ms;
      await ok(log.append(appendOf(topic, records(2), { firstSequence: n * 2 })));
    }
    const reader = log.reader(topic, 0, BEFORE_FIRST);
    const found = await ok(() => reader.next(AMPLE));
    reader.close();
    const ids = ["0-1", "0-2", "1000-0", "1000-1", "1000-2", "1000-3", "1000-4", "1000-5", "1001-0", "1001-1"];
    expect(found.records.map(({ offset }) => offset)).toEqual(ids.map((id) => `${id}/0`));
    expect(found.records.map(({ appendedMs }) => appendedMs)).toEqual(ids.map((id) => Number.parseInt(id, 10)));
  });

  it("waits for a first record for 1000 ms of its clock", async () => {
    const clock = createVirtualClock();
    const { log } = await ok(memoryAdapter({ clock }).open());
    const topic = await ok(log.ensureTopic({ name: "t", partitions: 1, defaultPartitions: 1 }));
    const reader = log.reader(topic, 0, BEFORE_FIRST);
    const waiting = ok(() => reader.next(AMPLE));
    await clock.advance(999);
    expect(await pending(waiting)).toBe(true);
    await clock.advance(1);
    expect(await waiting).toEqual({ records: [], atEnd: true });
  });

  it("ends a waiting read as soon as its topic is deleted", async () => {
    const adapter = memoryAdapter({ clock: createVirtualClock() });
    const { log } = await ok(adapter.open());
    const topic = await ok(log.ensureTopic({ name: "t", partitions: 1, defaultPartitions: 1 }));
    const waiting = log.reader(topic, 0, BEFORE_FIRST).next(AMPLE);
    expect(await pending(waiting)).toBe(true);
    adapter.deleteTopic("t");
    expect(await waiting).toMatchObject({ left: { _tag: "TopicLost" } });
  });

  it("leaves no timer behind a read that was woken", async () => {
    let timers = 0;
    const clock: Clock = {
      now: () => 0,
      after: () => {
        timers += 1;
        return () => {
          timers -= 1;
        };
      },
    };
    const { log } = await ok(memoryAdapter({ clock }).open());
    const topic = await ok(log.ensureTopic({ name: "t", partitions: 1, defaultPartitions: 1 }));
    const reader = log.reader(topic, 0, BEFORE_FIRST);
    const woken = ok(() => reader.next(AMPLE));
    expect(timers).toBe(1);
    await ok(log.append(appendOf(topic, records(1))));
    expect((await woken).records).toHaveLength(1);
    expect(timers).toBe(0);
    const closed = ok(() => reader.next(AMPLE));
    expect(timers).toBe(1);
    reader.close();
    await closed;
    expect(timers).toBe(0);
  });

  it("refuses a partition that does not exist as a mistake of the caller", async () => {
    const { log } = await ok(memoryAdapter().open());
    const topic = await ok(log.ensureTopic({ name: "t", partitions: 1, defaultPartitions: 1 }));
    const after: Offset = BEFORE_FIRST;
    expect(() => log.reader(topic, 1, after)).toThrow(RangeError);
    await expect(log.append(appendOf(topic, records(1), { partition: 1 }))()).rejects.toThrow(RangeError);
    expect(() => memoryAdapter({ maxBytesPerPartition: 0 })).toThrow(RangeError);
  });
});
