/**
 * Reads one partition with plain XREAD from a position that is held here.
 *
 * Nothing on the server remembers what was read, so a read that failed or whose answer was lost is simply repeated, and
 * no record is skipped. The next read is under way while the caller works on the current one.
 */
import {
  entryIdOf,
  type Offset,
  portError,
  type ReadBatch,
  type ReadBudget,
  type ReadError,
  type Reader,
  type StoredRecord,
  type TopicInfo,
  type TopicLost,
} from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import type { Seat } from "./blocker.ts";
import type { BlockingPool } from "./blocking-pool.ts";
import type { Connection } from "./connection.ts";
import { decodeEntry, type RawEntry } from "./entry-codec.ts";
import { failureOf, NoAnswer } from "./errors.ts";
import type { PartitionKeys } from "./keys.ts";
import { ReadSize } from "./read-size.ts";
import { integerOf, streamsOf, textIn } from "./reply.ts";

/** How long {@link Reader.next} goes on looking for the first record. */
const WAIT_MS = 1_000;
/** The topic is looked at this often, for it may be deleted and created again under a reader that is not idle. */
const LOOK_EVERY_MS = 1_000;

/** What a reader works with. */
export interface ReaderWiring {
  readonly connection: Connection;
  readonly pool: BlockingPool;
  readonly topic: TopicInfo;
  readonly partition: number;
  readonly keys: PartitionKeys;
}

type Read = E.Either<ReadError, void>;

/** See the head of this file. */
export class RedisReader implements Reader {
  readonly #wiring: ReaderWiring;
  readonly #seat: Seat;
  readonly #size = new ReadSize();
  /** Read ahead, in log order. */
  readonly #ahead: StoredRecord[] = [];
  /** Whether the last read got all that it asked for, so that more may lie behind. */
  #more = true;
  /** Id of the last entry that was read. */
  #position: string;
  #reading: Promise<Read> | null = null;
  /** Whether the last wait ended with nothing: then the next one begins without another read. */
  #idle = false;
  #lookedMs = Number.NEGATIVE_INFINITY;
  #closed = false;
  /** Ends the wait for a read under way. */
  #stopWaiting: () => void = () => undefined;

  constructor(wiring: ReaderWiring, after: Offset) {
    this.#wiring = wiring;
    this.#position = entryIdOf(after);
    this.#seat = wiring.pool.seat({ keys: wiring.keys, incarnation: wiring.topic.incarnation });
  }

  async next(budget: ReadBudget): Promise<E.Either<ReadError, ReadBatch>> {
    const untilMs = performance.now() + WAIT_MS;
    while (!this.#closed) {
      const read = await this.#fill(budget);
      if (this.#closed) {
        break;
      }
      if (this.#ahead.length > 0) {
        return E.right(this.#take(budget));
      }
      if (E.isLeft(read)) {
        return read;
      }
      if (performance.now() >= untilMs || (await this.#waitForMore())) {
        return E.right({ records: [], atEnd: true });
      }
    }
    return E.right({ records: [], atEnd: false });
  }

  /** Whether the server said, after a while, that there is still nothing behind the position. */
  async #waitForMore(): Promise<boolean> {
    const { entries, answered, more } = await this.#seat.wait(this.#position);
    this.#idle = answered && entries.length === 0;
    if (!answered) {
      this.#lookedMs = Number.NEGATIVE_INFINITY;
    }
    if (entries.length > 0) {
      this.#keep(entries, more);
    }
    return this.#idle;
  }

  close(): void {
    if (this.#closed) {
      return; // The seat may be somebody else's by now.
    }
    this.#closed = true;
    this.#seat.leave();
    this.#stopWaiting();
  }

  /** Sees to it that there is something ahead, if anything lies there now. */
  #fill(budget: ReadBudget): Promise<Read> {
    if (this.#idle || (this.#ahead.length > 0 && (!this.#more || this.#hasEnough(budget)))) {
      return Promise.resolve(E.right(undefined));
    }
    const reading = this.#reading ?? this.#read(budget);
    return new Promise<Read>((resolve, reject) => {
      this.#stopWaiting = () => resolve(E.right(undefined));
      reading.then(resolve, reject);
    });
  }

