import { createVirtualClock, type VirtualClock } from "@millrace/testing";
import type { Redis } from "ioredis";

/** The key that the scripts of a lane's database read in place of `TIME`. See `virtual-time.ts`. */
export const CLOCK_KEY = "clock";

/**
 * One clock for both adapters. It stands still until a sequence says that time passes, so that what depends on time can be
 * compared to the millisecond.
 */
export interface LaneClock {
  /** For the adapter in memory. */
  readonly virtual: VirtualClock;
  /** Lets so much time (ms) pass, for both. */
  pass(ms: number): Promise<void>;
}

/** A clock whose time the database of `admin` shows, too. */
export async function createLaneClock(admin: Redis): Promise<LaneClock> {
  const virtual = createVirtualClock();
  const show = async (): Promise<void> => {
    const nowMs = virtual.now();
    await admin.hset(CLOCK_KEY, { s: Math.floor(nowMs / 1_000), us: (nowMs % 1_000) * 1_000 });
  };
  await show();
  return {
    virtual,
    pass: async (ms) => {
      await virtual.advance(ms);
      await show();
    },
  };
}
