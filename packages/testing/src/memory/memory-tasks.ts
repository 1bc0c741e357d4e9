import { randomUUID } from "node:crypto";
import {
  type AcquireError,
  BEFORE_FIRST,
  type Commit,
  type CommitError,
  type Ownership,
  portError,
  type TaskPosition,
  type TaskRef,
  type Tasks,
  type TopicLost,
  type Unavailable,
} from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import type { Decision } from "./admission.ts";
import { full } from "./memory-log.ts";
import type { MemoryPartition } from "./memory-partition.ts";
import { type MemoryStore, type MemoryTask, type MemoryTopic, storeOf } from "./memory-store.ts";
import { type Session, sessionClosed } from "./session.ts";

type Committed = E.Either<CommitError, "applied" | "alreadyApplied">;

/** Where a commit writes: found, and checked, before the first write. */
interface Destinations {
  readonly source: MemoryPartition;
  /** One for each of the commit's outputs, in their order. */
  readonly outputs: readonly MemoryPartition[];
  /** One for each of the commit's watermarks, in their order. */
  readonly watermarks: readonly MemoryTopic[];
}

/** Ownership and commits in memory. One thread runs them, so nothing comes between the checks and the writes. */
export class MemoryTasks implements Tasks {
  readonly #store: MemoryStore;
  readonly #session: Session;

  constructor(store: MemoryStore, session: Session) {
    this.#store = store;
    this.#session = session;
  }

  acquire(ref: TaskRef, generation: number): TaskEither<AcquireError, Ownership> {
    const nonce = randomUUID();
    return this.#session.call(() => {
      const partition = this.#store.partition(ref.topic, ref.partition);
      if (E.isLeft(partition)) {
        return partition;
      }
      const task = this.#store.task(ref) ?? this.#store.createTask(ref, partition.right);
      if (task.incarnation !== ref.topic.incarnation) {
        const message = `${nameOf(ref)} processed another incarnation of its topic; start a new group, or delete the task`;
        return E.left(portError("TopicLost", message));
      }
      if (generation < task.generation) {
        const message = `${nameOf(ref)} was acquired at generation ${task.generation}, later than ${generation}; join again`;
        return E.left(portError("Fenced", message));
      }
      task.generation = generation;
      task.nonce = nonce;
      this.#store.admission.recheck();
      const { sequence, offset, processed, time } = task;
      task.movedAtMs ??= this.#nowMs();
      const quietMs = Math.max(0, this.#nowMs() - task.movedAtMs);
      return E.right({ nonce, sequence, offset, processed, time, quietMs });
    });
  }

  commit(commit: Commit): TaskEither<CommitError, "applied" | "alreadyApplied"> {
    return this.#session.call(async () => {
      checkDues(commit);
      const result = await this.#store.admission.run<Committed>({
        decide: () => this.#decideCommit(commit),
        signal: commit.signal,
        session: this.#session,
        gaveUp: () => E.left(full(`a destination of ${nameOf(commit.task)}`)),
        closed: () => E.left(sessionClosed()),
      });
      await this.#store.pace.spend(commit.outputs.length);
      return result;
    });
  }

  positions(tasks: readonly TaskRef[]): TaskEither<Unavailable, readonly TaskPosition[]> {
    return this.#session.call(() => {
      const beginning = { sequence: 0, offset: BEFORE_FIRST, processed: 0 };
      const found = tasks.map((ref) => {
        const task = this.#store.task(ref);
        return task?.incarnation === ref.topic.incarnation ? task : beginning;
      });
      return E.right(found.map(({ sequence, offset, processed }) => ({ sequence, offset, processed })));
    });
  }

  /** Whole ms, as a server tells them. */
  #nowMs(): number {
    return Math.floor(this.#store.clock.now());
  }

  #decideCommit(commit: Commit): Decision<Committed> {
    const task = this.#store.task(commit.task);
    if (task === undefined || task.nonce !== commit.nonce) {
      const message = `${nameOf(commit.task)} has another owner; drop it without committing`;
      return { done: E.left(portError("Fenced", message)) };
    }
    if (task.sequence === commit.sequence + 1) {
      return { done: E.right("alreadyApplied") };
    }
    if (task.sequence !== commit.sequence) {
      const message = `${nameOf(commit.task)} has seen ${task.sequence} commits, not ${commit.sequence}; acquire it again`;
      return { done: E.left(portError("Regressed", message)) };
    }
    const source = this.#store.partition(commit.task.topic, commit.task.partition);
    if (E.isLeft(source)) {
      return { done: source };
    }
    if (commit.offset !== task.offset && source.right.lacks(commit.offset)) {
      const message = `the log of ${nameOf(commit.task)} has lost the record at ${commit.offset} since it was read; acquire the task again`;
      return { done: E.left(portError("Regressed", message)) };
    }
    const destinations = this.#destinations(commit, source.right);
    if (E.isLeft(destinations)) {
      return { done: destinations };
    }
    const { outputs } = destinations.right;
    return {
      into: outputs.filter((_, n) => commit.outputs[n]?.records.length !== 0),
      write: () => {
        if (task.movedAtMs === null || task.processed !== commit.processed) {
          task.movedAtMs = this.#nowMs();
        }
        apply(commit, task, destinations.right);
        return E.right("applied");
      },
    };
  }

  #destinations(commit: Commit, source: MemoryPartition): E.Either<TopicLost, Destinations> {
    const outputs: MemoryPartition[] = [];
    for (const { topic, partition } of commit.outputs) {
      const found = this.#store.partition(topic, partition);
      if (E.isLeft(found)) {
        return found;
      }
      outputs.push(found.right);
    }
    const watermarks: MemoryTopic[] = [];
    for (const { topic } of commit.watermarks) {
      const found = this.#store.topic(topic);
      if (E.isLeft(found)) {
        return found;
      }
      watermarks.push(found.right);
    }
    return E.right({ source, outputs, watermarks });
  }
}

/** Throws for what no store could put in order. */
function checkDues({ state }: Commit): void {
  if (state.some(({ puts }) => puts.some(([, , dueMs]) => Number.isNaN(dueMs)))) {
    throw new RangeError("A due time must be a number (ms since the epoch) or infinite, not NaN");
  }
}

/** The writes of a commit whose checks have passed. */
function apply(commit: Commit, task: MemoryTask, { source, outputs, watermarks }: Destinations): void {
  for (const [n, { records }] of commit.outputs.entries()) {
    outputs[n]?.append(records);
  }
  for (const { store, puts, deletes } of commit.state) {
    const buckets = storeOf(task, store);
    for (const [key, value, dueMs] of puts) {
      buckets.put(key, value, dueMs);
    }
    for (const key of deletes) {
      buckets.delete(key);
    }
  }
  for (const [n, { writer, watermarkMs }] of commit.watermarks.entries()) {
    watermarks[n]?.writers.set(writer, watermarkMs);
  }
  task.sequence = commit.sequence + 1;
  task.offset = commit.offset;
  task.processed = commit.processed;
  task.time = commit.time;
  // Last: whoever gets the room writes at once, and must find this commit complete.
  source.grantRoom();
}

function nameOf({ group, topic, partition }: TaskRef): string {
  return `task ${group} of ${topic.name}/${partition}`;
}
