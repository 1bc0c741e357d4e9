import { type CallOf, isCall, linesOf } from "../calls.ts";
import { grouped } from "../grouped.ts";
import type { HistoryView } from "../history-view.ts";
import type { EventLine } from "../lines.ts";
import { partitionName } from "../partition-view.ts";
import { taskName } from "../task-view.ts";
import type { Findings } from "../verdict.ts";

/**
 * **I11**: what workers say is what has happened. Each commit that was acknowledged to a process is reported by it once, with its
 * offset, the number of records by which it has moved on, and that of its outputs; and nobody reports a loss (`Regressed`, `Gap`) where
 * none was declared and nothing was trimmed.
 *
 * Needs events, and the calls of the same process. The last commit of a task may go unreported: the process may have ended there.
 *
 * Cannot see whether every loss was reported.
 */
export function judgeCounters(view: HistoryView, found: Findings): void {
  const reports = view.events.filter(({ event }) => event === "Committed");
  const reporting = new Set(view.events.map(({ process }) => process));
  const calls = view.calls.filter((call) => isCall(call, "commit"));
  const accepted = grouped(firstAccepted(calls), ({ invoke }) => `${invoke.process} ${taskName(invoke)}`);
  const said = grouped(reports, ({ process, task }) => `${process} ${task}`);
  for (const key of new Set([...accepted.keys(), ...said.keys()])) {
    const [first] = accepted.get(key) ?? [];
    if (first !== undefined && !reporting.has(first.invoke.process)) {
      found.missing(`${first.invoke.process} has no events in the history`);
    } else {
      found.judged();
      judgeReports(view, accepted.get(key) ?? [], said.get(key) ?? [], found);
    }
  }
  judgeLosses(view, found);
  if (!found.isJudged && found.reasons.size === 0) {
    found.missing("there are no events");
  }
}

/** The calls by which a process learnt that its commits count; repetitions, and answers that came again, left out. */
function firstAccepted(calls: readonly CallOf<"commit">[]): readonly CallOf<"commit">[] {
  const known = new Set<string>();
  return calls
    .filter(({ ok }) => ok !== null)
    .toSorted((a, b) => a.to - b.to)
    .filter(({ invoke }) => {
      const id = `${invoke.process} ${taskName(invoke)} ${invoke.nonce} ${invoke.sequence}`;
      const isFirst = !known.has(id);
      known.add(id);
      return isFirst;
    });
}

function judgeReports(
  view: HistoryView,
  accepted: readonly CallOf<"commit">[],
  said: readonly EventLine[],
  found: Findings,
): void {
  for (const [at, report] of said.entries()) {
    const call = accepted[at];
    if (call === undefined) {
      found.violated(
        `${report.process} reported a commit of ${report.task} up to ${report.offset}, which nobody has accepted`,
        [report],
      );
    } else {
      judgeReport(view, call, report, found);
    }
  }
  const unsaid = accepted[said.length];
  if (unsaid !== undefined && accepted.length > said.length + 1) {
    const { process, sequence } = unsaid.invoke;
    const message = `commit ${sequence} of ${taskName(unsaid.invoke)} was accepted, and ${process} has not reported it, but later ones were accepted`;
    found.violated(message, linesOf(unsaid));
  }
}

function judgeReport(view: HistoryView, call: CallOf<"commit">, report: EventLine, found: Findings): void {
  const { invoke } = call;
  const outputs = invoke.outputs.reduce((sum, { records }) => sum + records.length, 0);
  const records = movedBy(view, call);
  const wrong = [
    ...differs("offset", report.offset, invoke.offset),
    ...differs("records", report.records, records),
    ...differs("outputs", report.outputs, outputs),
  ];
  if (wrong.length > 0) {
    const name = `commit ${invoke.sequence} of ${taskName(invoke)}`;
    found.violated(`${report.process} reported ${name} with ${wrong.join(", ")}`, [...linesOf(call), report]);
  }
}

function differs(what: string, said: string | number | undefined, is: string | number | null): readonly string[] {
  return is === null || said === is ? [] : [`${what} ${said}, not ${is}`];
}

/** By how many records a commit has moved its task on; `null` where that is unknown, or a gap is in it. */
function movedBy(view: HistoryView, { invoke }: CallOf<"commit">): number | null {
  const task = view.task(invoke);
  const hasGap = task !== null && view.gaps.has(task.name);
  const before = task?.commit(invoke.nonce, invoke.sequence - 1);
  const own = task?.acquisitions.find(({ nonce, sequence }) => nonce === invoke.nonce && sequence === invoke.sequence);
  const from = before?.invoke.processed ?? own?.call.ok?.processed ?? null;
  return hasGap || from === null ? null : invoke.processed - from;
}

function judgeLosses(view: HistoryView, found: Findings): void {
  for (const report of view.events) {
    const isLoss = report.event === "Regressed" || report.event === "Gap";
    if (isLoss) {
      found.judged();
      const isDeclared = view.losses.length > 0;
      const isTrimmed =
        report.event === "Gap" &&
        view.partitions.some((of) => of.trimmed > 0 && report.task?.endsWith(`/${partitionName(of.line)}`) === true);
      if (!isDeclared && !isTrimmed) {
        found.violated(`${report.process} reported ${report.event} of ${report.task}, and no loss was declared`, [
          report,
        ]);
      }
    }
  }
}
