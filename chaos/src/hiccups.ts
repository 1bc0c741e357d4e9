import type { Interval } from "./history.ts";

const EVERY_MS = 20;
/** A timer that is late by less than that delays nothing that counts. */
const LATE_MS = 100;

/** Notes when this process was not scheduled: all connections run through it. Disposing of it ends that. */
export function watchHiccups(now: () => number): Disposable & { readonly found: readonly Interval[] } {
  const found: Interval[] = [];
  let lastMs = now();
  const timer = setInterval(() => {
    const atMs = now();
    if (atMs - lastMs > EVERY_MS + LATE_MS) {
      found.push({ fromMs: lastMs + EVERY_MS, toMs: atMs });
    }
    lastMs = atMs;
  }, EVERY_MS);
  return { found, [Symbol.dispose]: () => clearInterval(timer) };
}
