/** What something took. */
export interface Took {
  readonly elapsedMs: number;
  /** CPU time of this process, its garbage collection and compilation included: what a busy machine changes least. */
  readonly cpuMs: number;
}

/** Begins to measure, after what was there before was collected (`--expose-gc`). Call the result at the end. */
export function startWatch(): () => Took {
  globalThis.gc?.();
  const cpuBefore = process.cpuUsage();
  const startMs = performance.now();
  return () => {
    const elapsedMs = performance.now() - startMs;
    const { user, system } = process.cpuUsage(cpuBefore);
    return { elapsedMs, cpuMs: (user + system) / 1_000 };
  };
}

/** Runs and measures `work`. */
export async function watch(work: () => Promise<unknown>): Promise<Took> {
  const stop = startWatch();
  await work();
  return stop();
}
