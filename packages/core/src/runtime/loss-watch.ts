import * as E from "fp-ts/lib/Either.js";
import { type Clock, sleep } from "../ports/clock.ts";
import type { Group, GroupSnapshot } from "../ports/group.ts";
import type { TaskRef, Tasks } from "../ports/tasks.ts";

/** A task that this worker has, as far as it knows. */
export interface KnownTask {
  readonly ref: TaskRef;
  /** How many commits the store has acknowledged; `null`: unknown. */
  readonly sequence: number | null;
}

/** What the watch works with, and whom it tells. */
export interface LossWatchOptions<T extends KnownTask> {
  readonly ports: { readonly tasks: Pick<Tasks, "positions">; readonly group: Pick<Group, "snapshot"> };
  /** The consumer group. */
  readonly group: string;
  readonly clock: Clock;
  readonly everyMs: number;
  /** Ends the watch. */
  readonly signal: AbortSignal;
  readonly known: () => readonly T[];
  /** The store has fewer commits of the task than it has acknowledged. */
  readonly lost: (task: T, message: string) => void;
  /** Whether some tasks are complete, and others are waited for. */
  readonly isWaiting: () => boolean;
  /** The group as it is, for whoever waits. */
  readonly compare: (snapshot: GroupSnapshot) => void;
}

/**
 * Looks now and then whether the store still has what it has acknowledged. A task that commits finds a loss by itself; one that has
 * nothing to do, or is complete, would not: what was lost would wait for the next record, and a group that has forgotten that a
 * task is complete would wait for ever.
 *
 * A store that does not answer is asked again the next time, and reported by whoever has something to do.
 */
export async function watchForLosses<T extends KnownTask>(options: LossWatchOptions<T>): Promise<void> {
  const { clock, everyMs, signal } = options;
  while (!signal.aborted) {
    await sleep(clock, everyMs, signal);
    if (!signal.aborted) {
      await lookAtCommits(options);
      await lookAtGroup(options);
    }
  }
}

async function lookAtCommits<T extends KnownTask>({ ports, signal, known, lost }: LossWatchOptions<T>): Promise<void> {
  const asked = known().flatMap((task) => (task.sequence === null ? [] : [{ task, before: task.sequence }]));
  if (asked.length === 0) {
    return;
  }
  const found = await ports.tasks.positions(asked.map(({ task }) => task.ref))();
  if (E.isLeft(found) || signal.aborted) {
    return;
  }
  for (const [index, { task, before }] of asked.entries()) {
    const sequence = found.right[index]?.sequence ?? before;
    if (sequence < before) {
      lost(task, `the store has ${sequence} commits of the task, and had acknowledged ${before}`);
    }
  }
}

async function lookAtGroup<T extends KnownTask>(options: LossWatchOptions<T>): Promise<void> {
  const { ports, group, signal, isWaiting, compare } = options;
  if (isWaiting()) {
    const snapshot = await ports.group.snapshot(group)();
    if (E.isRight(snapshot) && !signal.aborted) {
      compare(snapshot.right);
    }
  }
}
