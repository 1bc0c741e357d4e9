/**
 * Appends the values of a program to a topic, in order for each key, each exactly once.
 *
 * One batch for each partition is under way at a time; a call that is repeated carries the same sequence numbers, so a lost
 * reply never appends twice.
 */

import { randomUUID } from "node:crypto";
import * as E from "fp-ts/lib/Either.js";
import { MillraceError } from "../errors.ts";
import { partitionOf } from "../kernel/partitioner.ts";
import type { Ports } from "../ports/adapter.ts";
import type { Clock } from "../ports/clock.ts";
import type { NewRecord, TopicInfo } from "../ports/log.ts";
import { type PortError, portError } from "../ports/port-error.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import { checkName, encodeRecord, type Topic } from "../topology/topic.ts";
import { retrying } from "./retrying.ts";

/** The most records of one append. */
const BATCH_RECORDS = 500;
/** The most characters of one append; a single larger record goes alone. */
const BATCH_CHARS = 524_288;
/** What may wait in a producer before `send` waits itself. */
const MAX_WAITING = { records: 10_000, chars: 8_388_608 };

/** How a producer is known to the log. */
export interface ProducerOptions {
  /**
   * A stable id makes a program that sends its whole input again, in the same order, append only what is missing: the log
   * remembers how far each id has come. One running producer for each id. Default: a random id, which protects the calls
   * of this producer only.
   */
  readonly id?: string;
  /** Gives up what waits for the store: calls then reject, and what was not stored yet is not. */
  readonly signal?: AbortSignal;
}

/** Appends values to one topic. */
export interface Producer<A> extends AsyncDisposable {
  /**
   * Appends a value. Resolves when it is stored; rejects with `EncodeError` for a value that the topic cannot hold, before
   * any I/O, with `TopicSealed` after {@link end}, or when the store refuses for good. Waits while the store does not
   * answer or has no room. Values of one key are stored in the order of the calls.
   */
  send(value: A): Promise<void>;
  /**
   * Appends values as fast as the store takes them, holding a bounded number in memory. Resolves with their number when
   * all are stored (those included that a producer of this id had stored before). Stops at the first value that the
   * topic cannot hold: what came before it is stored.
   */
  sendAll(values: Iterable<A> | AsyncIterable<A>): Promise<number>;
  /**
   * Ends the topic's input for good: waits until everything sent is stored, then seals the topic. Readers learn that no
   * record will follow, and close their last windows. Later sends, by any producer, fail with `TopicSealed`.
   */
  end(): Promise<void>;
  /** Waits until everything sent is stored, and frees the producer. */
  close(): Promise<void>;
}

interface Lane {
  readonly partition: number;
  /** Sequence of the first waiting record. */
  nextSequence: number;
  /** Records of the input that the log has had from this id since before. */
  alreadyStored: number;
  waiting: { readonly record: NewRecord; readonly resolve: () => void; readonly reject: (error: Error) => void }[];
  isSending: boolean;
}

/** What a producer needs. */
export interface ProducerDeps {
  readonly ports: Ports;
  readonly clock: Clock;
  readonly info: TopicInfo;
  readonly emit: Telemetry;
}

/** Opens a producer. Rejects with `MillraceError`. */
export async function openProducer<A>(
  topic: Topic<A>,
  deps: ProducerDeps,
  options: ProducerOptions,
): Promise<Producer<A>> {
  if (options.id !== undefined) {
    checkName("producer", options.id);
  }
  const id = options.id ?? randomUUID();
  const stored = await deps.ports.log.nextSequences(deps.info, id)();
  if (E.isLeft(stored)) {
    throw new MillraceError(stored.left);
  }
  const as = { id, ephemeral: options.id === undefined, stored: stored.right };
  return new LogProducer(topic, deps, as, options.signal);
}

class LogProducer<A> implements Producer<A> {
  private readonly topic: Topic<A>;
  private readonly deps: ProducerDeps;
  private readonly as: { readonly id: string; readonly ephemeral: boolean };
  private readonly lanes: readonly Lane[];
  private readonly closed = new AbortController();
  private readonly given: AbortSignal;
  private waitingRecords = 0;
  private waitingChars = 0;
  private nextPartition = 0;
  private failure: MillraceError | null = null;
  private wake: (() => void)[] = [];

  constructor(
    topic: Topic<A>,
    deps: ProducerDeps,
    as: { readonly id: string; readonly ephemeral: boolean; readonly stored: readonly number[] },
    signal: AbortSignal | undefined,
  ) {
    this.given = signal === undefined ? this.closed.signal : AbortSignal.any([this.closed.signal, signal]);
    signal?.addEventListener("abort", () =>
      this.fail(new MillraceError("Closed", `sending to topic "${topic.name}" was given up`)),
    );
    this.topic = topic;
    this.deps = deps;
    this.as = as;
    this.lanes = as.stored.map((alreadyStored, partition) => ({
      partition,
      nextSequence: 0,
      alreadyStored,
      waiting: [],
      isSending: false,
    }));
  }

  async send(value: A): Promise<void> {
    const record = this.encode(value);
    await this.room();
    await this.enqueue(record);
  }

