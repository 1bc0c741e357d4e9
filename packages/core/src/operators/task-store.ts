/**
 * The state of one operator in one task: what is in memory of it, and what is not committed yet.
 *
 * Redis holds the state; memory holds as much of it as the limits allow. An entry is *known* when memory has it, or knows
 * that it does not exist. What was changed stays known until its commit is applied, and wins over what is read: a read may
 * have been answered before that commit. Every entry may have a due time, by which it is found when its time has come.
 */
import { MillraceError } from "../errors.ts";
import type { DuePage } from "../ports/state-store.ts";
import { type CollectedDelta, type DirtyStore, type StoreSource, scope, type Unit } from "../topology/stage.ts";
import { DueHeap, type DueKey } from "./due-heap.ts";
import { chooseDue } from "./due-page.ts";
import { type Entry, EntryCache } from "./entry-cache.ts";

/** What a store's entries are. */
export interface StoreSchema<S> {
  /** The text of a state. Throws when it has none. */
  encode(state: S): string;
  /** The reverse. Throws when the text is none of a state, or the key none of an entry. */
  decode(text: string, key: string): S;
  /** When something is to be done with the entry (ms), less {@link delayMs}; `null`: never. A function of the state alone. */
  timeMs(key: string, state: S): number | null;
  /** Added to every time. Not stored, so that another release may wait for longer, or not so long. */
  readonly delayMs: number;
  /** Whether every entry has been stored with its time. */
  readonly isAlwaysDue: boolean;
}

export class TaskStore<S> implements DirtyStore {
  private readonly schema: StoreSchema<S>;
  private readonly source: StoreSource | null;
  private readonly entries = new EntryCache<S>();
  /** Keys of entries that are changed, or were until a moment ago: a read that is under way may not have seen them. */
  private readonly unsettled = new Set<string>();
  private readonly changed = new Set<string>();
  /** Committed while a read was under way. */
  private committed: (readonly string[])[] = [];
  private fetching = 0;
  /** The due times of all entries, as long as all are in memory. */
  private heap: DueHeap | null = null;
  private page: DuePage | null = null;
  private leastDueMs = Number.NEGATIVE_INFINITY;
  /** The last unit that was told of a change. */
  private touched: Unit | null = null;

  /** `source: null`: the state lives in memory only. Throws `DecodeError` for what is no state. */
  constructor(schema: StoreSchema<S>, source: StoreSource | null) {
    this.schema = schema;
    this.source = source;
    if (source === null || source.isWhole) {
      this.heap = new DueHeap();
      this.leastDueMs = Number.POSITIVE_INFINITY;
    }
    for (const [key, text] of source?.entries ?? []) {
      this.know(key, text);
    }
    if (source !== null && !source.hasDue && schema.isAlwaysDue && this.entries.size > 0) {
      throw new MillraceError(
        "StateMismatch",
        `store "${source.name}" has entries, and none can be found by its time: somebody has deleted the sorted set beside it. Restore both from a backup, or reset the store`,
      );
    }
  }

  /** Whether {@link get} can tell. */
  isKnown(key: string): boolean {
    return this.heap !== null || this.entries.has(key);
  }

  /** The state of a known key; `null`: there is none. */
  get(key: string): S | null {
    const entry = this.entries.get(key);
    if (entry === undefined) {
      return null;
    }
    entry.uses = Math.min(2, entry.uses + 1);
    return entry.state;
  }

  /** Changes an entry; `null` deletes it. The key must be known, or found by {@link due}. */
  put(key: string, state: S | null): void {
    this.touch();
    const entry = this.entries.entryOf(key);
    const before = this.dueMsOf(key);
    entry.state = state;
    this.noteDue(key, before, this.dueMsOf(key));
    if (this.source === null) {
      // Nobody collects what changes.
      if (state === null) {
        this.entries.delete(key);
      }
    } else if (!entry.isChanged) {
      entry.isChanged = true;
      this.changed.add(key);
      this.unsettled.add(key);
      scope.unit.wrote(entry.bytes);
    }
  }

