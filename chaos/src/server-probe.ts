import { setTimeout as pause } from "node:timers/promises";
import { Redis } from "ioredis";
import type { Interval } from "./history.ts";

const EVERY_MS = 20;
/** An answer that takes longer says that the server was busy with something, such as a slow disk, for everybody. */
const SLOW_MS = 100;
const KEY = "chaos:probe";

/** What a probe has found so far. Disposing of it ends it. */
export interface ServerProbe extends AsyncDisposable {
  /** When the server left one small write unanswered. */
  readonly found: readonly Interval[];
}

/** Writes to the server all the time, one small write after the other, and notes which took long. */
export function probeServer(url: string, now: () => number): ServerProbe {
  const redis = new Redis(url, { retryStrategy: () => EVERY_MS, maxRetriesPerRequest: null });
  redis.on("error", () => {}); // faults hit this connection as well
  const found: Interval[] = [];
  const over = new AbortController();
  const probe = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const fromMs = now();
      await redis.incr(KEY);
      const toMs = now();
      if (toMs - fromMs > SLOW_MS) {
        found.push({ fromMs, toMs });
      }
      await pause(EVERY_MS);
    }
  };
  // A call that is still waiting fails when the connection is closed.
  const probing = probe().catch(() => {});
  return {
    found,
    [Symbol.asyncDispose]: async () => {
      over.abort();
      redis.disconnect();
      await probing;
    },
  };
}
