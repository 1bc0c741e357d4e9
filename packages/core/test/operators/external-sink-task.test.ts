/** `sink(fn)` as a task runs it: what it owes to units, to event time, to draining, and to limiters. */
import { limiter } from "@millrace/core";
import { describe, expect, it } from "vitest";
import { scope } from "../../src/topology/stage.ts";
import { settled } from "../support/collect.ts";
import { type BenchOptions, rowsOf, sinkBench } from "./external-sink-bench.ts";

describe("a sink in a task", () => {
  it("holds the units of a batch until its call has resolved, and lets go of them in order", async () => {
    const bench = sinkBench();
    const units = [bench.push(0, rowsOf(1, 2)), bench.push(1, rowsOf(3))];
    expect(units.map(({ held }) => held)).toEqual([2, 1]);
    await settled();
    expect(bench.calls).toEqual([[1, 2, 3]]);
    expect(bench.log).toEqual([]);
    await bench.open[0]?.resolve();
    expect(bench.log).toEqual(["1", "2", "release 0", "3", "release 1"]);
    expect(units.map(({ held }) => held)).toEqual([0, 0]);
  });

  it("splits a unit over calls, and holds it until the last of them", async () => {
    const bench = sinkBench({ maxBatch: 2 });
    const unit = bench.push(0, rowsOf(1, 2, 3));
    await settled();
    await bench.open[0]?.resolve();
    expect(bench.log).toEqual(["1", "2"]);
    expect(unit.held).toBe(1);
    await bench.open[0]?.resolve();
    expect(bench.calls).toEqual([[1, 2], [3]]);
    expect(bench.log).toEqual(["1", "2", "3", "release 0"]);
  });

  it("lets a watermark pass only behind the values in front of it", async () => {
    const bench = sinkBench({ maxBatch: 2 });
    bench.push(0, [], 10);
    expect(bench.log).toEqual(["time 10"]);
    bench.push(1, rowsOf(1), 100);
    bench.push(2, rowsOf(2, 3), 200);
    bench.push(3, [], 300);
    await settled();
    await bench.open[0]?.resolve();
    expect(bench.log).toEqual(["time 10", "1", "time 100", "release 1", "2"]);
    await bench.open[0]?.resolve();
    expect(bench.log.slice(5)).toEqual(["3", "time 200", "release 2", "time 300", "release 3"]);
    expect(bench.calls).toEqual([[1, 2], [3]]);
  });

  it("calls outside of the push, and leaves no scope behind", async () => {
    const seen: boolean[] = [];
    const bench = sinkBench({
      write: async () => {
        seen.push(scope.inTask);
      },
    });
    const before = { ...scope };
    bench.push(0, rowsOf(1, 2));
    await settled();
    expect(seen).toEqual([false]);
    expect(bench.log).toEqual(["1", "2", "release 0"]);
    expect(scope).toEqual(before);
  });

  it("fails with the first record of a batch, keeps its units, and calls nothing more", async () => {
    const bench = sinkBench({ maxBatch: 2 });
    const unit = bench.push(0, rowsOf(1, 2, 3), 100);
    await settled();
    const boom = new Error("boom");
    await bench.open[0]?.reject(boom);
    bench.push(1, rowsOf(4));
    await settled();
    expect(bench.failed).toEqual([boom]);
    expect(bench.calls).toEqual([[1, 2]]);
    expect(bench.log).toEqual([]);
    expect(unit.held).toBe(4);
  });
});

