/** Whether the workers have caught up: pure, by what the group says, and by what each worker does and knows. */
import type { GroupDescription, TaskDescription } from "@millrace/core";

/** A worker that can do something, as far as one group is concerned. */
export interface LiveWorker {
  readonly name: string;
  /** It knows the group as it is, and has nothing to propose. */
  readonly isUpToDate: (group: GroupDescription) => boolean;
  /** Whether it runs a task, and is to be waited for; `"paused"`: quarantined, or in front of a restart. */
  readonly doing: (task: string) => "running" | "paused" | "nothing";
  /** Whether it knows all there is to know of event time for a task that it runs. */
  readonly knowsTime: (task: string) => boolean;
  /** What it will do for the task when time passes; `null`: nothing, what it holds waits for other records. */
  readonly waitsFor: (task: string) => string | null;
}

/** What keeps tasks and event time from being where they belong; `null`: nothing. */
export function pendingMoves(group: GroupDescription, workers: readonly LiveWorker[]): string | null {
  return (
    pendingMembers(group, workers) ??
    firstOf(group.tasks, (task) => pendingMove(group, task, workers)) ??
    firstOf(group.tasks, (task) => pendingTime(group, task, workers)) ??
    pendingEnd(group, workers)
  );
}

/** Records that will be processed when time passes; `null`: none. */
export function pendingWork({ group, tasks }: GroupDescription, workers: readonly LiveWorker[]): string | null {
  return firstOf(tasks, ({ task, member, lag }) => {
    const worker = runnerOf(task, member, workers);
    const waitsFor = lag > 0 ? (worker?.waitsFor(task) ?? null) : null;
    return waitsFor === null ? null : `task ${group}/${task} on worker ${member} waits for ${waitsFor}`;
  });
}

function pendingMembers(group: GroupDescription, workers: readonly LiveWorker[]): string | null {
  const joining = workers.find((worker) => !worker.isUpToDate(group));
  if (joining !== undefined) {
    return `worker ${joining.name} is about to find its place in group ${group.group}`;
  }
  const over = group.members.find(({ member, expiresInMs }) => expiresInMs <= 0 && !isLive(member, workers));
  return over === undefined || workers.length === 0
    ? null
    : `the session of worker ${over.member} is over, and the others are about to notice`;
}

/** A task that is to come to a worker that lives, from one that lives or from nobody. */
function pendingMove(
  { members, group }: GroupDescription,
  { task, member, isComplete }: TaskDescription,
  workers: readonly LiveWorker[],
): string | null {
  const goal = members.find(({ target }) => target.includes(task));
  const to = workers.find(({ name }) => name === goal?.member);
  const isHeldByTheDead =
    member !== null && !isLive(member, workers) && members.some((listed) => listed.member === member);
  if (to === undefined || isHeldByTheDead || isComplete) {
    return null;
  }
  const isThere = member === to.name && to.doing(task) !== "nothing";
  return isThere ? null : `task ${group}/${task} is on its way to worker ${to.name}`;
}

function pendingTime(
  { group }: GroupDescription,
  { task, member }: TaskDescription,
  workers: readonly LiveWorker[],
): string | null {
  const worker = runnerOf(task, member, workers);
  return worker === undefined || worker.knowsTime(task)
    ? null
    : `event time is on its way to task ${group}/${task} on worker ${member}`;
}

/** All is processed for good: the workers are about to leave. */
function pendingEnd({ group, tasks }: GroupDescription, [worker]: readonly LiveWorker[]): string | null {
  return worker !== undefined && tasks.length > 0 && tasks.every(({ isComplete }) => isComplete)
    ? `group ${group} is complete, and worker ${worker.name} about to leave it`
    : null;
}

function runnerOf(task: string, member: string | null, workers: readonly LiveWorker[]): LiveWorker | undefined {
  return workers.find(({ name, doing }) => name === member && doing(task) === "running");
}

function isLive(name: string, workers: readonly LiveWorker[]): boolean {
  return workers.some((worker) => worker.name === name);
}

function firstOf<A>(all: readonly A[], find: (one: A) => string | null): string | null {
  for (const one of all) {
    const found = find(one);
    if (found !== null) {
      return found;
    }
  }
  return null;
}