  /** What the budget allows of what is ahead; starts the next read. */
  #take(budget: ReadBudget): ReadBatch {
    const { maxRecords, maxBytes } = budget;
    let [count, bytes] = [0, 0];
    for (const record of this.#ahead) {
      bytes += record.bytes;
      if (count > 0 && (count === maxRecords || bytes > maxBytes)) {
        break;
      }
      count += 1;
    }
    if (count === this.#ahead.length && this.#more && count > 1) {
      count -= 1; // Whoever gets the last one is told whether it is the end, which the read under way will show.
    }
    const records = this.#ahead.splice(0, count);
    if (this.#more && this.#reading === null && !this.#hasEnough(budget)) {
      void this.#read(budget);
    }
    return { records, atEnd: this.#ahead.length === 0 && !this.#more };
  }

  #read(budget: ReadBudget): Promise<Read> {
    const count = this.#size.countFor(budget);
    const reading = this.#fetch(count).then((fetched) => {
      this.#reading = null;
      if (E.isRight(fetched)) {
        this.#keep(fetched.right, fetched.right.length >= count);
        return E.right(undefined);
      }
      return fetched;
    });
    reading.catch(() => undefined); // A defect: told to the next call, which waits for this promise.
    this.#reading = reading;
    return reading;
  }

  #keep(entries: RawEntry[], more: boolean): void {
    const records = entries.map(decodeEntry);
    // Promises that waited for the reply have grown old meanwhile: these buffers would live on with them until the next
    // full garbage collection.
    entries.length = 0;
    const last = records.at(-1);
    this.#more = more;
    if (last !== undefined) {
      this.#size.saw(records);
      this.#position = entryIdOf(last.offset);
      this.#ahead.push(...records);
    }
  }

  async #fetch(count: number): Promise<E.Either<ReadError, RawEntry[]>> {
    try {
      return await this.#ask(count).catch((error: unknown) => {
        // A read that was cut off can be repeated at once: nothing remembers it.
        if (error instanceof NoAnswer && error.reason === "lost") {
          return this.#ask(count);
        }
        throw error;
      });
    } catch (error) {
      const failure = failureOf(error, `reading ${this.#name}`);
      return E.left(failure._tag === "Full" ? portError("Unavailable", failure.message) : failure);
    }
  }

  async #ask(count: number): Promise<E.Either<TopicLost, RawEntry[]>> {
    const { connection, keys } = this.#wiring;
    const args = ["COUNT", String(count), "STREAMS", keys.log, this.#position];
    const reply = connection.sendForBuffers("xread", args);
    if (performance.now() - this.#lookedMs >= LOOK_EVERY_MS && !(await this.#look(reply))) {
      const message = `reading ${this.#name}: the topic is gone or was created anew. Start again with the topic as it is now`;
      return E.left(portError("TopicLost", message));
    }
    return E.right(streamsOf(await reply).get(keys.log) ?? []);
  }

  /** Whether the log is still the topic's. Asked behind the read, so that what was read belongs to it, too. */
  async #look(read: Promise<unknown>): Promise<boolean> {
    const { connection, keys, topic } = this.#wiring;
    const incarnation = connection.send("hget", [keys.meta, "incarnation"]);
    const exists = connection.send("exists", [keys.log]);
    await Promise.all([read, incarnation, exists]);
    const same = textIn(await incarnation) === topic.incarnation && integerOf(await exists) === 1;
    this.#lookedMs = same ? performance.now() : Number.NEGATIVE_INFINITY;
    return same;
  }

  /** Whether a whole batch is ahead. */
  #hasEnough({ maxRecords, maxBytes }: ReadBudget): boolean {
    const bytes = this.#ahead.reduce((sum, record) => sum + record.bytes, 0);
    return this.#ahead.length > maxRecords || bytes >= maxBytes;
  }

  get #name(): string {
    return `${this.#wiring.topic.name}/${this.#wiring.partition}`;
  }
}
