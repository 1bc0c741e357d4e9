import type { Group, Membership, Unavailable } from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import type { MemoryStore } from "./memory-store.ts";
import type { Session } from "./session.ts";

/** Consumer groups in memory. */
export class MemoryGroup implements Group {
  readonly #store: MemoryStore;
  readonly #session: Session;

  constructor(store: MemoryStore, session: Session) {
    this.#store = store;
    this.#session = session;
  }

  join(group: string): TaskEither<Unavailable, Membership> {
    return this.#session.call(() => {
      const generation = (this.#store.generations.get(group) ?? 0) + 1;
      this.#store.generations.set(group, generation);
      return E.right({ generation });
    });
  }
}
