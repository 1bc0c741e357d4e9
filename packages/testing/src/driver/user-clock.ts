import type { VirtualClock } from "../virtual-clock.ts";

/** The driver's clock as users have it, which knows how many of their timers wait. */
export interface UserClock extends VirtualClock {
  readonly waiting: () => number;
}

/** The same clock, with users' timers counted. */
export function userClock(clock: VirtualClock): UserClock {
  let waiting = 0;
  return {
    now: () => clock.now(),
    after: (delayMs, callback) => {
      waiting += 1;
      let isWaiting = true;
      const over = (): void => {
        waiting -= isWaiting ? 1 : 0;
        isWaiting = false;
      };
      const cancel = clock.after(delayMs, () => {
        over();
        callback();
      });
      return () => {
        over();
        cancel();
      };
    },
    advance: (ms) => clock.advance(ms),
    untilNext: () => clock.untilNext(),
    waiting: () => waiting,
  };
}
