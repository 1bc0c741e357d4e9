import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import type { Refused, Unavailable, WrongType } from "./port-error.ts";
import type { TaskRef } from "./tasks.ts";

/** Part of a store's content. */
export interface StatePage {
  readonly entries: readonly (readonly [key: string, value: string])[];
  /** Pass it on for the next page; `null` after the last one. */
  readonly cursor: string | null;
}

/** The stores of tasks: string keys to string values, written by commits only. */
export interface StateStore {
  /**
   * Reads a store page by page, in no particular order; a key may come twice with the same value. Sees every commit
   * whose result was returned before the call. Begin with `cursor: null`.
   */
  scan(task: TaskRef, store: string, cursor: string | null): TaskEither<WrongType | Refused | Unavailable, StatePage>;
}
