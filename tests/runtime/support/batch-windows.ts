/**
 * Windows as a plain computation over records that lie there as a whole: what the runtime's results are compared with. Written
 * from the definitions, and sharing no code with the runtime.
 *
 * A record's **stamp** is what the log had promised of event time before it (`docs/spec/event-time.md`): in a topic of producers
 * the largest event time in front of it in its partition, less `outOfOrderness`. A window takes a record iff
 * `end + wait > stamp`, the wait being the grace, and for sessions the grace and the gap. Sessions and sliding windows take records
 * that tasks have written iff `t + 1 + grace > stamp`.
 */

/** A record with what decides about it. */
export interface BatchRecord {
  /** Tells it from all others. */
  readonly name: string;
  readonly key: string;
  /** Event time (ms). */
  readonly at: number;
  /** Event time (ms) that was promised before it. */
  readonly stamp: number;
  /** Whether a task has written it: records of several tasks are in no order, and neither are their stamps. */
  readonly isFromTask: boolean;
}

/** How event time is cut. All times in ms. */
export type Cut =
  | { readonly kind: "tumbling"; readonly sizeMs: number; readonly offsetMs: number }
  | { readonly kind: "hopping"; readonly sizeMs: number; readonly everyMs: number }
  | { readonly kind: "sliding"; readonly sizeMs: number }
  | { readonly kind: "session"; readonly gapMs: number }
  | { readonly kind: "unlimited"; readonly fromMs: number };

/** One result. */
export interface BatchWindow {
  readonly key: string;
  readonly start: number;
  readonly end: number;
  /** The largest event time (ms) in it. */
  readonly lastMs: number;
  /** The names of its records, sorted. */
  readonly of: readonly string[];
}

/** What all windows come to. */
export interface BatchResult {
  /** By end, start and key. */
  readonly windows: readonly BatchWindow[];
  /** How many windows each late record missed, by its name. */
  readonly missed: ReadonlyMap<string, number>;
  /** The late records that no window took, in their order. */
  readonly refused: readonly string[];
}

/** What `unlimited` says of its end: the last instant that a `Date` can hold. */
export const END_OF_TIME = 8.64e15;

/** The results for records in the order of their partitions; those of one key must be in one partition. */
export function batchWindows(cut: Cut, graceMs: number, records: readonly BatchRecord[]): BatchResult {
  const keys = new Map<string, KeyBatch>();
  const missed = new Map<string, number>();
  const refused: string[] = [];
  for (const record of records) {
    const batch = keys.get(record.key) ?? batchOf(cut, graceMs);
    keys.set(record.key, batch);
    const outcome = isJudgedAlone(cut, record) ? judgedAlone(batch, record, graceMs) : batch.add(record);
    if (outcome.missed > 0) {
      missed.set(record.name, outcome.missed);
    }
    if (outcome.missed > 0 && !outcome.isTaken) {
      refused.push(record.name);
    }
  }
  const windows = [...keys].flatMap(([key, batch]) =>
    batch.windows().map(({ start, end, records: own }) => ({
      key,
      start,
      end,
      lastMs: Math.max(...own.map(({ at }) => at)),
      of: own.map(({ name }) => name).toSorted(),
    })),
  );
  return { windows: windows.toSorted(byBounds), missed, refused };
}

/** Sessions and sliding windows would depend on which record of several tasks came first, if these were judged by windows. */
function isJudgedAlone({ kind }: Cut, { isFromTask }: BatchRecord): boolean {
  return isFromTask && (kind === "session" || kind === "sliding");
}

/** Taken by all windows, or by none. */
function judgedAlone(batch: KeyBatch, record: BatchRecord, graceMs: number): ReturnType<KeyBatch["add"]> {
  return record.at + 1 + graceMs > record.stamp
    ? batch.add({ ...record, stamp: Number.NEGATIVE_INFINITY })
    : { missed: 1, isTaken: false };
}

/** By end, start and key. */
export function byBounds(a: Omit<BatchWindow, "of" | "lastMs">, b: Omit<BatchWindow, "of" | "lastMs">): number {
  return a.end - b.end || a.start - b.start || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
}

interface Held {
  readonly start: number;
  readonly end: number;
  readonly records: readonly BatchRecord[];
}

/** The windows of one key. */
interface KeyBatch {
  add(record: BatchRecord): { readonly missed: number; readonly isTaken: boolean };
  windows(): readonly Held[];
}

function batchOf(cut: Cut, graceMs: number): KeyBatch {
  switch (cut.kind) {
    case "session":
      return new SessionBatch(cut.gapMs, graceMs);
    case "sliding":
      return new SlidingBatch(cut.sizeMs, graceMs);
    case "tumbling":
    case "hopping":
    case "unlimited":
      return new AlignedBatch(cut, graceMs);
  }
}

/** Every window is there from the beginning; each is asked whether it takes the record. */
class AlignedBatch implements KeyBatch {
  private readonly cut: Exclude<Cut, { readonly kind: "session" | "sliding" }>;
  private readonly graceMs: number;
  private readonly held = new Map<number, BatchRecord[]>();

  constructor(cut: Exclude<Cut, { readonly kind: "session" | "sliding" }>, graceMs: number) {
    this.cut = cut;
    this.graceMs = graceMs;
  }

