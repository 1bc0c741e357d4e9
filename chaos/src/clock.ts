/** Now, in ms since the Unix epoch. Never steps, and means the same in every process that was given the same offset. */
export type Now = () => number;

/** What to add to the machine's monotonic time (ms since it was booted) to get the time of day. */
export function epochOffsetMs(): number {
  return Date.now() - monotonicMs();
}

/** A clock for all processes of a run: `process.hrtime` is the machine's, not the process's. */
export function clockOf(offsetMs: number): Now {
  return () => offsetMs + monotonicMs();
}

function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000;
}
