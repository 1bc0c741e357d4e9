import { linesOf } from "../calls.ts";
import { grouped } from "../grouped.ts";
import type { HistoryView } from "../history-view.ts";
import type { CommitInvoked, CommitOutput, LossLine } from "../lines.ts";
import { type Acquisition, isLaterOwner, type LogicalCommit, type TaskView } from "../task-view.ts";
import type { Findings } from "../verdict.ts";

/**
 * **I5**: one owner. Every acquisition has a nonce of its own, generations do not fall, no number of a commit counts twice, and no
 * commit counts that was sent, or comes by its number, behind the acquisition of a later owner.
 *
 * Needs the calls of the workers. Two calls are taken for one behind the other only where the second began when the first had
 * been answered; numbers need no times. A declared loss may bring an earlier owner back.
 *
 * Cannot see a commit that was refused to its rightful owner.
 */
export function judgeOwner(view: HistoryView, found: Findings): void {
  for (const task of view.tasks) {
    if (task.acquisitions.length > 0 || task.commits.length > 0) {
      found.judged();
    }
    judgeNonces(task, view.losses, found);
    judgeNumbers(task, found);
    for (const commit of task.commits.filter(({ fate }) => fate !== "failed")) {
      judgeCommit(task, commit, view.losses, found);
    }
  }
  if (!found.isJudged) {
    found.missing("there is no commit and no acquisition");
  }
}

function judgeNonces({ name, acquisitions }: TaskView, losses: readonly LossLine[], found: Findings): void {
  for (const [nonce, same] of grouped(acquisitions, (acquisition) => acquisition.nonce)) {
    const [first] = same;
    const other = same.find(({ call }) => call.invoke.process !== first?.call.invoke.process);
    if (first !== undefined && other !== undefined) {
      const message = `two processes were given the nonce ${nonce} of ${name}`;
      found.violated(message, [...linesOf(first.call), ...linesOf(other.call)]);
    }
  }
  for (const [at, acquisition] of acquisitions.entries()) {
    const before = acquisitions.slice(0, at).findLast((other) => isLaterOwner(acquisition, other));
    const isLower = before !== undefined && acquisition.call.invoke.generation < before.call.invoke.generation;
    if (isLower && !isLost(before, losses)) {
      const message = `${name} was acquired at generation ${acquisition.call.invoke.generation}, behind ${before.call.invoke.generation}`;
      found.violated(message, [...linesOf(before.call), ...linesOf(acquisition.call)]);
    }
  }
}

/** Whether the store may have lost an acquisition. */
function isLost({ call }: Acquisition, losses: readonly LossLine[]): boolean {
  const toMs = call.outcome?.atMs ?? Number.POSITIVE_INFINITY;
  return losses.some(({ fromMs, untilMs }) => call.invoke.atMs <= untilMs && toMs >= fromMs);
}

function judgeNumbers(task: TaskView, found: Findings): void {
  const answered = task.commits.filter(({ knownAt }) => knownAt !== Number.POSITIVE_INFINITY);
  for (const [sequence, [first, second]] of grouped(answered, (commit) => commit.sequence)) {
    if (first !== undefined && second !== undefined) {
      const message = `two commits of ${task.name} counted under the number ${sequence}`;
      found.violated(message, [...task.linesOf(first), ...task.linesOf(second)]);
    }
  }
  for (const commit of task.commits) {
    if (commit.calls.some(({ invoke }) => !isSame(invoke, commit.invoke))) {
      const message = `commit ${commit.sequence} of ${task.name}, nonce ${commit.nonce}, was sent again as another commit`;
      found.violated(message, task.linesOf(commit));
    }
  }
}

function isSame(a: CommitInvoked, b: CommitInvoked): boolean {
  return (
    a === b ||
    (a.offset === b.offset &&
      a.processed === b.processed &&
      sameOutputs(a.outputs, b.outputs) &&
      sameText(a.state, b.state))
  );
}

function sameOutputs(a: readonly CommitOutput[], b: readonly CommitOutput[]): boolean {
  const isIdentical = a.length === b.length && a.every(({ records }, at) => records === b[at]?.records);
  return isIdentical || sameText(a, b);
}

/** Whoever repeats a commit usually repeats the very same records; text is made of them only where not. */
function sameText(a: readonly object[], b: readonly object[]): boolean {
  return a === b || a.length + b.length === 0 || textOf(a) === textOf(b);
}

/** Records may hold more than is asked for here. */
function textOf(values: readonly object[]): string {
  return JSON.stringify(values, ["topic", "partition", "records", "key", "payload", "store", "puts", "deletes"]);
}

function judgeCommit(task: TaskView, commit: LogicalCommit, losses: readonly LossLine[], found: Findings): void {
  const own = task.acquisitions.find(({ nonce }) => nonce === commit.nonce);
  if (own === undefined) {
    if (commit.fate === "effective") {
      const message = `commit ${commit.sequence} of ${task.name} counted with the nonce ${commit.nonce}, which nobody was given`;
      found.violated(message, task.linesOf(commit));
    }
    return;
  }
  const excerpt = (later: Acquisition) => [...linesOf(own.call), ...linesOf(later.call), ...task.linesOf(commit)];
  if (commit.fate === "effective" && commit.sequence < own.sequence) {
    const message = `commit ${commit.sequence} of ${task.name} counted, though its owner had found ${own.sequence} commits`;
    found.violated(message, excerpt(own));
  }
  for (const later of task.acquisitions) {
    if (isLaterOwner(later, own) && !isLost(later, losses) && wasBehind(commit, later)) {
      const message = `commit ${commit.sequence} of ${task.name} counted with the nonce ${own.nonce}, though ${later.call.invoke.process} had acquired it before (nonce ${later.nonce}, ${later.sequence} commits)`;
      found.violated(message, excerpt(later));
      return;
    }
  }
}

/** Whether a commit that was acknowledged came behind an acquisition: it was sent later, or has a later number. */
function wasBehind({ calls, sequence, knownAt }: LogicalCommit, later: Acquisition): boolean {
  const isKnown = knownAt !== Number.POSITIVE_INFINITY;
  const isSentLater = calls.every(({ from }) => from > later.call.to);
  return isKnown && (sequence >= later.sequence || isSentLater);
}
