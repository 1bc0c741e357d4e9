import type { MillraceError } from "../errors.ts";

/** What a running app reports, as it happens. Nothing here holds a record's value. */
export type AppEvent =
  /** The worker is a member of the group. It may join again after {@link SessionLost}. */
  | { readonly _tag: "Joined"; readonly group: string; readonly member: string; readonly epoch: number }
  /** A new target is known: these tasks come to this worker and go from it; nothing happens to those that it keeps. */
  | {
      readonly _tag: "RebalanceStarted";
      readonly group: string;
      readonly generation: number;
      readonly gained: readonly string[];
      readonly given: readonly string[];
      readonly kept: number;
    }
  /** The target gives this worker no task: there are more workers than tasks, or the others run what it cannot. It waits. */
  | { readonly _tag: "Idle"; readonly group: string }
  /** Tasks that are to come are still with `member`, at the latest for `forMs` unless it gives a sign of life. */
  | {
      readonly _tag: "Waiting";
      readonly group: string;
      readonly member: string;
      readonly tasks: number;
      readonly forMs: number;
    }
  /**
   * A task runs on this worker from now on. `pausedMs`: for how long nobody has read it, since the worker before said so;
   * `null` where that is unknown or there was none.
   */
  | {
      readonly _tag: "Assigned";
      readonly task: string;
      readonly generation: number;
      readonly pausedMs: number | null;
    }
  /** A task was given back, for another worker to take. */
  | { readonly _tag: "Revoked"; readonly task: string }
  /** A task was dropped; what was not committed is processed again by whoever has it next. */
  | { readonly _tag: "Lost"; readonly task: string; readonly reason: string }
  /** Somebody else owns the task: what this worker wanted to commit was refused, and nothing of it was written. */
  | { readonly _tag: "Fenced"; readonly task: string; readonly message: string }
  /** All that was to come and to go has, with the pause of each task that came. */
  | {
      readonly _tag: "RebalanceFinished";
      readonly group: string;
      readonly generation: number;
      readonly gained: readonly { readonly task: string; readonly pausedMs: number | null }[];
      readonly given: number;
      readonly kept: number;
      readonly tookMs: number;
    }
  /** The others may have this worker's tasks: its session is over. It drops them and joins again. */
  | { readonly _tag: "SessionLost"; readonly group: string; readonly reason: string }
  /** A commit was applied: `records` were processed up to `offset`, `outputs` records written. */
  | {
      readonly _tag: "Committed";
      readonly task: string;
      readonly offset: string;
      readonly records: number;
      readonly outputs: number;
    }
  /** A handler has failed for a record, and is called again in `pauseMs`: call number `attempt`. */
  | {
      readonly _tag: "Retried";
      readonly task: string;
      readonly node: string;
      readonly id: string;
      readonly attempt: number;
      readonly pauseMs: number;
    }
  /** An operator has failed for a record, and the record was dropped, as its policy says. */
  | {
      readonly _tag: "Skipped";
      readonly task: string;
      readonly node: string;
      readonly id: string;
      readonly error: unknown;
    }
  /**
   * A record goes to the dead-letter topic, with the commit that it is part of: an operator has failed for it, or, where
   * `error` is `null`, its key is parked.
   */
  | {
      readonly _tag: "DeadLettered";
      readonly task: string;
      readonly node: string;
      readonly id: string;
      readonly letter: string;
      readonly isParked: boolean;
      readonly error: unknown;
    }
  /** A dead letter was redriven, and its operator has failed again: it stays a letter. */
  | { readonly _tag: "RedriveFailed"; readonly task: string; readonly letter: string; readonly error: unknown }
  /** Letters were redriven or discarded: so many are done with; the others stay, as `DeadLetters.redrive` says. */
  | {
      readonly _tag: "Redriven";
      readonly task: string;
      readonly action: "redrive" | "discard";
      readonly done: number;
      readonly remaining: number;
      readonly waiting: number;
    }
  /** Open letters of an operator that the pipeline no longer has: an operator of that name would get them back. */
  | { readonly _tag: "LettersOrphaned"; readonly task: string; readonly node: string; readonly open: number }
  /** The task has stopped in front of a record for which an operator fails, until `app.resume`. */
  | {
      readonly _tag: "Quarantined";
      readonly task: string;
      readonly message: string;
      /** What the operator has thrown, and what had caused that, outermost first. May hold what the handler put into it. */
      readonly errors: readonly {
        readonly name: string;
        readonly message: string;
        readonly code: string | null;
      }[];
    }
  /** The task was quarantined, and goes on. */
  | { readonly _tag: "Resumed"; readonly task: string }
  /** The task has failed, and starts again in `pauseMs`: restart number `restart` without any progress between. */
  | {
      readonly _tag: "Restarting";
      readonly task: string;
      readonly error: MillraceError;
      readonly restart: number;
      readonly pauseMs: number;
    }
  /**
   * The event time of a record was further ahead of its append (by `aheadMs`) than the topic allows. `policy` says what was done
   * with it. Told again when the record is processed again.
   */
  | {
      readonly _tag: "AheadOfTime";
      readonly task: string;
      readonly id: string;
      readonly aheadMs: number;
      readonly policy: "clamp" | "reject" | "late";
    }
  /** A record came after windows that would have held it had closed: so many. It counts in those that were still open. */
  | {
      readonly _tag: "LateRecord";
      readonly task: string;
      readonly node: string;
      readonly id: string;
      readonly windows: number;
    }
  /** Records that the task had not processed are no longer in the log: deleted or trimmed by something else. */
  | { readonly _tag: "Gap"; readonly task: string; readonly lost: number }
  /** The store lost commits; the task goes on from what is left. */
  | { readonly _tag: "Regressed"; readonly task: string; readonly message: string }
  /** The store does not answer, or has no room. The task, or the group's membership, waits and tries again. */
  | { readonly _tag: "Stalled"; readonly task: string; readonly code: string; readonly message: string }
  /** The task has processed all there will ever be: its input was ended. */
  | { readonly _tag: "Completed"; readonly task: string }
  /** All tasks of the group are complete. */
  | { readonly _tag: "Finished"; readonly group: string }
  /** The task, or the group's membership, has stopped because of an error. */
  | { readonly _tag: "Failed"; readonly task: string; readonly error: MillraceError }
  /** The app has left the group. */
  | { readonly _tag: "Stopped"; readonly group: string };

/** Where events go. Must not throw. */
export type Telemetry = (event: AppEvent) => void;
