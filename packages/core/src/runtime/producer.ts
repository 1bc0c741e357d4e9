/**
 * Appends the values of a program to a topic, in order for each key, each exactly once.
 *
 * One batch for each partition is under way at a time; a call that is repeated carries the same sequence numbers, so a lost
 * reply never appends twice.
 */

import { randomUUID } from "node:crypto";
import { setMaxListeners } from "node:events";
import * as E from "fp-ts/lib/Either.js";
import { MillraceError } from "../errors.ts";
import { Fifo } from "../kernel/fifo.ts";
import { partitionOf } from "../kernel/partitioner.ts";
import type { Ports } from "../ports/adapter.ts";
import type { Clock } from "../ports/clock.ts";
import type { NewRecord, TopicInfo } from "../ports/log.ts";
import { type PortError, portError } from "../ports/port-error.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import { checkName, encodeRecord, type Topic } from "../topology/topic.ts";
import { type Pending, ProducerLane } from "./producer-lane.ts";
import { retrying } from "./retrying.ts";

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
   * record will follow, and close their last windows. Later sends, by any producer, fail with `TopicSealed`. Rejects with
   * `SequenceGap`, and seals nothing, where the store has lost records that it had acknowledged to this producer: open it again
   * under its id, and send the input again.
   */
  end(): Promise<void>;
  /** Waits until everything sent is stored, and frees the producer. */
  close(): Promise<void>;
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

const ignore = (): void => {};

/** A record that waits for room, and who waits for it. */
interface Offered extends Pending {
  readonly accepted: () => void;
}

class LogProducer<A> implements Producer<A> {
  private readonly topic: Topic<A>;
  private readonly deps: ProducerDeps;
  private readonly as: { readonly id: string; readonly ephemeral: boolean };
  private readonly lanes: readonly ProducerLane[];
  private readonly closed = new AbortController();
  private readonly given: AbortSignal;
  /** What is in the lanes. */
  private records = 0;
  private chars = 0;
  /** What waits for room, in the order of the calls. */
  private readonly offered = new Fifo<Offered>();
  private nextPartition = 0;
  private failure: MillraceError | null = null;
  private whenEmpty: (() => void)[] = [];
  /** An app may outlive many producers. */
  private readonly forget: () => void;

  constructor(
    topic: Topic<A>,
    deps: ProducerDeps,
    as: { readonly id: string; readonly ephemeral: boolean; readonly stored: readonly number[] },
    signal: AbortSignal | undefined,
  ) {
    this.given = signal === undefined ? this.closed.signal : AbortSignal.any([this.closed.signal, signal]);
    // Every partition may wait at once.
    setMaxListeners(0, this.given);
    this.topic = topic;
    this.deps = deps;
    this.as = as;
    const calls = {
      append: (partition: number, firstSequence: number, records: readonly NewRecord[]) =>
        this.append(partition, firstSequence, records),
      stored: (batch: readonly Pending[]) => this.onStored(batch),
      failed: (error: unknown) => this.fail(error),
    };
    this.lanes = as.stored.map((alreadyStored, partition) => new ProducerLane({ partition, alreadyStored }, calls));
    const giveUp = (): void => this.fail(new MillraceError("Closed", `sending to topic "${topic.name}" was given up`));
    if (signal?.aborted === true) {
      giveUp();
    }
    signal?.addEventListener("abort", giveUp, { once: true });
    this.forget = () => signal?.removeEventListener("abort", giveUp);
  }

  async send(value: A): Promise<void> {
    const record = this.encode(value);
    await new Promise<void>((resolve, reject) => void this.offer({ record, resolve, reject }));
  }

  async sendAll(values: Iterable<A> | AsyncIterable<A>): Promise<number> {
    let count = 0;
    const offer = (value: A): Promise<void> | null => {
      count += 1;
      // Nobody waits for a single record here: a failure is kept and thrown below.
      return this.offer({ record: this.encode(value), resolve: ignore, reject: ignore });
    };
    try {
      await (isAsync(values) ? this.eachAsync(values, offer) : this.each(values, offer));
    } finally {
      await this.flush();
    }
    this.throwFailure();
    return count;
  }

  async end(): Promise<void> {
    await this.flush();
    this.throwFailure();
    const all = { producer: this.as.id, sequences: this.lanes.map((lane) => lane.sequence) };
    await this.persistently(() => this.deps.ports.log.seal(this.deps.info, all)());
  }

