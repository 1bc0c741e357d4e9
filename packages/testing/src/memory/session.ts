import { portError, type Unavailable } from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";

/** One `open()` of the adapter: what ends when its ports are closed. */
export class Session {
  readonly #onClose = new Set<() => void>();
  #closed = false;

  get closed(): boolean {
    return this.#closed;
  }

  /** A call of a port: `Unavailable` once the session is closed. */
  call<Err, A>(body: () => E.Either<Err, A> | Promise<E.Either<Err, A>>): TaskEither<Err | Unavailable, A> {
    return async () => (this.#closed ? E.left(sessionClosed()) : body());
  }

  /** Calls back once, when the session is closed. */
  onClose(callback: () => void): void {
    this.#onClose.add(callback);
  }

  offClose(callback: () => void): void {
    this.#onClose.delete(callback);
  }

  close(): void {
    this.#closed = true;
    for (const callback of this.#onClose) {
      callback();
    }
    this.#onClose.clear();
  }
}

/** What every call of a closed session ends with. */
export function sessionClosed(): Unavailable {
  return portError("Unavailable", "these ports of the memory adapter were closed; open the adapter again");
}
