import type { StatePage, StateStore, TaskRef, Unavailable } from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import type { MemoryStore } from "./memory-store.ts";
import type { Session } from "./session.ts";

/** The stores of tasks, in memory. */
export class MemoryStateStore implements StateStore {
  readonly #store: MemoryStore;
  readonly #session: Session;

  constructor(store: MemoryStore, session: Session) {
    this.#store = store;
    this.#session = session;
  }

  scan(task: TaskRef, store: string, cursor: string | null): TaskEither<Unavailable, StatePage> {
    return this.#session.call(() => {
      const buckets = this.#store.task(task)?.stores.get(store);
      return E.right(buckets?.scan(cursor) ?? { entries: [], cursor: null });
    });
  }
}