  add(record: BatchRecord): { readonly missed: number; readonly isTaken: boolean } {
    const all = this.starts(record.at);
    const open = all.filter((start) => this.end(start) + this.graceMs > record.stamp);
    for (const start of open) {
      this.held.set(start, [...(this.held.get(start) ?? []), record]);
    }
    return { missed: all.length - open.length, isTaken: open.length > 0 };
  }

  windows(): readonly Held[] {
    return [...this.held].map(([start, records]) => ({ start, end: this.end(start), records }));
  }

  /** All starts s with `s <= at < end(s)`. */
  private starts(at: number): readonly number[] {
    const { cut } = this;
    if (cut.kind === "unlimited") {
      return at < cut.fromMs ? [] : [cut.fromMs];
    }
    const everyMs = cut.kind === "tumbling" ? cut.sizeMs : cut.everyMs;
    const offsetMs = cut.kind === "tumbling" ? cut.offsetMs : 0;
    const starts: number[] = [];
    const newest = Math.floor((at - offsetMs) / everyMs) * everyMs + offsetMs;
    for (let start = newest; start + cut.sizeMs > at; start -= everyMs) {
      starts.push(start);
    }
    return starts;
  }

  private end(start: number): number {
    return this.cut.kind === "unlimited" ? END_OF_TIME : start + this.cut.sizeMs;
  }
}

/** A record joins the sessions within a gap that its stamp leaves open, and is judged by the session that they become. */
class SessionBatch implements KeyBatch {
  private readonly gapMs: number;
  private readonly graceMs: number;
  private sessions: readonly (readonly BatchRecord[])[] = [];

  constructor(gapMs: number, graceMs: number) {
    this.gapMs = gapMs;
    this.graceMs = graceMs;
  }

  add(record: BatchRecord): { readonly missed: number; readonly isTaken: boolean } {
    const isOpen = (records: readonly BatchRecord[]): boolean =>
      sessionOf(records).end + this.gapMs + this.graceMs > record.stamp;
    const joined = this.sessions.filter(
      (records) => isOpen(records) && records.some(({ at }) => Math.abs(at - record.at) <= this.gapMs),
    );
    const merged = [...joined.flat(), record];
    if (!isOpen(merged)) {
      return { missed: 1, isTaken: false };
    }
    this.sessions = [...this.sessions.filter((records) => !joined.includes(records)), merged];
    return { missed: 0, isTaken: true };
  }

  windows(): readonly Held[] {
    return this.sessions.map(sessionOf);
  }
}

function sessionOf(records: readonly BatchRecord[]): Held {
  const times = records.map(({ at }) => at);
  return { start: Math.min(...times), end: Math.max(...times) + 1, records };
}

/**
 * A record at t calls for `[t - size, t]`, and for `[t + 1, t + 1 + size]` if a record lies in that, now or later. A window is a
 * result iff it was open when it was called for. A record that none of the open ones holds changes nothing; else it is accepted,
 * and is in every result that is open for it, also in those that are called for later.
 */
class SlidingBatch implements KeyBatch {
  private readonly sizeMs: number;
  private readonly graceMs: number;
  private readonly accepted: BatchRecord[] = [];
  /** What was called for, by start; `null`: it was closed then. */
  private readonly called = new Map<number, BatchRecord[] | null>();

  constructor(sizeMs: number, graceMs: number) {
    this.sizeMs = sizeMs;
    this.graceMs = graceMs;
  }

  add(record: BatchRecord): { readonly missed: number; readonly isTaken: boolean } {
    const isOpen = (start: number): boolean => this.end(start) + this.graceMs > record.stamp;
    const holds = (start: number): boolean => start <= record.at && record.at < this.end(start);
    // No window that holds the record ends later than this one.
    if (!isOpen(record.at)) {
      return { missed: 1, isTaken: false };
    }
    const fresh = this.callsOf(record).filter((start) => !this.called.has(start));
    const around = [...this.called.keys(), ...fresh].filter(holds);
    const isResult = (start: number): boolean => (this.called.get(start) ?? null) !== null;
    const missed = around.filter(
      (start) => !isOpen(start) && (isResult(start) || start === record.at - this.sizeMs),
    ).length;
    // What was closed when it was called for stays nobody's result.
    const takes = around.filter((start) => isOpen(start) && this.called.get(start) !== null);
    if (takes.length === 0) {
      return { missed, isTaken: false };
    }
    for (const start of fresh) {
      const before = this.accepted.filter(({ at }) => start <= at && at < this.end(start));
      this.called.set(start, isOpen(start) ? before : null);
    }
    for (const start of takes) {
      this.called.get(start)?.push(record);
    }
    this.accepted.push(record);
    return { missed, isTaken: true };
  }

  windows(): readonly Held[] {
    return [...this.called].flatMap(([start, records]) =>
      records === null ? [] : [{ start, end: this.end(start), records }],
    );
  }

  /** What is called for because of a record, by itself or by those in front of it. */
  private callsOf({ at }: BatchRecord): readonly number[] {
    const before = this.accepted.map((other) => other.at);
    const hasNext = before.some((other) => other > at && other < this.end(at + 1));
    const behind = before.filter((other) => other < at && at < this.end(other + 1)).map((other) => other + 1);
    return [...new Set([at - this.sizeMs, ...(hasNext ? [at + 1] : []), ...behind])];
  }

  private end(start: number): number {
    return start + this.sizeMs + 1;
  }
}
