/**
 * Which units may be committed next.
 *
 * Units commit in order (invariant C1); a commit never ends between joined units (C2); neighbours that are settled merge
 * into one commit up to a limit of outputs and of changed entries, and a unit that alone exceeds it still commits as a whole (C3).
 */

/** What decides about a unit. */
export interface UnitSummary {
  readonly index: number;
  readonly isSettled: boolean;
  /** No commit ends between this unit and the one with that index. */
  readonly joinedThrough: number;
  readonly outputCount: number;
  readonly outputBytes: number;
  /** Entries of stores that it changes. */
  readonly writes: number;
}

/** Limits of one commit; the unit that crosses a limit is left for the next. */
export interface CommitLimits {
  readonly maxOutputs: number;
  readonly maxBytes: number;
  readonly maxWrites: number;
}

/** How many of the first units to commit in one step; 0: none may be committed yet. */
export function committable(units: Iterable<UnitSummary>, limits: CommitLimits): number {
  let seen = 0;
  let taken = 0;
  let outputs = 0;
  let bytes = 0;
  let writes = 0;
  let joinedThrough = -1;
  for (const unit of units) {
    outputs += unit.outputCount;
    bytes += unit.outputBytes;
    writes += unit.writes;
    const isOverLimit =
      taken > 0 && (outputs > limits.maxOutputs || bytes > limits.maxBytes || writes > limits.maxWrites);
    if (!unit.isSettled || isOverLimit) {
      break;
    }
    seen += 1;
    joinedThrough = Math.max(joinedThrough, unit.joinedThrough);
    if (joinedThrough <= unit.index) {
      taken = seen;
    }
  }
  return taken;
}
