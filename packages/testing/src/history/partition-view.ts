import { compareOffsets, type Offset } from "@millrace/core";
import type { Note } from "./calls.ts";
import type { HistoryLine, LogLine, LogRecord, PartitionLine, PartitionPlace, ReadLine } from "./lines.ts";

/** Order of two offsets as the log has it. */
export function inLogOrder(a: string, b: string): number {
  return compareOffsets(a as Offset, b as Offset);
}

/** A partition as it is in the end, and as far as readers saw what was dropped from it. */
export class PartitionView {
  readonly line: PartitionLine;
  /** What lies there. */
  readonly held: readonly LogRecord[];
  /** How many records were dropped from its beginning. */
  readonly trimmed: number;
  /** All records that were ever there; `null` where nobody has seen some of those that were dropped. */
  readonly all: readonly LogRecord[] | null;
  readonly #rankOf = new Map<string, number>();
  readonly #at = new Map<string, LogRecord>();

  constructor(line: PartitionLine, held: readonly LogRecord[], reads: readonly ReadLine[]) {
    this.line = line;
    this.held = held;
    this.trimmed = line.appended - held.length;
    const dropped = this.trimmed === 0 ? [] : droppedIn(reads, held[0]?.offset ?? null);
    this.all = dropped.length === this.trimmed ? [...dropped, ...held] : null;
    const known = this.all ?? held;
    const first = line.appended - known.length;
    for (const [at, record] of known.entries()) {
      this.#rankOf.set(record.offset, first + at + 1);
      this.#at.set(record.offset, record);
    }
  }

  get name(): string {
    return partitionName(this.line);
  }

  /** The record at an offset. */
  at(offset: string): LogRecord | null {
    return this.#at.get(offset) ?? null;
  }

  /** Whether an offset lies in the part that was dropped. */
  isDropped(offset: string): boolean {
    const [first] = this.held;
    return this.trimmed > 0 && (first === undefined || inLogOrder(offset, first.offset) < 0);
  }

  /** The first record that lies there in the end between two offsets; `null`: there is none. */
  heldBetween(after: string, before: string): LogRecord | null {
    const next = this.held[(this.rankOf(after) ?? this.trimmed) - this.trimmed];
    const from = next === undefined || inLogOrder(next.offset, after) <= 0 ? null : next;
    return from !== null && inLogOrder(from.offset, before) < 0 ? from : null;
  }

  /** How many records lay up to an offset and at it, dropped ones included; `null` where that is unknown. */
  rankOf(offset: string): number | null {
    const rank = this.#rankOf.get(offset);
    if (rank !== undefined) {
      return rank;
    }
    const known = this.all ?? this.held;
    const first = known[0];
    if (this.all === null && (first === undefined || inLogOrder(offset, first.offset) < 0)) {
      return null;
    }
    const behind = known.findIndex((record) => inLogOrder(record.offset, offset) > 0);
    return this.line.appended - known.length + (behind === -1 ? known.length : behind);
  }

  /** One of its records, as a line. */
  lineOf(record: LogRecord): HistoryLine {
    const { topic, partition, incarnation } = this.line;
    return { _tag: "log", topic, partition, incarnation, records: [record] };
  }
}

/** One incarnation of a partition, as text. */
export function partitionKey(place: PartitionPlace): string {
  return `${partitionName(place)} ${place.incarnation}`;
}

/** `<topic>/<partition>`. */
export function partitionName({ topic, partition }: Omit<PartitionPlace, "incarnation">): string {
  return `${topic}/${partition}`;
}

/** The records in front of an offset that readers were given, each once, in log order. */
function droppedIn(reads: readonly ReadLine[], before: string | null): readonly LogRecord[] {
  const found = new Map<string, LogRecord>();
  for (const { records } of reads) {
    for (const record of records) {
      if (before === null || inLogOrder(record.offset, before) < 0) {
        found.set(record.offset, record);
      }
    }
  }
  return [...found.values()].toSorted((a, b) => inLogOrder(a.offset, b.offset));
}

/** The records of the log lines of a partition. What is not as it must be is told to `odd`. */
export function heldIn(line: PartitionLine, logs: readonly LogLine[], odd: Note): readonly LogRecord[] {
  const [only] = logs;
  const held = only !== undefined && logs.length === 1 ? only.records : logs.flatMap(({ records }) => records);
  const name = partitionName(line);
  if (held.length !== line.held) {
    odd(`the lines of ${name} hold ${held.length} records, and it has ${line.held}`, [line, ...logs]);
  }
  const wrong = held.findIndex((record, at) => {
    const before = held[at - 1];
    return before !== undefined && inLogOrder(before.offset, record.offset) >= 0;
  });
  if (wrong > 0) {
    odd(`the records of ${name} are not in the order of their offsets, at ${held[wrong]?.offset}`, logs);
  }
  return held;
}
