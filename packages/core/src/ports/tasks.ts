import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import type { Offset } from "../kernel/offset.ts";
import type { NewRecord, TopicInfo } from "./log.ts";
import type { Fenced, Full, Refused, Regressed, TopicLost, Unavailable, WrongType } from "./port-error.ts";

/** One sub-topology × one partition: the unit of ownership, of state and of commit. */
export interface TaskRef {
  /** The consumer group, `<app>.<pipeline>`. */
  readonly group: string;
  /** The topic that the task reads; a sub-topology reads one topic, so it names the sub-topology too. */
  readonly topic: TopicInfo;
  readonly partition: number;
}

/** What the new owner of a task needs to continue where the last commit left it. */
export interface Ownership {
  /** Random text, new at every acquisition; every commit carries it. */
  readonly nonce: string;
  /** How many commits the task has seen. The next one carries this number. */
  readonly sequence: number;
  /** The last processed position; `BEFORE_FIRST` for a task that never committed. */
  readonly offset: Offset;
  /** How many records were processed up to `offset`, those trimmed before the first read included. */
  readonly processed: number;
  /** What the last commit stored as {@link Commit.time}; `null` for a task that never committed. */
  readonly time: string | null;
  /**
   * For how long (ms, by the store's clock) `processed` has not moved, over restarts and changes of owner; of a task that never
   * committed, since it was first acquired.
   */
  readonly quietMs: number;
}

/** How far a task is, by its last commit. */
export type TaskPosition = Pick<Ownership, "sequence" | "offset" | "processed">;

/** Records for one partition of another topic. */
export interface Output {
  readonly topic: TopicInfo;
  readonly partition: number;
  readonly records: readonly NewRecord[];
}

/** Changes of one store of a task. A key is in `puts` or in `deletes`, not in both. */
export interface StateDelta {
  readonly store: string;
  readonly puts: readonly StatePut[];
  readonly deletes: readonly string[];
}

/**
 * A key, its new value, and its due time (ms, ±Infinity included): absent, it stays as it is; `null`, the entry has none from
 * now on.
 */
export type StatePut = readonly [key: string, value: string, dueMs?: number | null];

/** Everything that becomes visible in one atomic step. */
export interface Commit {
  readonly task: TaskRef;
  readonly nonce: string;
  /** How many commits went before: the stored number must be equal. */
  readonly sequence: number;
  /** The last processed position after this commit. */
  readonly offset: Offset;
  /** How many records were processed up to `offset`; the position that native tools show. */
  readonly processed: number;
  readonly outputs: readonly Output[];
  readonly state: readonly StateDelta[];
  /** Progress of event time, opaque to the store; returned by the next acquisition. */
  readonly time: string;
  /**
   * Watermarks (ms, ±Infinity included) to enter into the writers' tables, visible no earlier than the outputs; `null`
   * takes the writer out of the table until it is entered again.
   */
  readonly watermarks: readonly {
    readonly topic: TopicInfo;
    readonly writer: string;
    readonly watermarkMs: number | null;
  }[];
  /** Gives up waiting for room; the call then resolves with `Full`. */
  readonly signal?: AbortSignal;
}

export type AcquireError = Fenced | TopicLost | WrongType | Full | Refused | Unavailable;
export type CommitError = Fenced | Regressed | TopicLost | WrongType | Full | Refused | Unavailable;

/** Ownership of tasks, and the atomic commit that is accepted only from the owner. */
export interface Tasks {
  /**
   * Makes the caller the owner: the nonce is replaced, so that no commit of an earlier owner is accepted any more.
   * Refused (`Fenced`) when the task was acquired at a higher generation, and `TopicLost` when the topic's incarnation
   * is not `task.topic.incarnation` or the task belongs to another incarnation. The nonce is chosen by the call, so that
   * running what it returned again, after a lost reply, is the same acquisition and fences nobody.
   */
  acquire(task: TaskRef, generation: number): TaskEither<AcquireError, Ownership>;

  /**
   * Applies a commit as a whole or not at all. The checks come before the first write:
   * nonce differs → `Fenced`; stored sequence = `sequence` → applied; = `sequence + 1` → `"alreadyApplied"` (a reply was
   * lost, nothing is written again); anything else → `Regressed`, and also where `offset` moves to a record that the log has lost
   * since it was read, neither there nor trimmed; the incarnation of the source or of a destination
   * differs → `TopicLost`; a key holds a foreign type → `WrongType`. A commit without outputs and puts is never refused
   * for lack of room.
   */
  commit(commit: Commit): TaskEither<CommitError, "applied" | "alreadyApplied">;

  /** How far tasks are, in their order, without owning them; a task that never was acquired is at `BEFORE_FIRST`, without a commit. */
  positions(tasks: readonly TaskRef[]): TaskEither<WrongType | Refused | Unavailable, readonly TaskPosition[]>;
}
