import { setImmediate } from "node:timers";
import type { Clock } from "@millrace/core";

/** 2024-01-01T00:00:00Z: like a real time, so that nothing depends on starting at 0. */
const DEFAULT_START_MS = 1_704_067_200_000;

/**
 * Turns of the event loop between two instants. A turn ends only when all microtasks have run, so this is how often code
 * may go through `setImmediate` (as the memory adapter does now and then) and still be done before time moves on.
 */
const TURNS_PER_INSTANT = 8;

/** A clock whose time moves only when the test says so. */
export interface VirtualClock extends Clock {
  /**
   * Moves time forward by `ms` (>= 0) and calls back every timer that becomes due, in order of time and then of creation,
   * at its very instant; timers that these create are included. Before, between and after, promise chains run until
   * they wait for something else. Calls that overlap run one after the other.
   */
  advance(ms: number): Promise<void>;
  /** In ms: how long until the next timer is due, 0 or more; `Infinity`: there is none. */
  untilNext(): number;
}

interface Timer {
  readonly dueMs: number;
  readonly callback: () => void;
}

/** Makes a clock that shows `startMs` (ms since the Unix epoch; default the start of 2024) until it is advanced. */
export function createVirtualClock(startMs: number = DEFAULT_START_MS): VirtualClock {
  return clockThatSettles(startMs, turns);
}

/** The same, for who knows better when promise chains wait for something else: `settle` resolves then. */
export function clockThatSettles(startMs: number, settle: () => Promise<void>): VirtualClock {
  let nowMs = startMs;
  /** By due time, then by creation. */
  const timers: Timer[] = [];
  let advanced: Promise<void> = Promise.resolve();

  async function moveTo(targetMs: number): Promise<void> {
    await settle();
    for (let next = timers[0]; next !== undefined && next.dueMs <= targetMs; next = timers[0]) {
      timers.shift();
      nowMs = Math.max(nowMs, next.dueMs);
      next.callback();
      await settle();
    }
    nowMs = targetMs;
    await settle();
  }

  return {
    now: () => nowMs,
    after(delayMs, callback) {
      const timer = { dueMs: nowMs + Math.max(0, delayMs), callback };
      const later = timers.findIndex(({ dueMs }) => dueMs > timer.dueMs);
      timers.splice(later < 0 ? timers.length : later, 0, timer);
      return () => {
        const index = timers.indexOf(timer);
        if (index >= 0) {
          timers.splice(index, 1);
        }
      };
    },
    advance(ms) {
      if (!(ms >= 0)) {
        throw new RangeError(`time moves forward only, not by ${ms} ms`);
      }
      const moved = advanced.then(() => moveTo(nowMs + ms));
      // A timer that throws fails the call that ran it, not the next one.
      advanced = moved.catch(() => undefined);
      return moved;
    },
    untilNext: () => Math.max(0, (timers[0]?.dueMs ?? Number.POSITIVE_INFINITY) - nowMs),
  };
}

/** Lets promise chains run until they wait for I/O or for time. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < TURNS_PER_INSTANT; turn++) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}
