import { compareOffsets, type Offset, type StoredRecord } from "@millrace/core";

/** A power of two. */
const CHUNK_LENGTH = 1024;

/** Slots of dropped records are emptied at once: one chunk of large records would hold a lot. */
type Chunk = (StoredRecord | undefined)[];

/**
 * The records of one partition that are still there, in chunks of 1024, so that nothing is ever copied: adding at one end
 * and dropping at the other cost the same however many there are.
 *
 * A *position* counts the records from the partition's very first one, so it stays valid when older ones are dropped.
 */
export class RecordChunks {
  /** The first chunk is the one that {@link first} lies in, or will lie in. */
  readonly #chunks: Chunk[] = [];
  #first = 0;
  #end = 0;

  /** Position of the oldest record that is still there: how many were dropped. */
  get first(): number {
    return this.#first;
  }

  /** Position that the next record will get: how many were ever added. */
  get end(): number {
    return this.#end;
  }

  /** Adds the newest record; its offset lies behind those of all others. */
  push(record: StoredRecord): void {
    const last = this.#chunks.at(-1);
    if (last === undefined || last.length === CHUNK_LENGTH) {
      this.#chunks.push([record]);
    } else {
      last.push(record);
    }
    this.#end += 1;
  }

  /** The record at `position`; `undefined` outside of {@link first} … {@link end}. */
  at(position: number): StoredRecord | undefined {
    return this.#chunks[chunkOf(position) - chunkOf(this.#first)]?.[position & (CHUNK_LENGTH - 1)];
  }

  /** Drops the oldest record and returns it. */
  shift(): StoredRecord | undefined {
    const chunk = this.#chunks[0];
    const slot = this.#first & (CHUNK_LENGTH - 1);
    const record = chunk?.[slot];
    if (chunk === undefined || record === undefined) {
      return undefined;
    }
    chunk[slot] = undefined;
    this.#first += 1;
    if (slot === CHUNK_LENGTH - 1) {
      // Once in 1024 records, of an array with one element for each 1024.
      this.#chunks.shift();
    }
    return record;
  }

  /**
   * Takes out the newest records, until `end` is the end again; returns them. Throws where there are fewer: those that were
   * dropped do not come back.
   */
  cutOff(end: number): readonly StoredRecord[] {
    if (end < this.#first || end > this.#end) {
      throw new RangeError(`cannot cut a log of positions ${this.#first} to ${this.#end} off at ${end}`);
    }
    const cut: StoredRecord[] = [];
    while (this.#end > end) {
      const chunk = this.#chunks.at(-1);
      const record = chunk?.pop();
      if (chunk?.length === 0) {
        this.#chunks.pop();
      }
      if (record !== undefined) {
        cut.push(record);
      }
      this.#end -= 1;
    }
    return cut;
  }

  /** Position of the first record strictly behind `offset`; {@link end} where there is none. */
  positionAfter(offset: Offset): number {
    let low = this.#first;
    let high = this.#end;
    while (low < high) {
      const middle = low + Math.floor((high - low) / 2);
      const record = this.at(middle);
      if (record !== undefined && compareOffsets(record.offset, offset) <= 0) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
}

/** Number of the chunk that `position` lies in, counted from the very first one. */
function chunkOf(position: number): number {
  return Math.floor(position / CHUNK_LENGTH);
}
