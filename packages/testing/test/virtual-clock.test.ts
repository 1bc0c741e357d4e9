import { sleep } from "@millrace/core";
import { describe, expect, it } from "vitest";
import { createVirtualClock } from "../src/index.ts";

describe("virtual clock", () => {
  it("stands still until it is advanced", async () => {
    const clock = createVirtualClock(1000);
    expect(clock.now()).toBe(1000);
    await clock.advance(250);
    expect(clock.now()).toBe(1250);
  });

  it("calls timers back at their very instant, in order of time, then of creation", async () => {
    const clock = createVirtualClock(0);
    const calls: string[] = [];
    const note = (name: string) => () => calls.push(`${name}@${clock.now()}`);
    clock.after(30, note("c"));
    clock.after(10, note("a"));
    clock.after(30, note("d"));
    clock.after(20, note("b"));
    clock.after(31, note("too late"));
    await clock.advance(30);
    expect(calls).toEqual(["a@10", "b@20", "c@30", "d@30"]);
  });

  it("calls nothing back before it is advanced, not even a timer without delay", async () => {
    const clock = createVirtualClock(0);
    let called = false;
    clock.after(0, () => {
      called = true;
    });
    await new Promise(setImmediate);
    expect(called).toBe(false);
    await clock.advance(0);
    expect(called).toBe(true);
  });

  it("does not call back what was cancelled, also when another timer of that instant cancels it", async () => {
    const clock = createVirtualClock(0);
    const calls: string[] = [];
    const cancelFirst = clock.after(10, () => calls.push("first"));
    clock.after(10, () => cancelSecond());
    const cancelSecond = clock.after(10, () => calls.push("second"));
    cancelFirst();
    await clock.advance(10);
    cancelSecond();
    expect(calls).toEqual([]);
  });

  it("includes timers that timers create, within the same advance", async () => {
    const clock = createVirtualClock(0);
    const times: number[] = [];
    const tick = (): void => {
      times.push(clock.now());
      clock.after(10, tick);
    };
    clock.after(10, tick);
    await clock.advance(35);
    expect(times).toEqual([10, 20, 30]);
    expect(clock.now()).toBe(35);
  });

  it("lets promise chains run before, between and after the instants", async () => {
    const clock = createVirtualClock(0);
    const times: number[] = [];
    const loop = (async () => {
      for (let n = 0; n < 5; n++) {
        for (let step = 0; step < 100; step++) {
          await Promise.resolve();
        }
        await sleep(clock, 10);
        times.push(clock.now());
      }
    })();
    await clock.advance(50);
    expect(times).toEqual([10, 20, 30, 40, 50]);
    await loop;
  });

  it("lets code through that goes through the event loop", async () => {
    const clock = createVirtualClock(0);
    const times: number[] = [];
    const loop = (async () => {
      for (let n = 0; n < 3; n++) {
        await new Promise(setImmediate);
        await new Promise(setImmediate);
        await sleep(clock, 10);
        times.push(clock.now());
      }
    })();
    await clock.advance(30);
    expect(times).toEqual([10, 20, 30]);
    await loop;
  });

  it("runs overlapping advances one after the other", async () => {
    const clock = createVirtualClock(0);
    const times: number[] = [];
    clock.after(15, () => times.push(clock.now()));
    await Promise.all([clock.advance(10), clock.advance(10)]);
    expect(times).toEqual([15]);
    expect(clock.now()).toBe(20);
  });

  it("fails the advance that met a throwing timer, and goes on with the next", async () => {
    const clock = createVirtualClock(0);
    const calls: number[] = [];
    clock.after(5, () => {
      throw new Error("broken timer");
    });
    clock.after(10, () => calls.push(clock.now()));
    await expect(clock.advance(20)).rejects.toThrow("broken timer");
    await clock.advance(20);
    expect(calls).toEqual([10]);
    expect(clock.now()).toBe(25);
  });

  it("ends a sleep early when its signal aborts, and leaves no timer", async () => {
    const clock = createVirtualClock(0);
    const abort = new AbortController();
    const slept = sleep(clock, 1000, abort.signal);
    abort.abort();
    await slept;
    expect(clock.now()).toBe(0);
  });

  it("refuses to go back", () => {
    const clock = createVirtualClock(0);
    expect(() => clock.advance(-1)).toThrow(RangeError);
    expect(() => clock.advance(Number.NaN)).toThrow(RangeError);
  });

  it("runs a thousand timers in well under a second", async () => {
    const clock = createVirtualClock(0);
    let calls = 0;
    for (let n = 0; n < 1000; n++) {
      clock.after(n, () => {
        calls += 1;
      });
    }
    const startMs = performance.now();
    await clock.advance(1000);
    expect(calls).toBe(1000);
    expect(performance.now() - startMs).toBeLessThan(2000);
  });
});
