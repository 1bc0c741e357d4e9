/** An entry of a store as memory has it. */
export interface Entry<S> {
  /** `null`: the entry does not exist. */
  state: S | null;
  /** The due time that the store has, once all that was collected is committed; `undefined`: nobody knows. */
  storedDueMs: number | null | undefined;
  isChanged: boolean;
  /** In how many deltas it is that are not committed yet. */
  uncommitted: number;
  bytes: number;
  /** How often it was asked for, 2 at most: the first time is why it is here, only more are a reason to keep it. */
  uses: number;
}

/** What an entry takes besides its text. */
const ENTRY_BYTES = 200;

/** Entries by key, about how much memory they take, and which of them can go. */
export class EntryCache<S> {
  private readonly entries = new Map<string, Entry<S>>();
  private bytes = 0;
  /** Which entry is looked at next when some have to go. */
  private hand = this.entries.entries();

  get size(): number {
    return this.entries.size;
  }

  keys(): IterableIterator<string> {
    return this.entries.keys();
  }

  has(key: string): boolean {
    return this.entries.has(key);
  }

  get(key: string): Entry<S> | undefined {
    return this.entries.get(key);
  }

  /** The entry; where there is none, one that says so. */
  entryOf(key: string): Entry<S> {
    const found = this.entries.get(key);
    if (found !== undefined) {
      return found;
    }
    const entry: Entry<S> = { state: null, storedDueMs: null, isChanged: false, uncommitted: 0, bytes: 0, uses: 0 };
    this.entries.set(key, entry);
    this.resize(entry, key, "");
    return entry;
  }

  /** The entry's text is this by now. */
  resize(entry: Entry<S>, key: string, text: string): void {
    const bytes = 2 * (key.length + text.length) + ENTRY_BYTES;
    this.bytes += bytes - entry.bytes;
    entry.bytes = bytes;
  }

  delete(key: string): void {
    this.bytes -= this.entries.get(key)?.bytes ?? 0;
    this.entries.delete(key);
  }

  /**
   * Lets entries go until they take `maxBytes` at most: those first that were not asked for again for the longest time, and none
   * of `kept`. Returns whether any went.
   */
  evict(maxBytes: number, kept: ReadonlySet<string>): boolean {
    let hasEvicted = false;
    // Each entry is looked at twice at most: the first look forgets that it was asked for again.
    for (let looks = 2 * this.entries.size; looks > 0 && this.bytes > maxBytes; looks--) {
      const [key, entry] = this.nextOnClock();
      if (kept.has(key)) {
        continue;
      }
      if (entry.uses > 1) {
        entry.uses = 1;
      } else {
        this.delete(key);
        hasEvicted = true;
      }
    }
    return hasEvicted;
  }

  /** One entry after the other, round and round. There must be one. */
  private nextOnClock(): readonly [key: string, entry: Entry<S>] {
    let next = this.hand.next();
    if (next.done === true) {
      this.hand = this.entries.entries();
      next = this.hand.next();
    }
    return next.value as [string, Entry<S>];
  }
}
