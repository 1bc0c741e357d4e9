/**
 * Waiting for room.
 *
 * An operation first decides, without writing anything, whether it has a result already or what it would write into
 * which partitions. Once each of these had room when it was the operation's turn, it decides again, since the world may
 * have changed, and writes at once.
 *
 * Invariants:
 *  1. In each partition, room goes to whoever came first.
 *  2. Nobody holds room while waiting for more of it. An operation that waits for several partitions leaves a line as
 *     soon as it was its turn there, so no circle of writers can wait for each other. The price: each such operation may
 *     push a partition past its limit once.
 */
import type { MemoryPartition, RoomWaiter } from "./memory-partition.ts";
import type { Session } from "./session.ts";

/** What an operation would do at this moment. */
export type Decision<R> =
  | { readonly done: R }
  | {
      /** The partitions that `write` adds records to. */
      readonly into: readonly MemoryPartition[];
      readonly write: () => R;
    };

/** An operation that may have to wait. */
export interface Operation<R> {
  /** Changes nothing. */
  readonly decide: () => Decision<R>;
  readonly signal: AbortSignal | undefined;
  readonly session: Session;
  /** The result when the signal aborts. */
  readonly gaveUp: () => R;
  /** The result when the session is closed. */
  readonly closed: () => R;
}

/** The operations of one store that wait for room. */
export class Admission {
  readonly #waiting = new Set<() => void>();

  /** Carries out an operation: at once where there is room, else in its turn. */
  run<R>(operation: Operation<R>): R | Promise<R> {
    const decision = operation.decide();
    if ("done" in decision) {
      return decision.done;
    }
    const full = decision.into.filter((partition) => !partition.hasRoom());
    return full.length === 0 ? decision.write() : this.#wait(operation, new Set(full));
  }

  /** Ends the waiting of operations that have a result by now, because of a new owner, a seal or a deleted topic. */
  recheck(): void {
    for (const recheck of this.#waiting) {
      recheck();
    }
  }

  #wait<R>(operation: Operation<R>, missing: Set<MemoryPartition>): R | Promise<R> {
    const { decide, signal, session } = operation;
    if (signal?.aborted) {
      return operation.gaveUp();
    }
    return new Promise((resolve) => {
      const leave = (): void => {
        this.#waiting.delete(recheck);
        signal?.removeEventListener("abort", abort);
        session.offClose(close);
        for (const partition of missing) {
          partition.leave(waiter);
        }
      };
      const waiter: RoomWaiter = {
        granted: (partition) => {
          missing.delete(partition);
          if (missing.size === 0) {
            leave();
            const decision = decide();
            resolve("done" in decision ? decision.done : decision.write());
          }
        },
      };
      const recheck = (): void => {
        const decision = decide();
        if ("done" in decision) {
          leave();
          resolve(decision.done);
        }
      };
      const abort = (): void => {
        leave();
        resolve(operation.gaveUp());
      };
      const close = (): void => {
        leave();
        resolve(operation.closed());
      };
      this.#waiting.add(recheck);
      signal?.addEventListener("abort", abort, { once: true });
      session.onClose(close);
      for (const partition of missing) {
        partition.enqueue(waiter);
      }
    });
  }
}
