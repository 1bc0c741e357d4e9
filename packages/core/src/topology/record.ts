/** Where a value comes from. Given to every callback beside the value. */
export interface RecordInfo {
  readonly topic: string;
  /** 0 to the topic's number of partitions − 1. */
  readonly partition: number;
  /** Position in the partition, `<entry id>/<index>`. Text: offsets are ordered, but not numbers. */
  readonly offset: string;
  /** The partitioning key; `""` for a record without a key. */
  readonly key: string;
  /** Event time, ms since the Unix epoch. */
  readonly timestamp: number;
  readonly headers: Readonly<Record<string, string>>;
  /**
   * The same for every delivery of the record: topic, partition and offset; of a window's result, its store, key and start, and
   * where that does not tell it from others (updates, sessions), its end and revision.
   */
  readonly id: string;
}

/** A record as it is read from a topic, seen by an observer, or found in a test. */
export interface StreamRecord<A> extends RecordInfo {
  readonly value: A;
}

/** What flows through operators beneath the values. */
export interface CurrentRecord extends RecordInfo {
  /**
   * Event time (ms) against which this record is judged late: what the log had promised before it. It is a property of
   * the record, not of the moment at which it is read, so that results do not depend on the speed of reading.
   */
  readonly watermarkMs: number;
  /**
   * Whether a task has written the record, or made it. Records of one partition that came from several tasks have no order of their
   * own: what they lead to must not depend on which came first.
   */
  readonly isFromTask: boolean;
  /**
   * Which of the values this is that operators in front have made of the record: `""`, or `/2/0` for the first of what one
   * operator made of the third of what another made.
   */
  readonly path: string;
  /** The dead letter from which the value comes, while it is redriven. */
  readonly letter: LetterRef | null;
}

/** A dead letter among those of its operator. */
export interface LetterRef {
  readonly id: string;
  /** The stable name of the operator that failed, and at which it enters again. */
  readonly node: string;
  /** Counts the letters of the operator in one partition, from 1. */
  readonly number: number;
  /** Whether later records of its key wait for it. */
  readonly isParked: boolean;
  /** Its position in the dead-letter topic. */
  readonly at: string;
}

const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({});

/** Beneath values that come from no topic: a plain Observable without `asRecords`. */
export const NO_RECORD: CurrentRecord = Object.freeze({
  topic: "",
  partition: 0,
  offset: "",
  key: "",
  timestamp: Number.NaN,
  headers: NO_HEADERS,
  id: "",
  watermarkMs: Number.NEGATIVE_INFINITY,
  isFromTask: false,
  path: "",
  letter: null,
});

/** A record of a topic. `id` is computed when it is asked for. */
export class TopicRecord implements CurrentRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly key: string;
  readonly timestamp: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly watermarkMs: number;
  readonly isFromTask: boolean;
  readonly path = "";
  readonly letter = null;

  constructor(
    at: { readonly topic: string; readonly partition: number },
    what: {
      readonly offset: string;
      readonly key: string;
      readonly timestampMs: number;
      readonly headers: Readonly<Record<string, string>>;
    },
    watermarkMs: number,
    isFromTask = false,
  ) {
    this.topic = at.topic;
    this.partition = at.partition;
    this.offset = what.offset;
    this.key = what.key;
    this.timestamp = what.timestampMs;
    this.headers = what.headers;
    this.watermarkMs = watermarkMs;
    this.isFromTask = isFromTask;
  }

  get id(): string {
    return `${this.topic}/${this.partition}/${this.offset}`;
  }
}

/**
 * The record beneath a window's result. It is judged by its own time, so that it is late for nobody. `revision`: of a result that
 * need not be the last one of its window; `null`: it is.
 */
export function windowRecord(
  task: { readonly topic: string; readonly partition: number },
  result: {
    readonly store: string;
    readonly key: string;
    readonly start: number;
    readonly end: number;
    readonly timestampMs: number;
    readonly revision: number | null;
  },
): CurrentRecord {
  const { store, key, start, end, timestampMs: timestamp, revision } = result;
  const id = `${store}/${key}/${start}`;
  return {
    topic: task.topic,
    partition: task.partition,
    offset: "",
    key,
    timestamp,
    headers: NO_HEADERS,
    id: revision === null ? id : `${id}/${end}/${revision}`,
    watermarkMs: timestamp,
    isFromTask: true,
    path: "",
    letter: null,
  };
}

/** Beneath the value number `index` of those that an operator has made of one. */
export class PartOfRecord implements CurrentRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly key: string;
  readonly timestamp: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly watermarkMs: number;
  readonly isFromTask: boolean;
  readonly path: string;
  readonly letter: LetterRef | null;
  private readonly whole: CurrentRecord;

  constructor(whole: CurrentRecord, index: number) {
    this.topic = whole.topic;
    this.partition = whole.partition;
    this.offset = whole.offset;
    this.key = whole.key;
    this.timestamp = whole.timestamp;
    this.headers = whole.headers;
    this.watermarkMs = whole.watermarkMs;
    this.isFromTask = whole.isFromTask;
    this.path = `${whole.path}/${index}`;
    this.letter = whole.letter;
    this.whole = whole;
  }

  get id(): string {
    return this.whole.id;
  }
}

/** The same record under another key, as `partitionBy` passes it on. */
export function withKey(record: CurrentRecord, key: string): CurrentRecord {
  const { topic, partition, offset, timestamp, headers, id, watermarkMs, isFromTask, path, letter } = record;
  return { topic, partition, offset, key, timestamp, headers, id, watermarkMs, isFromTask, path, letter };
}
