import type { Offset, ReadBatch, ReadBudget, ReadError, Reader, TopicInfo } from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import type { MemoryPartition, ReaderHold } from "./memory-partition.ts";
import type { MemoryStore } from "./memory-store.ts";
import { type Session, sessionClosed } from "./session.ts";

/** How long a read waits for a first record. */
const WAIT_MS = 1000;

/** A position in one partition; until it is closed, what lies behind it is kept. */
export class MemoryReader implements Reader, ReaderHold {
  readonly #store: MemoryStore;
  readonly #session: Session;
  readonly #topic: TopicInfo;
  readonly #number: number;
  readonly #partition: MemoryPartition | null;
  readonly #onSessionClose = (): void => {
    this.#leave();
  };
  #position = 0;
  #closed = false;
  #wake: (() => void) | null = null;

  constructor(
    store: MemoryStore,
    session: Session,
    start: { readonly topic: TopicInfo; readonly partition: number; readonly after: Offset },
  ) {
    this.#store = store;
    this.#session = session;
    this.#topic = start.topic;
    this.#number = start.partition;
    const found = store.partition(start.topic, start.partition);
    this.#partition = E.isRight(found) && !session.closed ? found.right : null;
    if (this.#partition !== null) {
      this.#position = this.#partition.positionAfter(start.after);
      this.#partition.addReader(this);
      session.onClose(this.#onSessionClose);
    }
  }

  get position(): number {
    return this.#position;
  }

  async next(budget: ReadBudget): Promise<E.Either<ReadError, ReadBatch>> {
    let batch = this.#take(budget);
    if (E.isRight(batch) && batch.right.records.length === 0 && !this.#closed) {
      await this.#arrival();
      batch = this.#take(budget);
    }
    await this.#store.pace.spend(E.isRight(batch) ? batch.right.records.length : 0);
    return batch;
  }

  close(): void {
    this.#closed = true;
    this.#session.offClose(this.#onSessionClose);
    this.#leave();
  }

  /** Ends the wait of a read, if there is one. */
  wake(): void {
    this.#wake?.();
  }

  #leave(): void {
    this.#partition?.removeReader(this);
    this.wake();
  }

  /** What a read would return now, without waiting. */
  #take(budget: ReadBudget): E.Either<ReadError, ReadBatch> {
    if (this.#closed) {
      return E.right({ records: [], atEnd: false });
    }
    if (this.#session.closed) {
      return E.left(sessionClosed());
    }
    const found = this.#store.partition(this.#topic, this.#number);
    if (E.isLeft(found)) {
      return found;
    }
    const batch = found.right.read(this.#position, budget);
    if (batch.records.length > 0) {
      this.#position += batch.records.length;
      found.right.grantRoom();
    }
    return E.right(batch);
  }

  #arrival(): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#wake = null;
        cancel();
        resolve();
      };
      const cancel = this.#store.clock.after(WAIT_MS, done);
      this.#wake = done;
    });
  }
}
