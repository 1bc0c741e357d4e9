import type { Outcome } from "./run.ts";
import type { Scenario } from "./scenario.ts";

/** What many runs come to. */
export interface Tally {
  schedules: number;
  simulatedMs: number;
  steps: number;
  /** The longest time from the end of all faults to the end of the work. */
  longestMs: number;
  /** How often each fault and each event of apps was there: what was never there was not tried. */
  readonly counts: Record<string, number>;
  /** What each schedule's history comes to, by seed, where that was asked for. */
  readonly digests: Record<number, string>;
  readonly failures: { readonly seed: number; readonly violations: readonly string[] }[];
}

export function newTally(): Tally {
  return { schedules: 0, simulatedMs: 0, steps: 0, longestMs: 0, counts: {}, digests: {}, failures: [] };
}

/** Adds a run. */
export function addRun(tally: Tally, scenario: Scenario, outcome: Outcome): void {
  const { counts } = tally;
  const count = (name: string): void => {
    counts[name] = (counts[name] ?? 0) + 1;
  };
  tally.schedules += 1;
  tally.simulatedMs += outcome.simulatedMs;
  tally.steps += outcome.steps;
  tally.longestMs = Math.max(tally.longestMs, outcome.tookMs || 0);
  count(`workload ${scenario.workload}`);
  for (const { kind } of scenario.faults) {
    count(`fault ${kind}`);
  }
  for (const { event } of outcome.events) {
    count(`event ${event._tag}`);
  }
  if (outcome.violations.length > 0) {
    tally.failures.push({ seed: scenario.seed, violations: outcome.violations });
  }
}

/** Adds what another thread has counted. */
export function addTally(tally: Tally, other: Tally): void {
  tally.schedules += other.schedules;
  tally.simulatedMs += other.simulatedMs;
  tally.steps += other.steps;
  tally.longestMs = Math.max(tally.longestMs, other.longestMs);
  for (const [name, times] of Object.entries(other.counts)) {
    tally.counts[name] = (tally.counts[name] ?? 0) + times;
  }
  Object.assign(tally.digests, other.digests);
  tally.failures.push(...other.failures);
}
