import {
  BEFORE_FIRST,
  type Clock,
  compareOffsets,
  type NewRecord,
  type Offset,
  offsetOf,
  type ReadBatch,
  type ReadBudget,
  type StoredRecord,
} from "@millrace/core";
import { RecordChunks } from "./record-chunks.ts";
import { refill } from "./refill.ts";

/** What a stored record takes beside its texts: the object, its offset, its slot. Measured on Node 20, rounded up. */
const RECORD_OVERHEAD_BYTES = 160;

const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({});

/** A consumer group as its partition sees it: records behind `offset` are still needed. */
export interface GroupHold {
  readonly offset: Offset;
}

/** An open reader as its partition sees it: records from `position` on are still needed. */
export interface ReaderHold {
  readonly position: number;
  /** Called when records were added. */
  wake(): void;
}

/** Somebody who waits for room. */
export interface RoomWaiter {
  /** Called once: `partition` has room, and keeps it for nobody else. */
  granted(partition: MemoryPartition): void;
}

/**
 * One partition in memory.
 *
 * Retention: everything is kept until the partition holds `maxBytes`. From then on, whoever adds records first has those
 * dropped that every group which ever acquired the partition has committed *and* every open reader has read. Where that
 * does not make room, writers wait in line. A partition that no group and no reader holds drops nothing, and just fills up.
 */
export class MemoryPartition {
  sealed = false;
  /** Next sequence expected of each producer. */
  readonly sequences = new Map<string, number>();
  readonly groups = new Map<string, GroupHold>();
  readonly #readers = new Set<ReaderHold>();
  /** Who waits for room, in the order of arrival. */
  readonly #line = new Set<RoomWaiter>();
  readonly #records = new RecordChunks();
  readonly #clock: Clock;
  readonly #maxBytes: number;
  #bytes = 0;
  #end: Offset = BEFORE_FIRST;
  #lastMs = 0;
  #lastSeq = 0;

  constructor(clock: Clock, maxBytes: number) {
    this.#clock = clock;
    this.#maxBytes = maxBytes;
  }

  /** About how much memory the records take. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Offset of the last record ever appended. */
  get end(): Offset {
    return this.#end;
  }

  /** How many records were ever appended. */
  get appended(): number {
    return this.#records.end;
  }

  /** How many records were dropped. */
  get trimmed(): number {
    return this.#records.first;
  }

  /** Adds records, with ids as Redis makes them: the clock's ms, and never before the last one. */
  append(records: readonly NewRecord[]): void {
    const nowMs = Math.floor(this.#clock.now());
    for (const record of records) {
      if (nowMs > this.#lastMs) {
        this.#lastMs = nowMs;
        this.#lastSeq = 0;
      } else {
        this.#lastSeq += 1;
      }
      this.#end = offsetOf(`${this.#lastMs}-${this.#lastSeq}`, 0);
      const stored = storedRecord(record, this.#end, this.#lastMs);
      this.#bytes += stored.bytes;
      this.#records.push(stored);
    }
    for (const reader of this.#readers) {
      reader.wake();
    }
  }

  /** The records from `position` on, within a budget; at least one where there is one. */
  read(position: number, budget: ReadBudget): ReadBatch {
    const records: StoredRecord[] = [];
    let bytes = 0;
    let next = position;
    for (let record = this.#records.at(next); record !== undefined; record = this.#records.at(next)) {
      bytes += record.bytes;
      if (records.length > 0 && (records.length >= budget.maxRecords || bytes > budget.maxBytes)) {
        break;
      }
      records.push(record);
      next += 1;
    }
    return { records, atEnd: next === this.#records.end };
  }

  /** Position of the first record behind `offset` that is still there. */
  positionAfter(offset: Offset): number {
    return this.#records.positionAfter(offset);
  }

  /** Whether there is no such record, and none was dropped there: the store has lost it. */
  lacks(offset: Offset): boolean {
    const next = this.#records.positionAfter(offset);
    if (next > this.#records.first) {
      return this.#records.at(next - 1)?.offset !== offset;
    }
    return next === 0 || compareOffsets(offset, this.#end) > 0;
  }

  addReader(reader: ReaderHold): void {
    this.#readers.add(reader);
    this.grantRoom();
  }

  removeReader(reader: ReaderHold): void {
    this.#readers.delete(reader);
    this.grantRoom();
  }

  wakeReaders(): void {
    for (const reader of this.#readers) {
      reader.wake();
    }
  }

  /**
   * Whether records may be added now; a batch may overshoot the limit. `false` while somebody waits, because they are
   * served as soon as room appears ({@link grantRoom}): nobody can overtake them.
   */
  hasRoom(): boolean {
    if (this.#bytes >= this.#maxBytes) {
      this.trim(this.#neededFrom());
    }
    return this.#bytes < this.#maxBytes;
  }

  /** Gets in line; {@link RoomWaiter.granted} is called when it is `waiter`'s turn and there is room. */
  enqueue(waiter: RoomWaiter): void {
    this.#line.add(waiter);
  }

  leave(waiter: RoomWaiter): void {
    this.#line.delete(waiter);
  }

  /** Serves those who wait, as far as there is room. To be called whenever a group or a reader needs less than before. */
  grantRoom(): void {
    for (const waiter of this.#line) {
      if (!this.hasRoom()) {
        return;
      }
      this.#line.delete(waiter);
      waiter.granted(this);
    }
  }

  /** Drops the records before `position`, needed or not. */
  trim(position: number): void {
    while (this.#records.first < Math.min(position, this.#records.end)) {
      this.#bytes -= this.#records.shift()?.bytes ?? 0;
    }
  }

  /**
   * Returns a function that takes back what was added since now. What was dropped meanwhile does not come back, and neither do
   * readers that were opened; offsets stay taken, so that none is ever given twice.
   */
  snapshot(): () => void {
    const { sealed, appended } = this;
    const end = this.#end;
    const sequences = [...this.sequences];
    const groups = [...this.groups];
    return () => {
      for (const { bytes } of this.#records.cutOff(Math.max(appended, this.#records.first))) {
        this.#bytes -= bytes;
      }
      this.#end = end;
      this.sealed = sealed;
      refill(this.sequences, sequences);
      refill(this.groups, groups);
    };
  }

  #neededFrom(): number {
    let needed = Number.POSITIVE_INFINITY;
    for (const { offset } of this.groups.values()) {
      needed = Math.min(needed, this.#records.positionAfter(offset));
    }
    for (const { position } of this.#readers) {
      needed = Math.min(needed, position);
    }
    return Number.isFinite(needed) ? needed : this.#records.first;
  }
}

/** A copy that nobody can change: the log and all of its readers share it. */
function storedRecord(record: NewRecord, offset: Offset, appendedMs: number): StoredRecord {
  const { key, timestampMs, payload, watermarkMs } = record;
  let bytes = RECORD_OVERHEAD_BYTES + key.length + payload.length;
  let headers = NO_HEADERS;
  const names = Object.keys(record.headers);
  if (names.length > 0) {
    headers = Object.freeze({ ...record.headers });
    for (const name of names) {
      bytes += name.length + (headers[name]?.length ?? 0);
    }
  }
  return Object.freeze({ key, timestampMs, payload, headers, watermarkMs, offset, appendedMs, bytes, problem: null });
}