  /** No entry is due before (ms); there need not be one that is due then. Infinity: there is none. */
  get nextDueMs(): number {
    return this.leastDueMs;
  }

  /** When an entry is due (ms) that memory has; `null`: never. */
  dueMsOf(key: string): number | null {
    const state = this.entries.get(key)?.state ?? null;
    const timeMs = state === null ? null : this.schema.timeMs(key, state);
    return timeMs === null ? null : timeMs + this.schema.delayMs;
  }

  /** Whether {@link due} may find something. */
  isDue(untilMs: number): boolean {
    return this.leastDueMs <= untilMs && this.leastDueMs !== Number.POSITIVE_INFINITY;
  }

  /**
   * Up to `most` entries that are due at `untilMs`, by due time and then by key; `null`: {@link fetchDue} must be waited for
   * first. Each must be put with a later due time, or deleted, before the next call.
   */
  due(untilMs: number, most: number): readonly DueKey[] | null {
    if (!this.isDue(untilMs)) {
      return [];
    }
    if (this.heap !== null) {
      const taken = this.heap.take(untilMs, most, (key) => this.dueMsOf(key));
      this.leastDueMs = this.heap.leastMs;
      return taken;
    }
    return this.page === null ? null : this.dueOnPage(this.page, untilMs, most);
  }

  /** Reads what {@link due} needs. */
  async fetchDue(untilMs: number, most: number): Promise<void> {
    // What was changed may hide entries of the page: so many more are asked for that it cannot hide them all.
    const limit = most + this.unsettled.size;
    const { delayMs } = this.schema;
    await this.read(async (source) => {
      const fromMs = Number.NEGATIVE_INFINITY;
      const { entries, nextMs } = await source.due({ fromMs, untilMs: untilMs - delayMs, limit });
      // Before the read counts as over: from then on what was committed meanwhile is let go of.
      this.page = {
        entries: entries.map(([key, text, timeMs]) => [key, text, timeMs + delayMs]),
        nextMs: nextMs === null ? null : nextMs + delayMs,
      };
    });
  }

  /** These were taken, and there was no time for them: they are due as before. */
  giveBack(entries: readonly DueKey[]): void {
    for (const entry of entries) {
      this.leastDueMs = Math.min(this.leastDueMs, entry.dueMs);
      this.heap?.push(entry);
    }
  }

  /** Reads entries that are not known. */
  async fetch(keys: readonly string[]): Promise<void> {
    await this.read(async (source) => {
      const texts = await source.get(keys);
      for (const [index, key] of keys.entries()) {
        if (!this.entries.has(key)) {
          this.know(key, texts[index] ?? null);
        }
      }
    });
  }

  collect(): CollectedDelta {
    const puts: [key: string, value: string, dueMs?: number | null][] = [];
    const deletes: string[] = [];
    const keys = [...this.changed];
    for (const key of keys) {
      const entry = this.entries.entryOf(key);
      if (entry.state === null) {
        deletes.push(key);
        entry.storedDueMs = null;
      } else {
        const text = this.encode(key, entry.state);
        this.entries.resize(entry, key, text);
        const dueMs = this.dueMsOf(key);
        const storedMs = dueMs === null ? null : dueMs - this.schema.delayMs;
        puts.push(dueMs === entry.storedDueMs ? [key, text] : [key, text, storedMs]);
        entry.storedDueMs = dueMs;
      }
      entry.isChanged = false;
      entry.uncommitted += 1;
    }
    this.changed.clear();
    this.touched = null;
    return { store: this.source?.name ?? "", puts, deletes, applied: () => this.applied(keys) };
  }

  private applied(keys: readonly string[]): void {
    this.committed.push(keys);
    this.tidy();
  }

  /**
   * Lets go of what is committed, and of what is too much. Not while something was read that nobody has made use of: it may
   * be older than the commits.
   */
  tidy(): void {
    if (this.fetching > 0 || this.page !== null) {
      return;
    }
    const committed = this.committed;
    this.committed = [];
    for (const key of committed.flat()) {
      const entry = this.entries.entryOf(key);
      entry.uncommitted -= 1;
      if (entry.uncommitted === 0 && !entry.isChanged) {
        this.settle(key, entry);
      }
    }
    if (this.source !== null && this.entries.evict(this.source.maxBytes, this.unsettled)) {
      this.heap = null;
    }
  }

