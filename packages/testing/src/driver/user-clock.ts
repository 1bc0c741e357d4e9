import type { VirtualClock } from "../virtual-clock.ts";
import { gateOfCaller } from "./callers.ts";
import type { WorkerGate } from "./worker-gate.ts";

/** The driver's clock as users have it, which knows how many of their timers wait. */
export interface UserClock extends VirtualClock {
  /** Timers that may call somebody back: those of workers that can do nothing do not count. */
  readonly waiting: () => number;
}

/** A timer that a user has set, and the gate of the worker in whose call; `null`: the test itself has. */
interface UserTimer {
  readonly gate: WorkerGate | null;
}

/** The same clock, with users' timers counted. A call's timer fires as its worker's own do: at the thaw, or never. */
export function userClock(clock: VirtualClock): UserClock {
  const timers = new Set<UserTimer>();
  return {
    now: () => clock.now(),
    after: (delayMs, callback) => {
      const gate = gateOfCaller();
      const timer = { gate };
      timers.add(timer);
      const time = gate === null ? clock : gate.clock(clock);
      const cancel = time.after(delayMs, () => {
        timers.delete(timer);
        callback();
      });
      return () => {
        timers.delete(timer);
        cancel();
      };
    },
    advance: (ms) => clock.advance(ms),
    untilNext: () => clock.untilNext(),
    waiting: () => [...timers].filter(({ gate }) => gate === null || gate.isOpen).length,
  };
}
