import type { CallOf } from "../calls.ts";
import { linesOf } from "../calls.ts";
import type { HistoryView } from "../history-view.ts";
import type { LossLine } from "../lines.ts";
import { inLogOrder } from "../partition-view.ts";
import type { LogicalCommit, TaskView } from "../task-view.ts";
import type { Findings } from "../verdict.ts";

/**
 * **I4**: a task only moves forward. Along its commits neither the offset nor the number of processed records falls; whoever
 * acquires it finds at least what was acknowledged before; and so does the end of the history.
 *
 * Needs the calls of the workers, and positions for the last sentence. Judged for each incarnation of a topic; what may be gone
 * by a declared loss is left out.
 *
 * Cannot see a step back between two commits of which nobody was told.
 */
export function judgeCursor(view: HistoryView, found: Findings): void {
  for (const task of view.tasks) {
    judgeCommits(task, found);
    judgeAcquisitions(task, view.losses, found);
    judgeEnd(task, found);
  }
  if (!found.isJudged) {
    found.missing("there is no commit and no acquisition");
  }
}

/** Where a task stands. */
interface Point {
  readonly offset: string;
  readonly processed: number;
}

function isBehind(point: Point, before: Point): boolean {
  return point.processed < before.processed || inLogOrder(point.offset, before.offset) < 0;
}

function text({ offset, processed }: Point): string {
  return `${offset} (${processed} records)`;
}

function judgeCommits(task: TaskView, found: Findings): void {
  let before: LogicalCommit | null = null;
  for (const commit of task.commits) {
    if (commit.fate === "effective") {
      found.judged();
      if (before !== null && isBehind(commit.invoke, before.invoke)) {
        const message = `commit ${commit.sequence} of ${task.name} goes back to ${text(commit.invoke)}, from ${text(before.invoke)}`;
        found.violated(message, [...task.linesOf(before), ...task.linesOf(commit)]);
      }
      before = commit;
    }
  }
}

function judgeAcquisitions(task: TaskView, losses: readonly LossLine[], found: Findings): void {
  const effective = task.commits.filter(({ fate }) => fate === "effective");
  for (const { call } of task.acquisitions) {
    if (!call.isLossy) {
      found.judged();
      judgeAcquisition(task, effective, call, found);
    }
  }
  judgePairs(task, losses, found);
}

function judgeAcquisition(
  task: TaskView,
  effective: readonly LogicalCommit[],
  call: CallOf<"acquire">,
  found: Findings,
): void {
  const { ok } = call;
  const known = effective.findLast(({ knownAt }) => knownAt < call.from);
  if (ok !== null && known !== undefined && (ok.sequence <= known.sequence || isBehind(ok, known.invoke))) {
    const message = `whoever acquired ${task.name} found ${ok.sequence} commits, up to ${text(ok)}, and commit ${known.sequence} up to ${text(known.invoke)} had been acknowledged`;
    found.violated(message, [...task.linesOf(known), ...linesOf(call)]);
  }
  const last = effective.find(({ sequence }) => sequence + 1 === ok?.sequence);
  if (ok !== null && last !== undefined && text(last.invoke) !== text(ok)) {
    const message = `whoever acquired ${task.name} behind commit ${last.sequence} found ${text(ok)}, not ${text(last.invoke)}`;
    found.violated(message, [...task.linesOf(last), ...linesOf(call)]);
  }
}

/** Of two acquisitions one after the other, the second one finds no less than the first. */
function judgePairs(task: TaskView, losses: readonly LossLine[], found: Findings): void {
  let furthest: CallOf<"acquire"> | null = null;
  for (const { call } of task.acquisitions) {
    const { ok } = call;
    const before: CallOf<"acquire">["ok"] = furthest?.ok ?? null;
    if (furthest !== null && before !== null && ok !== null && furthest.to < call.from) {
      const isLess = ok.sequence < before.sequence || isBehind(ok, before);
      if (isLess && !losses.some(({ fromMs, untilMs }) => fromMs <= ok.atMs && untilMs >= before.atMs)) {
        const message = `whoever acquired ${task.name} found ${ok.sequence} commits, up to ${text(ok)}; the owner before had found ${before.sequence}, up to ${text(before)}`;
        found.violated(message, [...linesOf(furthest), ...linesOf(call)]);
      }
    }
    furthest = call;
  }
}

function judgeEnd(task: TaskView, found: Findings): void {
  const { position } = task;
  if (position === null) {
    found.missing(`the position of ${task.name} in the end is not in the history`);
    return;
  }
  const now = `${task.name} is at ${text(position)}, ${position.sequence} commits, in the end`;
  for (const { call } of task.acquisitions) {
    const { ok } = call;
    if (ok !== null && !call.isLossy && (position.sequence < ok.sequence || isBehind(position, ok))) {
      const message = `${now}, and ${call.invoke.process} had found ${ok.sequence} commits, up to ${text(ok)}`;
      found.violated(message, [...linesOf(call), position]);
    }
  }
  const last = task.commits.findLast(({ fate }) => fate === "effective");
  const isOpen = task.commits.some(({ fate, sequence }) => fate === "possible" && sequence > (last?.sequence ?? 0));
  if (last !== undefined && (position.sequence <= last.sequence || isBehind(position, last.invoke))) {
    const message = `${now}, and commit ${last.sequence} up to ${text(last.invoke)} had been acknowledged`;
    found.violated(message, [...task.linesOf(last), position]);
  } else if (last !== undefined && !isOpen && isBehind(last.invoke, position)) {
    const message = `${now}, and its last commit, ${last.sequence}, was up to ${text(last.invoke)}`;
    found.violated(message, [...task.linesOf(last), position]);
  }
}
