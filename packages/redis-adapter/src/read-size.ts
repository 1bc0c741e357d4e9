import type { ReadBudget, StoredRecord } from "@millrace/core";

/** Larger reads gain nothing and hold the server up for longer. */
const MOST_ENTRIES = 500;
/** Nothing is known about the size of the first entries. */
const FIRST_ENTRIES = 2;
const GROWTH = 4;

/**
 * How many entries to ask for. XREAD counts entries, a budget counts bytes, so the count follows the sizes seen: at once
 * when entries become larger, step by step when they become smaller.
 */
export class ReadSize {
  #averageBytes = 1;
  #most = FIRST_ENTRIES;

  /**
   * Entries for one read, 2 to 500: one more than the budget allows, where that is known, so that the answer also shows
   * whether the end was reached.
   */
  countFor({ maxRecords, maxBytes }: ReadBudget): number {
    const fitting = Math.floor(maxBytes / this.#averageBytes);
    return Math.max(2, Math.min(MOST_ENTRIES, this.#most, maxRecords + 1, fitting + 1));
  }

  /** Learns from what a read returned; `records` is not empty. */
  saw(records: readonly StoredRecord[]): void {
    const average = records.reduce((sum, { bytes }) => sum + bytes, 0) / records.length;
    this.#averageBytes = Math.max(average, (3 * this.#averageBytes + average) / 4);
    this.#most = Math.min(MOST_ENTRIES, this.#most * GROWTH);
  }
}
