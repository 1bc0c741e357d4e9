import { kindOf } from "../codec/schema.ts";
import { MillraceError } from "../errors.ts";
import type { CurrentRecord, RecordInfo } from "../topology/record.ts";

/** What the function of an external sink is told beside the values. */
export interface SinkCall {
  /** Aborts when the task is given up, and when the call has taken longer than its `timeout`. */
  readonly signal: AbortSignal;
  /** 1 for the first call with these values, one more for each repetition. */
  readonly attempt: number;
  /** The records beneath the values, in their order: at least one. */
  readonly records: readonly [RecordInfo, ...RecordInfo[]];
  /**
   * For each value, text that is the same in every call, also after a crash and in a batch with other values, and different
   * for every other operator, record and value: give it to external systems, so that they do a thing once. Unless
   * `idempotencyKey` says otherwise.
   */
  readonly idempotencyKeys: readonly string[];
}

/** A value and the record beneath it. */
interface Written<A> {
  readonly value: A;
  readonly record: CurrentRecord;
}

/** How a call is made. */
interface Making<A> {
  readonly signal: AbortSignal;
  readonly attempt: number;
  readonly keyOf: (value: A, record: CurrentRecord) => string;
}

/** A call with a batch. The keys are made when they are asked for. */
export class BatchCall<A> implements SinkCall {
  readonly signal: AbortSignal;
  readonly attempt: number;
  readonly records: SinkCall["records"];
  readonly #batch: readonly Written<A>[];
  readonly #keyOf: Making<A>["keyOf"];

  constructor(batch: readonly [Written<A>, ...Written<A>[]], { signal, attempt, keyOf }: Making<A>) {
    const [first, ...others] = batch;
    this.signal = signal;
    this.attempt = attempt;
    this.records = [first.record, ...others.map(({ record }) => record)];
    this.#batch = batch;
    this.#keyOf = keyOf;
  }

  get idempotencyKeys(): readonly string[] {
    return this.#batch.map(({ value, record }) => {
      const key: unknown = this.#keyOf(value, record);
      if (typeof key !== "string") {
        throw new MillraceError("InvalidOperator", `sink: idempotencyKey must return a string, not ${kindOf(key)}`);
      }
      return key;
    });
  }
}
