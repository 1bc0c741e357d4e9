import { grouped } from "../grouped.ts";
import type { HistoryView } from "../history-view.ts";
import type { FaultLine } from "../lines.ts";
import { type PartitionView, partitionKey } from "../partition-view.ts";
import type { LogicalCommit, TaskView } from "../task-view.ts";
import { type Expectations, type Findings, recordId } from "../verdict.ts";
import type { Written } from "../written.ts";

/**
 * **I10**: no stall. While a record waits in a partition and no fault is at work, its task commits a record within the bound. The
 * clock starts when the oldest waiting record was acknowledged to its writer, with the commit before if that came later, and again at
 * the end of each fault, whomever it hit.
 *
 * Needs `bounds`, the calls of writers and workers, and the log in the end; the end of the history for what still waits then. Faults must
 * be declared. Tasks that may have lost something are left out.
 *
 * Cannot see whether the machine was too slow: give a bound that it can keep to, or use a virtual clock.
 */
export function judgeStalls(view: HistoryView, { bounds }: Expectations, found: Findings): void {
  if (bounds === undefined) {
    found.missing("no bound is given");
    return;
  }
  const written = grouped(view.written, ({ partition }) => partition);
  for (const task of view.tasks) {
    const partition = view.partition(task.place);
    if (task.isLossy || partition === null || partition.all === null) {
      const why = task.isLossy ? "the store may have lost some of it" : "not all of its partition is known";
      found.missing(`${task.name} is not judged: ${why}`);
    } else {
      const asked = written.get(partitionKey(partition.line)) ?? [];
      judgeTask(view, { task, partition, asked, stallMs: bounds.stallMs }, found);
    }
  }
  if (view.endMs === null) {
    found.missing("nothing says when the history ends: what waits in the end is not judged");
  }
}

interface Work {
  readonly task: TaskView;
  readonly partition: PartitionView;
  readonly asked: readonly Written[];
  readonly stallMs: number;
}

/** A commit that has moved a task on, and when. */
interface Step {
  readonly atMs: number;
  readonly processed: number;
  readonly commit: LogicalCommit | null;
}

function judgeTask(view: HistoryView, work: Work, found: Findings): void {
  const { task, partition } = work;
  const arrivals = arrivalsOf(work);
  const steps = stepsOf(task);
  const left: Step[] =
    view.endMs === null ? [] : [{ atMs: view.endMs, processed: partition.line.appended, commit: null }];
  let before: Step = { atMs: Number.NEGATIVE_INFINITY, processed: 0, commit: null };
  for (const step of [...steps, ...left]) {
    const arrivedMs = arrivals[before.processed] ?? null;
    if (step.processed > before.processed) {
      if (arrivedMs !== null) {
        found.judged();
        const span = { fromMs: Math.max(arrivedMs, before.atMs), toMs: step.atMs };
        judgeSpan(view, work, { ...span, steps: [before, step] }, found);
      }
      before = step;
    }
  }
}

function judgeSpan(
  view: HistoryView,
  { task, partition, stallMs }: Work,
  span: { readonly fromMs: number; readonly toMs: number; readonly steps: readonly [Step, Step] },
  found: Findings,
): void {
  const quietMs = longestQuiet(span.fromMs, span.toMs, view.faults);
  if (quietMs > stallMs) {
    const [before, step] = span.steps;
    const waiting = partition.all?.[before.processed];
    const lines = [before, step].flatMap(({ commit }) => (commit === null ? [] : task.linesOf(commit)));
    const faults = view.faults.filter(({ fromMs, untilMs }) => fromMs <= span.toMs && untilMs >= span.fromMs);
    const end = step.commit === null ? view.lines.filter(({ _tag }) => _tag === "end") : [];
    const message = `${task.name} stood still for ${Math.round(quietMs)} ms behind record ${before.processed}, with more to process: ${stallMs} ms are allowed`;
    found.violated(message, [
      ...lines,
      ...faults,
      ...(waiting === undefined ? [] : [partition.lineOf(waiting)]),
      ...end,
    ]);
  }
}

/** The longest time in a span in which no fault was at work. */
function longestQuiet(fromMs: number, toMs: number, faults: readonly FaultLine[]): number {
  let longest = 0;
  let quietFromMs = fromMs;
  for (const fault of faults.toSorted((a, b) => a.fromMs - b.fromMs)) {
    if (fault.untilMs >= fromMs && fault.fromMs <= toMs) {
      longest = Math.max(longest, fault.fromMs - quietFromMs);
      quietFromMs = Math.max(quietFromMs, fault.untilMs);
    }
  }
  return Math.max(longest, toMs - quietFromMs);
}

/** When each record of a partition was acknowledged to its writer; `null` where that is unknown. */
function arrivalsOf({ partition, asked }: Work): readonly (number | null)[] {
  const byId = grouped(
    asked.filter(({ certainty }) => certainty === "certain"),
    ({ id }) => id,
  );
  return (partition.all ?? []).map((record) => {
    const written = byId.get(recordId(record))?.shift();
    const answers = written?.lines().flatMap((line) => (line._tag === "ok" ? [line.atMs] : [])) ?? [];
    return answers.length === 0 ? null : Math.min(...answers);
  });
}

/** Of a commit that was never answered only the beginning is known: it counts as early as it could. */
function stepsOf({ chain }: TaskView): readonly Step[] {
  return chain.map((commit) => {
    const answers = commit.calls.flatMap(({ ok }) => (ok === null ? [] : [ok.atMs]));
    const atMs = answers.length === 0 ? commit.invoke.atMs : Math.min(...answers);
    return { atMs, processed: commit.invoke.processed, commit };
  });
}
