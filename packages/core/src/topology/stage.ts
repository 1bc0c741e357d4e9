/**
 * How an operator runs: a push stage between the one before it and the one behind it. The same stage serves in a task and
 * on an ordinary Observable.
 */
import type { MillraceError } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { NewRecord } from "../ports/log.ts";
import type { DuePage, DueRange } from "../ports/state-store.ts";
import type { StateDelta } from "../ports/tasks.ts";
import type { Any } from "./any.ts";
import type { Failures } from "./failure.ts";
import { type CurrentRecord, NO_RECORD } from "./record.ts";
import type { Topic } from "./topic.ts";

/** One operator at work. Every call is synchronous; values and watermarks come in order. */
export interface Stage<A> {
  /** A value; {@link scope} holds its record and its unit. */
  next(value: A): void;
  /** Event time has reached `timeMs`: passed on only after everything before it. */
  watermark(timeMs: number): void;
  /** The source has completed (never in a task). */
  complete(): void;
  /** The instance is given up: abort what runs, forget what is held, emit nothing more. */
  stop(): void;
}

/**
 * Records that are acknowledged together. An operator that keeps a record beyond `next` retains its unit and releases it
 * when the result has left downstream; a unit commits when nobody holds it any more.
 */
export interface Unit {
  /** Its place in the order of the task's units. */
  readonly index: number;
  retain(): void;
  release(): void;
  /** As {@link retain}, for what only a later record can set free: waiting for it is in vain when reading has ended. */
  park(): void;
  /** The reverse of {@link park}. */
  unpark(): void;
  /** Adds a record to what the unit's commit writes: in the partition of its key, or in a given one. */
  output(to: Topic<Any>, record: NewRecord, partition?: number): void;
  /**
   * `store` has changes that belong to this unit. Each store is collected once, when the unit ends or when a later unit
   * reaches the operator: a unit's delta is the state after that unit.
   */
  touch(store: DirtyStore): void;
  /** What `store` has to write grew by one entry of about so many bytes: a commit has its limits. */
  wrote(bytes: number): void;
  /** A value that takes about so many bytes waits inside an operator: reading has to slow down. */
  waits(bytes: number): void;
  /** No commit may end between this unit and `later`. */
  joinWith(later: Unit): void;
}

/** Uncommitted changes of a store. */
export interface DirtyStore {
  /** Hands over what changed since the last call. */
  collect(): CollectedDelta;
}

/** Changes that wait for their commit. */
export interface CollectedDelta extends StateDelta {
  /** They are committed. */
  readonly applied?: () => void;
}

/** What can be read of a store. All of it is committed. */
export interface StoreReader {
  /** The values of keys, in their order. Rejects with `MillraceError` when it never can. */
  get(keys: readonly string[]): Promise<readonly (string | null)[]>;
  /** The entries whose time has come. Rejects with `MillraceError` when it never can. */
  due(range: DueRange): Promise<DuePage>;
}

/** What an operator can read of its store, besides what it writes. */
export interface StoreSource extends StoreReader {
  /** The store's name, for what is written. */
  readonly name: string;
  /** What it held at the last commit, or a part of that. */
  readonly entries: Iterable<readonly [key: string, value: string]>;
  /** Whether `entries` is all there is. */
  readonly isWhole: boolean;
  /** Whether any entry has a due time. */
  readonly hasDue: boolean;
  /** About how many bytes of the store the worker should hold in memory. */
  readonly maxBytes: number;
}

/** What runs at this moment: set before each push, and restored by operators that emit later. */
export interface Scope {
  record: CurrentRecord;
  unit: Unit;
  /** Whether a task pushes; `false` on an ordinary Observable. */
  inTask: boolean;
}

/** Outside of tasks nothing is acknowledged. */
export const NO_UNIT: Unit = {
  index: 0,
  retain: () => {},
  release: () => {},
  park: () => {},
  unpark: () => {},
  output: () => {},
  touch: () => {},
  wrote: () => {},
  waits: () => {},
  joinWith: () => {},
};

/** The one scope: JavaScript runs one push at a time. */
export const scope: Scope = { record: NO_RECORD, unit: NO_UNIT, inTask: false };

/** Runs `push` with a scope of its own and restores the one before, also when it throws. */
export function within(record: CurrentRecord, unit: Unit, push: () => void): void {
  const { record: recordBefore, unit: unitBefore } = scope;
  scope.record = record;
  scope.unit = unit;
  try {
    push();
  } finally {
    scope.record = recordBefore;
    scope.unit = unitBefore;
  }
}

/**
 * A stage that begins work on records some time after they were pushed. A task that is to go elsewhere finishes what was
 * begun, and leaves the rest to the next owner.
 */
export interface Queue {
  /** Index of the last unit on which work has begun; -1: none. */
  lastBegun(): number;
  /** Begins nothing in units behind this one any more, and parks them. Called once. */
  dropBehind(index: number): void;
  /** Resolves when no call of the user's code is under way, also of a stage that was stopped. */
  ended(): Promise<void>;
}

/** What an operator's stage may ask of its surroundings. */
export interface StageEnv {
  /** The operator, as messages name it. */
  readonly node: string;
  readonly clock: Clock;
  /** Wraps what a user's function threw. */
  failure(cause: unknown, record: CurrentRecord): MillraceError;
  /** What becomes of values for which the operator fails; `null`: the task fails. */
  readonly failures: Failures | null;
  /** Ends the instance because of a failure outside of a push; inside of one, throw instead. */
  fail(error: unknown): void;
  /** Asks for another watermark in a unit of its own: there is more to emit than one commit should carry. */
  again(): void;
  /** Whether the task has committed records before, and its input had not ended then. */
  readonly resumes: boolean;
  /** The operator's store; `null` on an ordinary Observable, where state lives in memory. */
  readonly store: StoreSource | null;
  /** A second store beside it, of results that are to be emitted at a time of the clock; `null` where there is none. */
  readonly updates: StoreSource | null;
  /** Where values go that came too late; `null`: nowhere. */
  readonly side: Stage<Any> | null;
  /** What tells this operator in this task from every other one, in every run: begins the idempotency keys of its calls. */
  readonly identity: string;
  /** The stage is one that waits before it begins. */
  queues(queue: Queue): void;
  /** A handler's call is repeated: its number `attempt`, in `pauseMs`. */
  retried(record: CurrentRecord, attempt: number, pauseMs: number): void;
  /** Counts a record that came too late for so many of its windows. */
  late(record: CurrentRecord, windows: number): void;
  /** Which topic and partition this instance reads. */
  readonly task: { readonly topic: string; readonly partition: number };
  /** Whether this instance runs in a task; `false` on an ordinary Observable. */
  readonly inTask: boolean;
}

/** Makes the stage of an operator in front of `down`. */
export type StageFactory<A, B> = (down: Stage<B>, env: StageEnv) => Stage<A>;
