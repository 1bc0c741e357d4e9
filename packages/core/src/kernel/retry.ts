/** How a call that failed is repeated. */
export interface RetrySchedule {
  /** Calls in all, the first one included; a whole number >= 1. */
  readonly attempts: number;
  /** In ms: the pause before the second call; each later one is twice as long. */
  readonly firstPauseMs: number;
  /** In ms: no pause is longer. */
  readonly longestPauseMs: number;
}

/**
 * The pause (ms) in front of call number `attempt` (from 2), `null` where there is no such call. The upper half of each pause
 * is random, so that many records do not come back at once; `random` is in [0, 1).
 */
export function pauseBefore(attempt: number, schedule: RetrySchedule, random: number): number | null {
  if (attempt > schedule.attempts) {
    return null;
  }
  // 2^40 of the least pause is longer than any limit.
  const full = Math.min(schedule.longestPauseMs, schedule.firstPauseMs * 2 ** Math.min(attempt - 2, 40));
  return Math.ceil(full / 2 + (full / 2) * random);
}
