import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import type { Refused, Unavailable, WrongType } from "./port-error.ts";
import type { TaskRef } from "./tasks.ts";

/** Part of a store's content. */
export interface StatePage {
  readonly entries: readonly (readonly [key: string, value: string])[];
  /** Pass it on for the next page; `null` after the last one. */
  readonly cursor: string | null;
}

/** Which entries of a store are asked for: those with a due time from `fromMs` to `untilMs`, both included. */
export interface DueRange {
  /** May be -Infinity. */
  readonly fromMs: number;
  /** May be Infinity. */
  readonly untilMs: number;
  /** At most so many entries, >= 1. */
  readonly limit: number;
}

/** Entries whose time has come. */
export interface DuePage {
  /** By due time, then by the bytes of the key in UTF-8. */
  readonly entries: readonly (readonly [key: string, value: string, dueMs: number])[];
  /** The least due time (ms) at or behind `fromMs` of an entry that is not on the page; `null`: there is none. */
  readonly nextMs: number | null;
}

type ReadError = WrongType | Refused | Unavailable;

/**
 * The stores of tasks: string keys to string values, written by commits only. An entry may have a due time, by which it can
 * be found. Every read sees each commit whose result was returned before the call, and never a part of a commit.
 */
export interface StateStore {
  /** Reads a store page by page, in no particular order; a key may come twice with the same value. Begin with `cursor: null`. */
  scan(task: TaskRef, store: string, cursor: string | null): TaskEither<ReadError, StatePage>;

  /** The values of keys, in their order; `null` for a key that is not there. No keys: no I/O. */
  get(task: TaskRef, store: string, keys: readonly string[]): TaskEither<ReadError, readonly (string | null)[]>;

  /** The entries with the least due times in a range. Entries without a due time are never among them. */
  due(task: TaskRef, store: string, range: DueRange): TaskEither<ReadError, DuePage>;

  /** Deletes a store as a whole, in time that does not depend on its size. Only for stores that no task writes any more. */
  drop(task: TaskRef, store: string): TaskEither<ReadError, void>;
}
