import type { DuePage, DueRange, StatePage } from "@millrace/core";
import { DueIndex } from "./due-index.ts";

/** Pages of a large store have a 64th of it. */
const BUCKETS = 64;

/** Small stores come in one page. */
const ENOUGH_ENTRIES = 1000;

/**
 * One state store. Keys are spread over a fixed number of buckets and never move between them, so that a cursor is the
 * number of a bucket: a scan costs O(entries) altogether, may repeat a page, and misses nothing that stays in the store,
 * whatever is put and deleted meanwhile.
 */
export class StateBuckets {
  readonly #buckets: readonly Map<string, string>[] = Array.from({ length: BUCKETS }, () => new Map<string, string>());

  readonly #dues = new DueIndex();

  /** `dueMs` (ms): absent, the entry's due time stays as it is; `null`, it has none from now on. */
  put(key: string, value: string, dueMs?: number | null): void {
    this.#bucketOf(key)?.set(key, value);
    if (dueMs !== undefined) {
      this.#dues.set(key, dueMs);
    }
  }

  delete(key: string): void {
    this.#bucketOf(key)?.delete(key);
    this.#dues.set(key, null);
  }

  /** The value of a key; `null`: it is not there. */
  get(key: string): string | null {
    return this.#bucketOf(key)?.get(key) ?? null;
  }

  /** The entries with the least due times in a range. */
  due(range: DueRange): DuePage {
    const { dues, nextMs } = this.#dues.page(range);
    return { entries: dues.map(({ key, dueMs }) => [key, this.get(key) ?? "", dueMs] as const), nextMs };
  }

  /** The page at a cursor of an earlier page; `null` begins. */
  scan(cursor: string | null): StatePage {
    const entries: (readonly [string, string])[] = [];
    let bucket = Number(cursor ?? 0);
    while (bucket < BUCKETS && entries.length < ENOUGH_ENTRIES) {
      for (const entry of this.#buckets[bucket] ?? []) {
        entries.push(entry);
      }
      bucket += 1;
    }
    return { entries, cursor: bucket < BUCKETS ? String(bucket) : null };
  }

  /** Returns a function that puts everything back as it is now. */
  snapshot(): () => void {
    const buckets = this.#buckets.map((bucket) => (bucket.size === 0 ? null : [...bucket]));
    const restoreDues = this.#dues.snapshot();
    return () => {
      for (const [n, bucket] of this.#buckets.entries()) {
        bucket.clear();
        for (const [key, value] of buckets[n] ?? []) {
          bucket.set(key, value);
        }
      }
      restoreDues();
    };
  }

  #bucketOf(key: string): Map<string, string> | undefined {
    // FNV-1a over UTF-16 units.
    let hash = 0x811c9dc5;
    for (let index = 0; index < key.length; index++) {
      hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193);
    }
    // The low bits of FNV alone are weak for short keys.
    return this.#buckets[((hash >>> 16) ^ hash) & (BUCKETS - 1)];
  }
}
