/** mapOrdered as a task runs it: what it owes to units and to event time. */
import { limiter, mapOrdered } from "@millrace/core";
import { describe, expect, it, vi } from "vitest";
import { type Queue, type Stage, scope, type Unit } from "../../src/topology/stage.ts";
import { settled } from "../support/collect.ts";
import { Handlers } from "../support/handlers.ts";
import { countingUnit, inUnit, taskStage } from "../support/task-stage.ts";

describe("mapOrdered in a task", () => {
  it("holds a record's unit until its result has left", async () => {
    const handlers = new Handlers<number, number>();
    const unit = countingUnit();
    const heldWhileLeaving: number[] = [];
    const next = (): void => {
      heldWhileLeaving.push(unit.held);
    };
    const stage = taskStage(mapOrdered(handlers.handle, { lane: "none" }), { next });
    inUnit(unit, () => {
      stage.next(1);
      stage.next(2);
    });
    await handlers.of(2).resolve(2);
    expect(unit.held).toBe(2);
    await handlers.of(1).resolve(1);
    expect(heldWhileLeaving).toEqual([2, 1]);
    expect(unit.held).toBe(0);
  });

  it("emits a result in the scope of its record's unit, and leaves no scope behind", async () => {
    const handlers = new Handlers<number, number>();
    const units: readonly Unit[] = [countingUnit(), countingUnit()];
    const seen: unknown[] = [];
    const next = (): void => {
      seen.push([scope.inTask, units.indexOf(scope.unit)]);
    };
    const stage = taskStage(mapOrdered(handlers.handle, { lane: "none" }), { next });
    for (const [n, unit] of units.entries()) {
      inUnit(unit, () => stage.next(n));
    }
    const before = { ...scope };
    await handlers.of(1).resolve(1);
    await handlers.of(0).resolve(0);
    expect(seen).toEqual([
      [true, 0],
      [true, 1],
    ]);
    expect(scope).toEqual(before);
  });

  it("lets a watermark pass only behind every record in front of it, and holds its unit until then", async () => {
    const handlers = new Handlers<number, string>();
    const out: unknown[] = [];
    const [first, second] = [countingUnit(), countingUnit()];
    const stage = taskStage(mapOrdered(handlers.handle, { lane: "none" }), {
      next: (value) => out.push(value),
      watermark: (timeMs) => out.push(timeMs),
    });
    stage.watermark(50);
    expect(out).toEqual([50]);
    inUnit(first, () => {
      stage.next(1);
      stage.watermark(100);
    });
    inUnit(second, () => {
      stage.next(2);
      stage.watermark(200);
    });
    await handlers.of(2).resolve("b");
    expect(out).toEqual([50]);
    expect([first.held, second.held]).toEqual([2, 2]);
    await handlers.of(1).resolve("a");
    expect(out).toEqual([50, "a", 100, "b", 200]);
    expect([first.held, second.held]).toEqual([0, 0]);
  });

  it("has begun a unit of which some results have left, also while nothing of it runs", async () => {
    const handlers = new Handlers<number, number>();
    const place = limiter(1);
    const other = taskStage(
      mapOrdered(() => new Promise<number>(() => {}), { limit: place }),
      {},
    );
    const stage = taskStage(mapOrdered(handlers.handle, { limit: place, lane: "none" }), {}) as Stage<number> & Queue;
    inUnit(countingUnit(), () => stage.next(1));
    inUnit(countingUnit(), () => other.next(9));
    inUnit(countingUnit(), () => stage.next(2));
    await handlers.of(1).resolve(1);
    expect(handlers.started).toEqual([1]);
    expect(stage.lastBegun()).toBe(0);
  });

  it("leaves no timer behind when it is stopped, in a pause or in a call", async () => {
    vi.useFakeTimers();
    try {
      const failing = mapOrdered(() => Promise.reject(new Error("no")), { retry: { attempts: 9, backoff: "1 hour" } });
      const late = mapOrdered(() => new Promise<never>(() => {}), { timeout: "1 hour" });
      const stages = [taskStage(failing, {}), taskStage(late, {})];
      for (const stage of stages) {
        inUnit(countingUnit(), () => stage.next(1));
      }
      await vi.advanceTimersByTimeAsync(10);
      expect(vi.getTimerCount()).toBe(2);
      for (const stage of stages) {
        stage.stop();
      }
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it("runs handlers outside of the push: what they subscribe acknowledges nothing", async () => {
    const inTask: boolean[] = [];
    const handle = async (n: number): Promise<number> => {
      inTask.push(scope.inTask);
      return n;
    };
    const stage = taskStage(mapOrdered(handle), {});
    inUnit(countingUnit(), () => {
      stage.next(1);
      inTask.push(scope.inTask);
    });
    await settled();
    expect(inTask).toEqual([false, true]);
  });

  it("keeps the unit of a record whose handler failed: it must not commit", async () => {
    const handlers = new Handlers<number, number>();
    const unit = countingUnit();
    const failed: unknown[] = [];
    const stage = taskStage(mapOrdered(handlers.handle), {}, failed);
    const boom = new Error("boom");
    inUnit(unit, () => stage.next(1));
    await handlers.of(1).reject(boom);
    expect(failed).toEqual([boom]);
    expect(unit.held).toBe(1);
  });

  it("emits nothing more once it is given up, also in the middle of its results", async () => {
    const handlers = new Handlers<number, number>();
    const out: number[] = [];
    const stage: Stage<number> = taskStage(mapOrdered(handlers.handle, { lane: "none" }), {
      next: (value: number) => {
        out.push(value);
        stage.stop();
      },
    });
    inUnit(countingUnit(), () => {
      stage.next(1);
      stage.next(2);
    });
    await handlers.of(2).resolve(2);
    await handlers.of(1).resolve(1);
    expect(out).toEqual([1]);
  });
});
