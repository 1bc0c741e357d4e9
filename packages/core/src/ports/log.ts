import type { Either } from "fp-ts/lib/Either.js";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import type { Offset } from "../kernel/offset.ts";
import type {
  Full,
  Refused,
  SequenceGap,
  TopicLost,
  TopicMismatch,
  TopicSealed,
  Unavailable,
  WrongType,
} from "./port-error.ts";

/** A topic as the store has it. */
export interface TopicInfo {
  readonly name: string;
  /** Number of partitions, fixed at creation; partitions are numbered from 0. */
  readonly partitions: number;
  /** Random text chosen when the topic was created. A topic that was deleted and created again has another one. */
  readonly incarnation: string;
}

/** A record to append. Encoded: ports know text, not values. */
export interface NewRecord {
  /** Partitioning key; `""` for a record without a key. */
  readonly key: string;
  /** Event time, ms since the Unix epoch, an integer. */
  readonly timestampMs: number;
  /** The value as its codec's text. */
  readonly payload: string;
  readonly headers: Readonly<Record<string, string>>;
  /**
   * Event time (ms) against which a reader judges whether this record is late, decided by the task that wrote it.
   * `null` for a record of a producer: there the order of the log decides.
   */
  readonly watermarkMs: number | null;
}

/** A record as it was read. */
export interface StoredRecord extends NewRecord {
  readonly offset: Offset;
  /** When it was appended, ms since the Unix epoch, by the store's clock. Never less than that of the record in front of it. */
  readonly appendedMs: number;
  /** About how much memory the record takes, in bytes; counts against the read budget. */
  readonly bytes: number;
  /**
   * `null`, or why the entry could not be read as a record. `payload` then holds what was found, none of it lost: a JSON list
   * with a text for each part that is UTF-8, and `{ "base64": "…" }` for each that is not.
   */
  readonly problem: string | null;
}

/** At most this much from one read; at least one record is returned where there is one, however large. */
export interface ReadBudget {
  readonly maxRecords: number;
  readonly maxBytes: number;
}

/** What one read returned, in log order. */
export interface ReadBatch {
  readonly records: readonly StoredRecord[];
  /** Whether the end of the partition was seen: nothing lay behind the last of these records. */
  readonly atEnd: boolean;
}

/** A position in one partition that moves forward as it is read. Not shared: one caller, one read at a time. */
export interface Reader {
  /**
   * The next records, in log order, none skipped. Waits for the first one for up to about a second; then resolves
   * with no records and `atEnd`. Resolves at once with no records when the reader is closed.
   */
  next(budget: ReadBudget): Promise<Either<ReadError, ReadBatch>>;
  /** Ends a waiting {@link next} and frees what the reader holds. Idempotent. */
  close(): void;
}

/** All that a producer has appended. */
export interface ProducerEnd {
  readonly producer: string;
  /** How many records, by partition. */
  readonly sequences: readonly number[];
}

/** Records for one partition, appended together and in order, exactly once however often the call is repeated. */
export interface AppendRequest {
  readonly topic: TopicInfo;
  readonly partition: number;
  /** Who appends. Sequences are counted for each (producer, partition). */
  readonly producer: string;
  /** Whether what the log remembers of this producer may expire when it has been silent for a week. */
  readonly ephemeral: boolean;
  /** Sequence of the first record; the producer's first record of a partition has 0, each later one is 1 higher. */
  readonly firstSequence: number;
  readonly records: readonly NewRecord[];
  /** Gives up waiting for room; the call then resolves with `Full`. */
  readonly signal?: AbortSignal;
}

/** Progress of event time in one partition, as far as its writers have promised it. */
export interface PartitionTime {
  /** Offset of the last record at the time of the call; {@link BEFORE_FIRST} for an empty partition. */
  readonly end: Offset;
  /** How many records were ever appended to the partition. */
  readonly appended: number;
  /** Whether the partition was sealed: producers append nothing behind `end`. */
  readonly sealed: boolean;
}

/** The writers' table of a topic, and the ends of its partitions. */
export interface TopicTimes {
  /**
   * Watermark (ms, `-Infinity` to `Infinity`) of each task that writes the topic: it appends no record older than
   * that any more. Read *before* the ends, so everything that a watermark speaks of lies at or before `end`.
   */
  readonly writers: Readonly<Record<string, number>>;
  /** One for each partition that was asked for, in that order. */
  readonly partitions: readonly PartitionTime[];
}

export type ReadError = TopicLost | WrongType | Refused | Unavailable;
export type EnsureTopicError = TopicMismatch | WrongType | Unavailable | Full | Refused;
export type AppendError = SequenceGap | TopicSealed | TopicLost | WrongType | Full | Refused | Unavailable;

/** Partitioned, append-only topics. */
export interface Log {
  /**
   * The topic, created where it does not exist. `partitions: null` takes what exists, or creates with
   * `defaultPartitions`. Idempotent and atomic: of two callers at once, one creates. An existing topic with another
   * number of partitions is `TopicMismatch`.
   */
  ensureTopic(spec: {
    readonly name: string;
    readonly partitions: number | null;
    readonly defaultPartitions: number;
  }): TaskEither<EnsureTopicError, TopicInfo>;

  /**
   * Appends all records or none. A repeated call appends only what is not there yet (records whose sequence the log
   * has already seen are skipped), so a lost reply, a retry and a producer that replays its input from the start are
   * all safe. Returns how many records this call appended.
   */
  append(request: AppendRequest): TaskEither<AppendError, number>;

  /** The next sequence expected of `producer` in each partition, by number; 0 where it never appended. */
  nextSequences(
    topic: TopicInfo,
    producer: string,
  ): TaskEither<TopicLost | WrongType | Refused | Unavailable, readonly number[]>;

  /**
   * Seals every partition: new records of producers are refused with `TopicSealed` from now on. Idempotent. `SequenceGap`, and
   * nothing is sealed, where a partition has less than `all`: the store has lost what it had acknowledged.
   */
  seal(
    topic: TopicInfo,
    all?: ProducerEnd,
  ): TaskEither<SequenceGap | TopicLost | WrongType | Full | Refused | Unavailable, void>;

  /** Reads strictly after `after`. */
  reader(topic: TopicInfo, partition: number, after: Offset): Reader;

  /**
   * Enters writers with watermark `-Infinity` into the writers' table; those already there keep theirs. Those that a commit
   * has taken out are entered again, unless `onlyNew`: then nobody enters who was ever there.
   */
  registerWriters(
    topic: TopicInfo,
    writers: readonly string[],
    onlyNew?: boolean,
  ): TaskEither<TopicLost | WrongType | Full | Refused | Unavailable, void>;

  /** The writers' table and the ends of these partitions; of all of them without the argument. */
  times(
    topic: TopicInfo,
    partitions?: readonly number[],
  ): TaskEither<TopicLost | WrongType | Refused | Unavailable, TopicTimes>;
}
