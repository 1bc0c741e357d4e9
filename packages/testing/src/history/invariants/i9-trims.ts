import type { HistoryView } from "../history-view.ts";
import type { PositionLine, TrimLine } from "../lines.ts";
import { type PartitionView, partitionName } from "../partition-view.ts";
import type { TaskView } from "../task-view.ts";
import type { Findings } from "../verdict.ts";

/**
 * **I9**: nothing is dropped that a group still needs. In the end no group that ever acquired a partition is in front of its first
 * record; and at no trim was more dropped than every such group could have committed by then.
 *
 * Needs the ends of partitions and positions; for the second sentence `trim` lines, and the calls of the workers. A group that
 * acquires a partition for the first time begins with what is there.
 *
 * Cannot see trims for which a topic says `dropOldest`: name these by leaving them out of `only`.
 */
export function judgeTrims(view: HistoryView, found: Findings): void {
  for (const task of view.tasks) {
    const partition = view.partition(task.place);
    if (task.position !== null && partition !== null) {
      found.judged();
      judgeEnd(task, partition, task.position, found);
    }
  }
  for (const trim of view.trims) {
    found.judged();
    for (const task of view.tasks.filter((of) => isOf(of, trim))) {
      judgeTrim(view, task, trim, found);
    }
  }
  if (!found.isJudged) {
    found.missing("no position with the end of its partition, and no trim, is in the history");
  }
}

function isOf({ place }: TaskView, trim: TrimLine): boolean {
  return partitionName(place) === partitionName(trim) && place.incarnation === trim.incarnation;
}

function judgeEnd(task: TaskView, partition: PartitionView, position: PositionLine, found: Findings): void {
  const isUsed = task.acquisitions.length > 0 || task.commits.length > 0 || position.processed > 0;
  if (isUsed && position.processed < partition.trimmed) {
    const message = `${partition.trimmed} records of ${partition.name} were dropped, and ${task.name} had processed ${position.processed}`;
    found.violated(message, [partition.line, position]);
  }
}

function judgeTrim(view: HistoryView, task: TaskView, trim: TrimLine, found: Findings): void {
  const at = view.lines.indexOf(trim);
  const acquired = task.acquisitions.filter(({ call }) => call.from < at);
  const begun = task.commits.filter(({ calls, fate }) => fate !== "failed" && calls.some(({ from }) => from < at));
  const first = acquired.find(({ call }) => call.to < at);
  const most = Math.max(
    ...acquired.map(({ call }) => call.ok?.processed ?? 0),
    ...begun.map(({ invoke }) => invoke.processed),
  );
  if (first !== undefined && trim.trimmed > most) {
    const last = begun.at(-1);
    const message = `${trim.trimmed} records of ${partitionName(trim)} were dropped when ${task.name} could not have processed more than ${most}`;
    found.violated(message, [first.call.invoke, ...(last === undefined ? [] : task.linesOf(last)), trim]);
  }
}
