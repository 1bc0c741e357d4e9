/**
 * How long (ms) to wait before attempt `attempt` (1 for the first repetition) of a call that failed: exponential from 20 ms
 * to at most 1,000 ms, the upper half of it at random, so that many workers do not come back at once. `random` is in
 * [0, 1).
 */
export function backoffMs(attempt: number, random: number): number {
  const full = Math.min(1_000, 20 * 2 ** Math.min(attempt - 1, 10));
  return Math.ceil(full / 2 + (full / 2) * random);
}