  async sendAll(values: Iterable<A> | AsyncIterable<A>): Promise<number> {
    let count = 0;
    const watch = (promise: Promise<void>): void => {
      // The failure is kept and thrown below; each single promise must not count as unhandled.
      promise.catch(() => {});
    };
    try {
      for await (const value of values) {
        const record = this.encode(value);
        if (!this.hasRoom) {
          await this.room();
        }
        if (this.failure !== null) {
          break;
        }
        watch(this.enqueue(record));
        count += 1;
      }
    } finally {
      await this.flush();
    }
    if (this.failure !== null) {
      throw this.failure;
    }
    return count;
  }

  async end(): Promise<void> {
    await this.flush();
    if (this.failure !== null) {
      throw this.failure;
    }
    await this.persistently(() => this.deps.ports.log.seal(this.deps.info)());
  }

  async close(): Promise<void> {
    await this.flush();
    this.closed.abort();
    this.failure ??= new MillraceError("Closed", `the producer of topic "${this.topic.name}" is closed`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  private encode(value: A): NewRecord {
    return encodeRecord(this.topic, value, {
      timestampMs: this.deps.clock.now(),
      headers: {},
      watermarkMs: null,
    });
  }

  private get hasRoom(): boolean {
    return this.waitingRecords < MAX_WAITING.records && this.waitingChars < MAX_WAITING.chars;
  }

  private async room(): Promise<void> {
    while (!this.hasRoom && this.failure === null) {
      await this.change();
    }
  }

  private async flush(): Promise<void> {
    while (this.waitingRecords > 0 && this.failure === null) {
      await this.change();
    }
  }

  private change(): Promise<void> {
    return new Promise((resolve) => this.wake.push(resolve));
  }

  private changed(): void {
    const waiting = this.wake;
    this.wake = [];
    for (const resume of waiting) {
      resume();
    }
  }

  private enqueue(record: NewRecord): Promise<void> {
    if (this.failure !== null) {
      return Promise.reject(this.failure);
    }
    const lane = this.laneOf(record);
    if (lane.alreadyStored > 0) {
      lane.alreadyStored -= 1;
      lane.nextSequence += 1;
      return Promise.resolve();
    }
    this.waitingRecords += 1;
    this.waitingChars += record.payload.length;
    return new Promise((resolve, reject) => {
      lane.waiting.push({ record, resolve, reject });
      if (!lane.isSending) {
        lane.isSending = true;
        // What is sent in the same turn goes together.
        setImmediate(() => void this.sendLane(lane));
      }
    });
  }

  private laneOf(record: NewRecord): Lane {
    const { partitions } = this.deps.info;
    let partition: number;
    if (this.topic.key === null) {
      partition = this.nextPartition;
      this.nextPartition = (partition + 1) % partitions;
    } else {
      partition = partitionOf(record.key, partitions);
    }
    const lane = this.lanes[partition];
    if (lane === undefined) {
      throw new MillraceError(portError("TopicLost", `topic "${this.topic.name}" has no partition ${partition}`));
    }
    return lane;
  }

  private async sendLane(lane: Lane): Promise<void> {
    const { ports, info } = this.deps;
    while (lane.waiting.length > 0 && this.failure === null) {
      const batch = lane.waiting.splice(0, batchLength(lane.waiting));
      const records = batch.map(({ record }) => record);
      const { id: producer, ephemeral } = this.as;
      const { partition, nextSequence: firstSequence } = lane;
      const { given: signal } = this;
      const request = { topic: info, partition, producer, ephemeral, firstSequence, records, signal };
      try {
        await this.persistently(() => ports.log.append(request)());
      } catch (error) {
        lane.waiting.unshift(...batch);
        this.fail(
          error instanceof MillraceError
            ? error
            : new MillraceError("Closed", `sending to topic "${this.topic.name}" failed (see cause)`, error),
        );
        return;
      }
      lane.nextSequence += batch.length;
      this.waitingRecords -= batch.length;
      for (const { record, resolve } of batch) {
        this.waitingChars -= record.payload.length;
        resolve();
      }
      this.changed();
    }
    lane.isSending = false;
  }

  /** After a failure nothing behind it may be stored: order would break. */
  private fail(error: MillraceError): void {
    this.failure ??= error;
    for (const lane of this.lanes) {
      for (const { reject } of lane.waiting) {
        reject(this.failure);
      }
      lane.waiting = [];
    }
    this.waitingRecords = 0;
    this.waitingChars = 0;
    this.changed();
  }

  private async persistently<B>(call: () => Promise<E.Either<PortError, B>>): Promise<B> {
    const { clock, emit } = this.deps;
    const result = await retrying(call, {
      clock,
      signal: this.given,
      stalled: ({ code, message }) => emit({ _tag: "Stalled", task: `producer of ${this.topic.name}`, code, message }),
    });
    if (E.isLeft(result)) {
      throw new MillraceError(result.left);
    }
    return result.right;
  }
}

function batchLength(waiting: Lane["waiting"]): number {
  let chars = 0;
  let count = 0;
  for (const { record } of waiting) {
    chars += record.payload.length;
    if (count === BATCH_RECORDS || (count > 0 && chars > BATCH_CHARS)) {
      break;
    }
    count += 1;
  }
  return count;
}
