import { sleep, systemClock } from "@millrace/core";

/** In ms: well below the second after which a read ends by itself. */
export const AT_ONCE_MS = 500;

/**
 * How long, in ms, it took at best from what `body` did to what it waits for. The best of a few, since a busy machine
 * delays some; a read that ends only because its time ran out is never fast.
 */
export async function fastestMs(body: (act: () => void) => Promise<void>): Promise<number> {
  const tookMs: number[] = [];
  for (let round = 0; round < 3; round++) {
    let startMs = performance.now();
    await body(() => {
      startMs = performance.now();
    });
    tookMs.push(performance.now() - startMs);
  }
  return Math.min(...tookMs);
}

/** Lets a read that was just begun reach the point where it waits. Too short a time only makes a test less strict. */
export function settleIn(): Promise<void> {
  return sleep(systemClock, 100);
}
