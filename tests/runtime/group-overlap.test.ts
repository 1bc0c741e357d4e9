import { mapOrdered, pipeline, sink, stream } from "@millrace/core";
import { describe, expect, it } from "vitest";
import { type Bench, bench, type Item, items, rejection } from "./support/bench-top.ts";
import { faultyAdapter } from "./support/faulty-adapter.ts";
import { pick, workerOf } from "./support/workers.ts";

const source = items("source", { partitions: 1 });
const copy = items("copy", { partitions: 1 });

/** Counts how many handlers of one key run at once at most; the key "bad" fails. */
function watched(top: Bench, ms: number) {
  const running = new Map<string, number>();
  const most = new Map<string, number>();
  const handle = async (item: Item): Promise<Item> => {
    const now = (running.get(item.key) ?? 0) + 1;
    running.set(item.key, now);
    most.set(item.key, Math.max(most.get(item.key) ?? 0, now));
    await new Promise<void>((resolve) => {
      top.clock.after(item.key === "bad" ? 0 : ms, resolve);
    });
    running.set(item.key, (running.get(item.key) ?? 0) - 1);
    if (item.key === "bad") {
      throw new Error("bad");
    }
    return item;
  };
  return { most, plan: pipeline("copy", stream(source).pipe(mapOrdered(handle), sink(copy))) };
}

describe("handlers of one key do not overlap on one worker (G1)", () => {
  it("when what came before a failing record is processed again", async () => {
    const top = bench();
    const { most, plan } = watched(top, 500);
    await top.send(source, [
      { key: "slow", n: 0, at: 0 },
      { key: "bad", n: 1, at: 1 },
    ]);
    const running = await top.settle(workerOf(top).app.run(plan));
    await top.settle(rejection(running.done));
    expect((await top.read(copy)).map(({ value }) => value.n)).toEqual([0]);
    expect(most.get("slow")).toBe(1);
  });

  it("when a task comes back after a lost session", async () => {
    const top = bench();
    const { most, plan } = watched(top, 3_500);
    const adapter = faultyAdapter(top.adapter, { seed: 1, rate: 0 });
    const worker = workerOf(top, { session: "1 s" }, { adapter });
    await top.send(source, [{ key: "slow", n: 0, at: 0 }]);
    const running = await top.settle(worker.app.run(plan));
    await top.clock.advance(300);
    adapter.cut("group");
    await top.clock.advance(1_500);
    adapter.mend();
    await top.settle(running.done);
    expect(pick(worker.events, "SessionLost")).toHaveLength(1);
    expect((await top.read(copy)).map(({ value }) => value.n)).toEqual([0]);
    expect(most.get("slow")).toBe(1);
  });
});
