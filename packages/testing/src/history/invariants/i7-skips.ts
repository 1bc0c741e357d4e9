import { BEFORE_FIRST } from "@millrace/core";
import { linesOf } from "../calls.ts";
import type { HistoryView } from "../history-view.ts";
import type { HistoryLine, ReadLine } from "../lines.ts";
import { inLogOrder, type PartitionView, partitionName } from "../partition-view.ts";
import type { TaskView } from "../task-view.ts";
import type { Findings } from "../verdict.ts";

/**
 * **I7**: no skip. Wherever a task stands (as its owner found it, as a commit left it, in the end), it has processed exactly as many
 * records as lie in its partition up to there; numbers of commits have no gap; and a reader is given every record.
 *
 * Needs the log in the end, the calls of the workers, reads for the last sentence. Positions in a part that was trimmed are judged
 * where somebody has read all of that. A task that has reported a `Gap` is not judged, and neither is one that may have lost something.
 *
 * Cannot see what was done with a record: that is I2 and I6.
 */
export function judgeSkips(view: HistoryView, found: Findings): void {
  for (const task of view.tasks) {
    judgeTask(view, task, { hasGap: view.gaps.has(task.name) }, found);
  }
  for (const read of view.reads) {
    judgeRead(view, read, found);
  }
  if (!found.isJudged && found.reasons.size === 0) {
    found.missing("there is no commit, no acquisition, no position and no read");
  }
}

function judgeTask(view: HistoryView, task: TaskView, { hasGap }: { readonly hasGap: boolean }, found: Findings): void {
  const partition = view.partition(task.place);
  if (partition === null) {
    found.missing(`the end of ${partitionName(task.place)} is not in the history`);
  } else if (hasGap || task.isLossy) {
    const why = task.isLossy ? "the store may have lost some of it" : "it has reported a gap";
    found.missing(`${task.name} is not judged: ${why}`);
  } else {
    judgePoints(task, partition, found);
    judgeNumbers(task, found);
  }
}

function judgePoints(task: TaskView, partition: PartitionView, found: Findings): void {
  for (const point of pointsOf(task)) {
    const rank = partition.rankOf(point.offset);
    if (rank === null) {
      found.missing(`what was trimmed from ${partition.name} was not read as a whole: commits there are not judged`);
    } else {
      found.judged();
      judgePoint(`${point.what} of ${task.name} is at ${point.offset}`, point, { partition, rank }, found);
    }
  }
}

function judgePoint(
  name: string,
  { offset, processed, lines }: Point,
  { partition, rank }: { readonly partition: PartitionView; readonly rank: number },
  found: Findings,
): void {
  const record = partition.at(offset);
  if (record === null && offset !== BEFORE_FIRST && !partition.isDropped(offset)) {
    found.violated(`${name}, where no record lies`, [...lines(), partition.line]);
  }
  if (rank !== processed) {
    const message = `${name} with ${processed} records processed, and up to there lie ${rank}`;
    found.violated(message, [...lines(), partition.line, ...(record === null ? [] : [partition.lineOf(record)])]);
  }
}

interface Point {
  readonly what: string;
  readonly offset: string;
  readonly processed: number;
  readonly lines: () => readonly HistoryLine[];
}

function pointsOf(task: TaskView): readonly Point[] {
  const { acquisitions, commits, position } = task;
  return [
    ...acquisitions.flatMap(({ call }) =>
      call.ok === null
        ? []
        : [{ ...call.ok, what: `the acquisition by ${call.invoke.process}`, lines: () => linesOf(call) }],
    ),
    ...commits
      .filter(({ fate }) => fate === "effective")
      .map((commit) => ({
        ...commit.invoke,
        what: `commit ${commit.sequence}`,
        lines: () => task.linesOf(commit),
      })),
    ...(position === null || isUntouched(task) ? [] : [{ ...position, what: "the end", lines: () => [position] }]),
  ];
}

/** Nobody has ever acquired it: then it stands nowhere. */
function isUntouched({ acquisitions, commits, position }: TaskView): boolean {
  const isAtStart = position?.processed === 0 && position.offset === BEFORE_FIRST;
  return acquisitions.length === 0 && commits.length === 0 && isAtStart;
}

function judgeNumbers(task: TaskView, found: Findings): void {
  const possible = new Set(task.commits.filter(({ fate }) => fate !== "failed").map(({ sequence }) => sequence));
  const least = Math.min(
    ...task.acquisitions.map(({ sequence }) => sequence),
    task.commits[0]?.sequence ?? Number.POSITIVE_INFINITY,
  );
  for (const commit of task.commits.filter(({ fate }) => fate === "effective")) {
    if (commit.sequence > least && !possible.has(commit.sequence - 1)) {
      const message = `commit ${commit.sequence} of ${task.name} counted, and nobody has sent commit ${commit.sequence - 1}`;
      found.violated(message, task.linesOf(commit));
    }
  }
  const ended = task.position?.sequence ?? 0;
  if (task.position !== null && ended > least && !possible.has(ended - 1)) {
    const message = `${task.name} has ${ended} commits in the end, and nobody has sent commit ${ended - 1}`;
    found.violated(message, [task.position]);
  }
  for (const { call, sequence } of task.acquisitions) {
    if (sequence > least && !possible.has(sequence - 1)) {
      const message = `whoever acquired ${task.name} found ${sequence} commits, and nobody has sent commit ${sequence - 1}`;
      found.violated(message, linesOf(call));
    }
  }
}

/** Of the records that were never dropped, a reader was given each that lies between two that it was given. */
function judgeRead(view: HistoryView, read: ReadLine, found: Findings): void {
  const partition = view.partition(read);
  if (partition === null) {
    return;
  }
  found.judged();
  let before = read.after;
  for (const { offset } of read.records) {
    const name = `reader ${read.reader} of ${read.process} was given ${partition.name} ${offset} behind ${before}`;
    const skipped = partition.heldBetween(before, offset);
    if (inLogOrder(offset, before) <= 0) {
      found.violated(name, [read]);
    } else if (skipped !== null) {
      found.violated(`${name}, without ${skipped.offset}`, [read, partition.lineOf(skipped)]);
    }
    before = offset;
  }
}
