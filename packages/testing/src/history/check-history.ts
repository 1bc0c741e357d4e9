import { HistoryView } from "./history-view.ts";
import { judgeForm } from "./invariants/form.ts";
import { judgeLog } from "./invariants/i1-log.ts";
import { judgeProcessed } from "./invariants/i2-processed.ts";
import { judgeOrder } from "./invariants/i3-order.ts";
import { judgeCursor } from "./invariants/i4-cursor.ts";
import { judgeOwner } from "./invariants/i5-owner.ts";
import { judgeOutputs } from "./invariants/i6-outputs.ts";
import { judgeSkips } from "./invariants/i7-skips.ts";
import { judgePhantoms } from "./invariants/i8-phantoms.ts";
import { judgeTrims } from "./invariants/i9-trims.ts";
import { judgeStalls } from "./invariants/i10-stalls.ts";
import { judgeCounters } from "./invariants/i11-counters.ts";
import type { HistoryLine } from "./lines.ts";
import { type Expectations, Findings, type Invariant, type Verdict } from "./verdict.ts";

type Judge = (view: HistoryView, expectations: Expectations, found: Findings) => void;

const JUDGES: Readonly<Record<Invariant, Judge>> = {
  form: (view, _, found) => judgeForm(view, found),
  I1: (view, _, found) => judgeLog(view, found),
  I2: judgeProcessed,
  I3: judgeOrder,
  I4: (view, _, found) => judgeCursor(view, found),
  I5: (view, _, found) => judgeOwner(view, found),
  I6: judgeOutputs,
  I7: (view, _, found) => judgeSkips(view, found),
  I8: (view, _, found) => judgePhantoms(view, found),
  I9: (view, _, found) => judgeTrims(view, found),
  I10: judgeStalls,
  I11: (view, _, found) => judgeCounters(view, found),
};

/** Every invariant, in order. */
export const INVARIANTS = Object.keys(JUDGES) as readonly Invariant[];

/**
 * Judges a history by the invariants I1 to I11: what each says, needs and cannot see is at its file in `history/invariants`.
 * Pure. What a history does not tell is not taken for right: the verdict names what was not judged.
 *
 * @param lines in the order of time ({@link merged} brings those of several processes into it)
 */
export function checkHistory(lines: readonly HistoryLine[], expectations: Expectations = {}): Verdict {
  const view = new HistoryView(lines);
  const asked = expectations.only ?? INVARIANTS;
  const findings = asked.map((invariant) => {
    const found = new Findings(invariant);
    JUDGES[invariant](view, expectations, found);
    return { invariant, found };
  });
  return {
    violations: findings.flatMap(({ found }) => found.violations),
    judged: findings.filter(({ found }) => found.isJudged).map(({ invariant }) => invariant),
    notJudged: findings.flatMap(({ invariant, found }) => [...found.reasons].map((reason) => ({ invariant, reason }))),
  };
}
