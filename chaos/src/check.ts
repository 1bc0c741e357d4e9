/** The history checker: pure, and without the product's help. Each check names its invariant. */
import { checkCommits } from "./check/commits.ts";
import { checkExactlyOnce } from "./check/exactly-once.ts";
import { checkKeyOrder } from "./check/key-order.ts";
import { checkOneOwner } from "./check/one-owner.ts";
import { checkProduced } from "./check/produced.ts";
import { checkReports } from "./check/reports.ts";
import { checkStalls, type Excused, type Stall } from "./check/stalls.ts";
import { checkState } from "./check/state.ts";
import type { History, Violation } from "./history.ts";

/** What a checked history says. */
export interface Verdict {
  readonly violations: readonly Violation[];
  readonly longestStall: Stall | null;
  /** Stalls that were allowed only because of a fault on the way: see `check/stalls.ts`. */
  readonly forgivenStalls: number;
  /** What counted for no stall. */
  readonly excused: Excused;
}

/** Checks everything that a run promises. */
export function check(history: History): Verdict {
  const { longest, violations, forgiven, excused } = checkStalls(history);
  return {
    violations: [
      ...checkProduced(history),
      ...checkExactlyOnce(history),
      ...checkKeyOrder(history),
      ...checkOneOwner(history),
      ...checkCommits(history),
      ...checkState(history),
      ...checkReports(history),
      ...violations,
    ],
    longestStall: longest,
    forgivenStalls: forgiven,
    excused,
  };
}
