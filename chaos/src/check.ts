/** The history checker: pure. Each check names its invariant. */
import { checkProduced } from "./check/produced.ts";
import { checkReports } from "./check/reports.ts";
import { checkShared } from "./check/shared.ts";
import { checkStalls, type Excused, type Stall } from "./check/stalls.ts";
import type { History, Violation } from "./history.ts";

/** What a checked history says. */
export interface Verdict {
  readonly violations: readonly Violation[];
  /** What of the shared invariants could not be judged, and why. */
  readonly notJudged: readonly string[];
  readonly longestStall: Stall | null;
  /** Stalls that were allowed only because of a fault on the way: see `check/stalls.ts`. */
  readonly forgivenStalls: number;
  /** What counted for no stall. */
  readonly excused: Excused;
}

/** Checks everything that a run promises. */
export function check(history: History): Verdict {
  const { longest, violations, forgiven, excused } = checkStalls(history);
  const shared = checkShared(history.lines, history.incomplete === null);
  return {
    violations: [...checkProduced(history), ...shared.violations, ...checkReports(history), ...violations],
    notJudged: shared.notJudged,
    longestStall: longest,
    forgivenStalls: forgiven,
    excused,
  };
}
