import type { DuePage, DueRange, StatePage, StateStore, TaskRef, Unavailable } from "@millrace/core";
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

  get(task: TaskRef, store: string, keys: readonly string[]): TaskEither<Unavailable, readonly (string | null)[]> {
    return this.#session.call(() => {
      const buckets = this.#store.task(task)?.stores.get(store);
      return E.right(keys.map((key) => buckets?.get(key) ?? null));
    });
  }

  due(task: TaskRef, store: string, range: DueRange): TaskEither<Unavailable, DuePage> {
    return this.#session.call(() => {
      checkRange(range);
      const buckets = this.#store.task(task)?.stores.get(store);
      return E.right(buckets?.due(range) ?? { entries: [], nextMs: null });
    });
  }

  drop(task: TaskRef, store: string): TaskEither<Unavailable, void> {
    return this.#session.call(() => {
      this.#store.task(task)?.stores.delete(store);
      return E.right(undefined);
    });
  }
}

function checkRange({ fromMs, untilMs, limit }: DueRange): void {
  if (Number.isNaN(fromMs) || Number.isNaN(untilMs)) {
    throw new RangeError(`A range of due times must be two numbers (ms since the epoch), not ${fromMs} and ${untilMs}`);
  }
  if (!Number.isSafeInteger(limit) || limit < 1) {
    throw new RangeError(`The limit of a page must be a whole number from 1, not ${limit}`);
  }
}