describe("a sink that is drained", () => {
  it("finishes the units in which a call was begun, and leaves the rest", async () => {
    const bench = sinkBench({ maxBatch: 2 });
    const units = [0, 1, 2].map((index) => bench.push(index, rowsOf(index * 2, index * 2 + 1), index));
    await settled();
    expect(bench.queue.lastBegun()).toBe(0);
    await bench.open[0]?.resolve();
    expect(bench.queue.lastBegun()).toBe(1);
    bench.queue.dropBehind(1);
    const late = bench.push(3, rowsOf(9), 3);
    await bench.open[0]?.resolve();
    expect(bench.calls).toEqual([
      [0, 1],
      [2, 3],
    ]);
    expect(bench.log).toEqual(["0", "1", "time 0", "release 0", "2", "3", "time 1", "release 1"]);
    expect([...units, late].map(({ held, parked }) => held - parked)).toEqual([0, 0, 0, 0]);
    expect([units[2], late].map((unit) => unit?.parked)).toEqual([3, 2]);
  });

  it("finishes all of a unit of which a batch took only a part", async () => {
    const bench = sinkBench({ maxBatch: 3 });
    bench.push(0, rowsOf(1, 2));
    bench.push(1, rowsOf(3, 4, 5));
    await settled();
    expect(bench.queue.lastBegun()).toBe(1);
    bench.queue.dropBehind(1);
    await bench.open[0]?.resolve();
    await bench.open[0]?.resolve();
    expect(bench.calls).toEqual([
      [1, 2, 3],
      [4, 5],
    ]);
    expect(bench.log.at(-1)).toBe("release 1");
  });

  it("finishes a unit of which some values have left, also while nothing is under way", async () => {
    const limit = limiter(1);
    const bench = sinkBench({ maxBatch: 1, limit });
    const other = sinkBench({ limit });
    bench.push(0, rowsOf(1, 2));
    await settled();
    other.push(0, rowsOf(9));
    await settled();
    await bench.open[0]?.resolve();
    expect(other.calls).toEqual([[9]]);
    expect(bench.queue.lastBegun()).toBe(0);
    bench.queue.dropBehind(0);
    await other.open[0]?.resolve();
    await bench.open[0]?.resolve();
    expect(bench.log).toEqual(["1", "2", "release 0"]);
  });

  it("finishes all units of a batch whose values are tried one by one", async () => {
    const bench = sinkBench({ decide: () => "skip" });
    bench.push(0, rowsOf(1));
    bench.push(1, rowsOf(2));
    await settled();
    await bench.open[0]?.reject(new Error("boom"));
    expect(bench.calls).toEqual([[1, 2], [1]]);
    expect(bench.queue.lastBegun()).toBe(1);
  });

  it("has begun nothing before its first call, and then does not begin any more", async () => {
    const bench = sinkBench();
    const unit = bench.push(0, rowsOf(1));
    expect(bench.queue.lastBegun()).toBe(-1);
    bench.queue.dropBehind(-1);
    await settled();
    expect(bench.calls).toEqual([]);
    expect(unit).toMatchObject({ held: 1, parked: 1 });
  });

  it("goes on with a batch that waits for its next attempt", async () => {
    const bench = sinkBench({ retry: { attempts: 2, backoff: "1 s" } });
    bench.push(0, rowsOf(1));
    await settled();
    await bench.open[0]?.reject(new Error("once"));
    bench.push(1, rowsOf(2));
    expect(bench.queue.lastBegun()).toBe(0);
    bench.queue.dropBehind(0);
    await bench.clock.advance(1_000);
    await bench.open[0]?.resolve();
    expect(bench.calls).toEqual([[1], [1]]);
    expect(bench.log).toEqual(["1", "release 0"]);
  });
});

describe("a sink that is stopped", () => {
  it("aborts its call, emits nothing more, and says when the call has ended", async () => {
    const bench = sinkBench({ maxBatch: 1 });
    bench.push(0, rowsOf(1, 2));
    await settled();
    const [call] = bench.open;
    bench.stage.stop();
    expect(call?.call.signal.aborted).toBe(true);
    const ended = bench.queue.ended().then(() => "ended");
    expect(await Promise.race([ended, settled()])).toBe(undefined);
    await call?.resolve();
    expect(await ended).toBe("ended");
    expect(bench.calls).toEqual([[1]]);
    expect(bench.log).toEqual(["stop"]);
    expect(bench.failed).toEqual([]);
  });

  it.each([
    ["it has no policy", {}],
    ["it has one", { decide: () => "skip" }],
    ["it would repeat", { retry: { attempts: 3 } }],
  ] satisfies [string, BenchOptions][])(
    "has no failure in a call that rejects because it was aborted, where %s",
    async (_where, options) => {
      const bench = sinkBench(options);
      bench.push(0, rowsOf(1, 2));
      await settled();
      const [call] = bench.open;
      bench.stage.stop();
      await call?.reject(new Error("aborted"));
      expect(bench.failed).toEqual([]);
      expect(bench.retried).toEqual([]);
      expect(bench.calls).toEqual([[1, 2]]);
    },
  );

  it("leaves no timer behind, in a pause or in a call", async () => {
    const pausing = sinkBench({ retry: { attempts: 9, backoff: "1 hour" } });
    const late = sinkBench({ timeout: "1 hour" });
    for (const bench of [pausing, late]) {
      bench.push(0, rowsOf(1));
    }
    await settled();
    await pausing.open[0]?.reject(new Error("once"));
    expect([pausing.clock.pending, late.clock.pending]).toEqual([1, 1]);
    for (const { stage } of [pausing, late]) {
      stage.stop();
    }
    await settled();
    expect([pausing.clock.pending, late.clock.pending]).toEqual([0, 0]);
    expect(pausing.calls).toEqual([[1]]);
  });

  it("begins nothing that was pushed a moment before", async () => {
    const bench = sinkBench();
    bench.push(0, rowsOf(1));
    bench.stage.stop();
    await settled();
    expect(bench.calls).toEqual([]);
    expect(bench.log).toEqual(["stop"]);
  });
});

