import type { RecordInfo } from "../topology/record.ts";

/** What a handler is told beside the value and its record. */
export interface Call {
  /** Aborts when the task is given up, and when the call has taken longer than its `timeout`. */
  readonly signal: AbortSignal;
  /** 1 for the first call of a value, one more for each repetition. */
  readonly attempt: number;
  /**
   * Text that is the same in every call for this value, also after a crash, and different for every other operator, record
   * and value: give it to external systems, so that they do a thing once.
   */
  readonly idempotencyKey: string;
}

export type Handler<A, B> = (value: A, record: RecordInfo, call: Call) => PromiseLike<B>;

/** What a call is made for. */
interface Called {
  readonly attempt: number;
  readonly record: { readonly id: string; readonly path: string };
}

/** The key is made when it is asked for. */
export class HandlerCall implements Call {
  readonly signal: AbortSignal;
  readonly attempt: number;
  readonly #slot: Called;
  readonly #identity: string;

  constructor(slot: Called, signal: AbortSignal, identity: string) {
    this.signal = signal;
    this.attempt = slot.attempt;
    this.#slot = slot;
    this.#identity = identity;
  }

  get idempotencyKey(): string {
    const { id, path } = this.#slot.record;
    return `${this.#identity}/${id}${path}`;
  }
}