  async close(): Promise<void> {
    await this.flush();
    this.failure ??= new MillraceError("Closed", `the producer of topic "${this.topic.name}" is closed`);
    this.closed.abort();
    this.forget();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  private async eachAsync(values: AsyncIterable<A>, offer: (value: A) => Promise<void> | null): Promise<void> {
    for await (const value of values) {
      await offer(value);
      if (this.failure !== null) {
        return;
      }
    }
  }

  /** Waits only where there is no room: to await each value would cost as much as a record. */
  private async each(values: Iterable<A>, offer: (value: A) => Promise<void> | null): Promise<void> {
    for (const value of values) {
      const accepted = offer(value);
      if (accepted !== null) {
        await accepted;
      }
      if (this.failure !== null) {
        return;
      }
    }
  }

  private encode(value: A): NewRecord {
    const timestampMs = this.deps.clock.now();
    return encodeRecord(this.topic, value, { timestampMs, headers: {}, watermarkMs: null });
  }

  /** Takes a record in the order of the calls: at once (`null`), or when the promise resolves, because there is room. */
  private offer(pending: Pending): Promise<void> | null {
    if (this.failure !== null) {
      pending.reject(this.failure);
      return null;
    }
    if (this.offered.size === 0 && this.hasRoom) {
      this.enqueue(pending);
      return null;
    }
    return new Promise((accepted) => this.offered.push({ ...pending, accepted }));
  }

  private get hasRoom(): boolean {
    return this.records < MAX_WAITING.records && this.chars < MAX_WAITING.chars;
  }

  private enqueue(pending: Pending): void {
    const lane = this.laneOf(pending.record);
    if (lane.skipsNext()) {
      pending.resolve();
      return;
    }
    this.records += 1;
    this.chars += pending.record.payload.length;
    lane.push(pending);
  }

  private laneOf(record: NewRecord): ProducerLane {
    const { partitions } = this.deps.info;
    let partition = this.nextPartition;
    if (this.topic.key === null) {
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

  private onStored(batch: readonly Pending[]): void {
    this.records -= batch.length;
    for (const { record, resolve } of batch) {
      this.chars -= record.payload.length;
      resolve();
    }
    let next = this.offered.peek();
    while (next !== undefined && this.hasRoom) {
      this.offered.shift();
      this.enqueue(next);
      next.accepted();
      next = this.offered.peek();
    }
    this.wakeWhenEmpty();
  }

  /** Waits until nothing is on its way any more. */
  private async flush(): Promise<void> {
    while (this.failure === null && (this.records > 0 || this.offered.size > 0)) {
      await new Promise<void>((resolve) => this.whenEmpty.push(resolve));
    }
  }

  private wakeWhenEmpty(): void {
    if (this.failure !== null || (this.records === 0 && this.offered.size === 0)) {
      const waiting = this.whenEmpty;
      this.whenEmpty = [];
      for (const resume of waiting) {
        resume();
      }
    }
  }

  private throwFailure(): void {
    if (this.failure !== null) {
      throw this.failure;
    }
  }

  /** After a failure nothing behind it may be stored: order would break. */
  private fail(error: unknown): void {
    this.failure ??=
      error instanceof MillraceError
        ? error
        : new MillraceError("Closed", `sending to topic "${this.topic.name}" failed (see cause)`, error);
    for (const lane of this.lanes) {
      lane.giveUp(this.failure);
    }
    for (let next = this.offered.shift(); next !== undefined; next = this.offered.shift()) {
      next.reject(this.failure);
      next.accepted();
    }
    this.wakeWhenEmpty();
  }

  private async append(partition: number, firstSequence: number, records: readonly NewRecord[]): Promise<void> {
    const { ports, info: topic } = this.deps;
    const { id: producer, ephemeral } = this.as;
    const { given: signal } = this;
    const request = { topic, partition, producer, ephemeral, firstSequence, records, signal };
    await this.persistently(() => ports.log.append(request)());
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

function isAsync<A>(values: Iterable<A> | AsyncIterable<A>): values is AsyncIterable<A> {
  return (values as Partial<AsyncIterable<A>>)[Symbol.asyncIterator] !== undefined;
}
