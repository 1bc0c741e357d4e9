/** How often memory is looked at (ms), and at every so manieth look behind a collection of garbage. */
const LOOK_MS = 20;
const LOOKS_PER_COLLECTION = 10;

/** The most memory that a process has taken, in bytes. */
export interface MemoryPeaks {
  /** What lived: `heapUsed` directly behind a collection of garbage. */
  readonly liveBytes: number;
  /** Garbage that waited for its collection included. */
  readonly heapBytes: number;
  /** What the operating system has given the process. */
  readonly rssBytes: number;
}

/** Runs `work` and looks at the memory of this process meanwhile. Needs `--expose-gc`. */
export async function samplePeaks(work: () => Promise<unknown>): Promise<MemoryPeaks> {
  const { gc } = globalThis;
  if (gc === undefined) {
    throw new Error("garbage can only be collected with --expose-gc");
  }
  let [liveBytes, heapBytes, rssBytes] = [0, 0, 0];
  let looks = 0;
  const look = (): void => {
    const { heapUsed, rss } = process.memoryUsage();
    heapBytes = Math.max(heapBytes, heapUsed);
    rssBytes = Math.max(rssBytes, rss);
    if (looks % LOOKS_PER_COLLECTION === 0) {
      gc();
      liveBytes = Math.max(liveBytes, process.memoryUsage().heapUsed);
    }
    looks += 1;
  };
  look();
  const timer = setInterval(look, LOOK_MS);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  look();
  return { liveBytes, heapBytes, rssBytes };
}
