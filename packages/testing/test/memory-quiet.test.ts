import type { Clock, Ports, TaskRef } from "@millrace/core";
import { describe, expect, it } from "vitest";
import { ok } from "../src/conformance/outcome.ts";
import { commitOf } from "../src/conformance/requests.ts";
import { createVirtualClock, memoryAdapter } from "../src/index.ts";

/** A task, and what it needs to be acquired and committed. */
async function startTask(clock: Clock): Promise<{ readonly ports: Ports; readonly task: TaskRef }> {
  const ports = await ok(memoryAdapter({ clock }).open());
  const topic = await ok(ports.log.ensureTopic({ name: "t", partitions: 1, defaultPartitions: 1 }));
  return { ports, task: { group: "g", topic, partition: 0 } };
}

describe("the time for which a task in memory has processed nothing", () => {
  it("is that of the adapter's clock, to the millisecond", async () => {
    const clock = createVirtualClock();
    const { ports, task } = await startTask(clock);
    const quietMs = async (): Promise<number> => (await ok(ports.tasks.acquire(task, 1))).quietMs;
    const commit = async (processed: number): Promise<void> => {
      await ok(ports.tasks.commit(commitOf(task, await ok(ports.tasks.acquire(task, 1)), { processed })));
    };
    await clock.advance(1_000);
    expect(await quietMs()).toBe(0);
    await commit(3);
    expect(await quietMs()).toBe(0);
    await clock.advance(250);
    await commit(3);
    await clock.advance(50);
    expect(await quietMs()).toBe(300);
    await commit(4);
    await clock.advance(7);
    expect(await quietMs()).toBe(7);
  });

  it("is 0 where the clock went backwards, and whole where it tells parts of a millisecond", async () => {
    let nowMs = 1_000.9;
    const { ports, task } = await startTask({ ...createVirtualClock(), now: () => nowMs });
    await ok(ports.tasks.commit(commitOf(task, await ok(ports.tasks.acquire(task, 1)), { processed: 1 })));
    nowMs = 500;
    expect((await ok(ports.tasks.acquire(task, 1))).quietMs).toBe(0);
    nowMs = 1_010.1;
    expect((await ok(ports.tasks.acquire(task, 1))).quietMs).toBe(10);
  });
});