describe("a sink with a limiter", () => {
  it("calls when it has a place, with all that came meanwhile, and gives it back", async () => {
    const limit = limiter(1);
    const [first, second] = [sinkBench({ limit }), sinkBench({ limit })];
    first.push(0, rowsOf(1));
    await settled();
    second.push(0, rowsOf(2));
    await settled();
    second.push(1, rowsOf(3));
    await settled();
    expect(second.calls).toEqual([]);
    await first.open[0]?.resolve();
    expect(second.calls).toEqual([[2, 3]]);
    await second.open[0]?.resolve();
    first.push(1, rowsOf(4));
    await settled();
    expect(first.calls).toEqual([[1], [4]]);
  });

  it("gets its turn beside one that always has more to write", async () => {
    const limit = limiter(1);
    const [busy, other] = [sinkBench({ limit, maxBatch: 1 }), sinkBench({ limit })];
    busy.push(0, rowsOf(1, 2, 3));
    await settled();
    other.push(0, rowsOf(9));
    await settled();
    await busy.open[0]?.resolve();
    expect([busy.calls, other.calls]).toEqual([[[1]], [[9]]]);
    await other.open[0]?.resolve();
    expect(busy.calls).toEqual([[1], [2]]);
  });

  it("gives its place to others while it waits for its next attempt", async () => {
    const limit = limiter(1);
    const [failing, other] = [sinkBench({ limit, retry: { attempts: 2, backoff: "1 s" } }), sinkBench({ limit })];
    failing.push(0, rowsOf(1));
    await settled();
    other.push(0, rowsOf(2));
    await settled();
    await failing.open[0]?.reject(new Error("once"));
    expect(other.calls).toEqual([[2]]);
    await failing.clock.advance(1_000);
    expect(failing.calls).toEqual([[1]]);
    await other.open[0]?.resolve();
    expect(failing.calls).toEqual([[1], [1]]);
  });

  it.each(["calls", "waits for a place", "has failed"])(
    "gives its place up when it is stopped while it %s",
    async (when) => {
      const limit = limiter(1);
      const [first, second, third] = [sinkBench({ limit }), sinkBench({ limit }), sinkBench({ limit })];
      for (const bench of [first, second, third]) {
        bench.push(0, rowsOf(1));
        await settled();
      }
      expect([first, second, third].map(({ calls }) => calls.length)).toEqual([1, 0, 0]);
      if (when === "waits for a place") {
        second.stage.stop();
        await first.open[0]?.resolve();
      } else if (when === "calls") {
        first.stage.stop();
        second.stage.stop();
      } else {
        await first.open[0]?.reject(new Error("boom"));
        second.stage.stop();
      }
      await settled();
      expect(third.calls).toEqual([[1]]);
    },
  );

  it("leaves its place to others when there is nothing to write any more", async () => {
    const limit = limiter(1);
    const [first, dropped, third] = [sinkBench({ limit }), sinkBench({ limit }), sinkBench({ limit })];
    for (const bench of [first, dropped, third]) {
      bench.push(0, rowsOf(1));
      await settled();
    }
    dropped.queue.dropBehind(-1);
    await first.open[0]?.resolve();
    expect(dropped.calls).toEqual([]);
    expect(third.calls).toEqual([[1]]);
  });
});
