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
  /** The same for every delivery of the record: topic, partition and offset; for a window's result, its store, key and start. */
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

  constructor(
    at: { readonly topic: string; readonly partition: number },
    what: {
      readonly offset: string;
      readonly key: string;
      readonly timestampMs: number;
      readonly headers: Readonly<Record<string, string>>;
    },
    watermarkMs: number,
  ) {
    this.topic = at.topic;
    this.partition = at.partition;
    this.offset = what.offset;
    this.key = what.key;
    this.timestamp = what.timestampMs;
    this.headers = what.headers;
    this.watermarkMs = watermarkMs;
  }

  get id(): string {
    return `${this.topic}/${this.partition}/${this.offset}`;
  }
}

/** The record beneath a window's result: its time is the last instant of the window, so that it is never late. */
export function windowRecord(
  task: { readonly topic: string; readonly partition: number },
  result: { readonly store: string; readonly key: string; readonly start: number; readonly end: number },
): CurrentRecord {
  const timestamp = result.end - 1;
  return {
    topic: task.topic,
    partition: task.partition,
    offset: "",
    key: result.key,
    timestamp,
    headers: NO_HEADERS,
    id: `${result.store}/${result.key}/${result.start}`,
    watermarkMs: timestamp,
  };
}

/** The same record under another key, as `partitionBy` passes it on. */
export function withKey(record: CurrentRecord, key: string): CurrentRecord {
  const { topic, partition, offset, timestamp, headers, id, watermarkMs } = record;
  return { topic, partition, offset, key, timestamp, headers, id, watermarkMs };
}