  /** What is committed can be read again. */
  private settle(key: string, entry: Entry<S>): void {
    this.unsettled.delete(key);
    if (entry.state === null && this.heap !== null) {
      this.entries.delete(key);
    }
  }

  private async read<A>(what: (source: StoreSource) => Promise<A>): Promise<A> {
    if (this.source === null) {
      throw new MillraceError("InvalidOperator", "a store without a source was to be read");
    }
    this.fetching += 1;
    try {
      return await what(this.source);
    } finally {
      this.fetching -= 1;
    }
  }

  private dueOnPage(page: DuePage, untilMs: number, most: number): readonly DueKey[] {
    this.page = null;
    for (const [key, text, dueMs] of page.entries) {
      if (!this.entries.has(key)) {
        this.know(key, text);
      }
      if (!this.unsettled.has(key)) {
        this.correct(key, dueMs);
      }
    }
    const keys = new Set([...this.unsettled, ...page.entries.map(([key]) => key)]);
    const known = [...keys].flatMap((key) => {
      const dueMs = this.dueMsOf(key);
      return dueMs === null ? [] : [{ key, dueMs }];
    });
    const { taken, leastMs } = chooseDue(known, page, { untilMs, most });
    this.leastDueMs = leastMs;
    return taken;
  }

  /** Another release may have meant another time: an entry that lies too early would be found again and again. */
  private correct(key: string, storedDueMs: number): void {
    const entry = this.entries.entryOf(key);
    entry.storedDueMs = storedDueMs;
    if (entry.state !== null && this.dueMsOf(key) !== storedDueMs) {
      this.put(key, entry.state);
    }
  }

  /** Takes an entry over as the store has it. */
  private know(key: string, text: string | null): void {
    // First: what does not decode must not count as missing.
    const state = text === null ? null : this.decode(key, text);
    const entry = this.entries.entryOf(key);
    if (text !== null) {
      entry.state = state;
      // The text does not tell with which due time it was written.
      entry.storedDueMs = undefined;
      this.entries.resize(entry, key, text);
      if (this.heap !== null) {
        this.noteDue(key, null, this.dueMsOf(key));
      }
    }
  }

  private noteDue(key: string, beforeMs: number | null, dueMs: number | null): void {
    if (dueMs !== null) {
      this.leastDueMs = Math.min(this.leastDueMs, dueMs);
      if (dueMs !== beforeMs) {
        this.heap?.push({ key, dueMs });
        this.compact();
      }
    }
  }

  /** An entry whose due time changes leaves the old one behind. */
  private compact(): void {
    if (this.heap !== null && this.heap.size > 2 * this.entries.size + 1_024) {
      this.heap = new DueHeap();
      for (const key of this.entries.keys()) {
        const dueMs = this.dueMsOf(key);
        if (dueMs !== null) {
          this.heap.push({ key, dueMs });
        }
      }
    }
  }

  private encode(key: string, state: S): string {
    try {
      return this.schema.encode(state);
    } catch (cause) {
      throw new MillraceError("EncodeError", `store "${this.name}": the state of ${quoted(key)} has no text`, cause);
    }
  }

  private decode(key: string, text: string): S {
    try {
      return this.schema.decode(text, key);
    } catch (cause) {
      const why = cause instanceof Error ? `: ${cause.message}` : "";
      throw new MillraceError("DecodeError", `store "${this.name}": the state of ${quoted(key)} does not decode${why}`);
    }
  }

  private get name(): string {
    return this.source?.name ?? "";
  }

  /** Before a change, so that the unit before can still collect what it changed. */
  private touch(): void {
    if (this.touched !== scope.unit) {
      this.touched = scope.unit;
      scope.unit.touch(this);
    }
  }
}

function quoted(key: string): string {
  return JSON.stringify(key.length > 100 ? `${key.slice(0, 99)}…` : key);
}
