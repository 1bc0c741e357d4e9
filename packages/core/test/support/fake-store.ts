import { compareUtf8 } from "../../src/kernel/utf8-order.ts";
import type { DuePage, DueRange } from "../../src/ports/state-store.ts";
import type { CollectedDelta, StoreSource } from "../../src/topology/stage.ts";

/** What a store holds of one key. */
export interface FakeEntry {
  readonly value: string;
  readonly dueMs: number | null;
}

interface Pending {
  /** Reads what the answer is; the first call counts. */
  readonly answer: () => void;
  readonly deliver: () => void;
}

interface Sent {
  readonly delta: CollectedDelta;
  isApplied: boolean;
}

/**
 * A store whose commits and reads take their time: a commit is sent, applied and acknowledged, a read is asked, answered and
 * delivered, each when the test says so. An answer is the content at some moment between the call and its delivery.
 */
export class FakeStore implements StoreSource {
  readonly name = "store";
  readonly content: Map<string, FakeEntry>;
  readonly entries: readonly (readonly [key: string, value: string])[];
  readonly isWhole: boolean;
  readonly hasDue: boolean;
  readonly maxBytes: number;
  /** How often each method was called. */
  readonly calls = { get: 0, due: 0 };
  /** Keys of each `get`. */
  readonly asked: (readonly string[])[] = [];
  /** Answers at once, as far as a promise can. */
  isPrompt = false;
  /** Rejects reads with this. */
  failure: Error | null = null;
  private readonly reads: Pending[] = [];
  private readonly sent: Sent[] = [];
  private readonly units = new Set<number>();

  /** `seen`: which entries the first page has; default: all. */
  constructor(
    content: Iterable<readonly [key: string, entry: FakeEntry]>,
    how: { readonly maxBytes: number; readonly seen?: (key: string) => boolean },
  ) {
    this.content = new Map(content);
    const { seen = () => true } = how;
    this.entries = [...this.content].flatMap(([key, { value }]) => (seen(key) ? [[key, value] as const] : []));
    this.isWhole = this.entries.length === this.content.size;
    this.hasDue = [...this.content.values()].some(({ dueMs }) => dueMs !== null);
    this.maxBytes = how.maxBytes;
  }

  get(keys: readonly string[]): Promise<readonly (string | null)[]> {
    this.calls.get += 1;
    this.asked.push(keys);
    return this.read(() => keys.map((key) => this.content.get(key)?.value ?? null));
  }

  due(range: DueRange): Promise<DuePage> {
    this.calls.due += 1;
    return this.read(() => pageOf(this.content, range));
  }

  get readsUnderWay(): number {
    return this.reads.length;
  }

  /** Sends what was collected. */
  send(delta: CollectedDelta): void {
    this.sent.push({ delta, isApplied: false });
  }

  /** Sends what a unit has collected, unless it was sent before. */
  sendOnce(unit: number, deltas: readonly CollectedDelta[]): void {
    if (!this.units.has(unit)) {
      this.units.add(unit);
      for (const delta of deltas) {
        this.send(delta);
      }
    }
  }

  /** Applies the oldest commit that is not. */
  apply(): void {
    const next = this.sent.find(({ isApplied }) => !isApplied);
    if (next !== undefined) {
      next.isApplied = true;
      this.replay(next.delta);
    }
  }

  /** Acknowledges the oldest commit, applying it first. */
  acknowledge(): void {
    const [next] = this.sent;
    if (next !== undefined) {
      if (!next.isApplied) {
        this.apply();
      }
      this.sent.shift();
      next.delta.applied?.();
    }
  }

  /** The answer of a read that is under way is as of now, unless it was given before. */
  answer(n: number): void {
    this.reads[n % this.reads.length]?.answer();
  }

  /** The oldest read comes back. */
  deliver(): void {
    this.reads.shift()?.deliver();
  }

  acknowledgeAll(): void {
    while (this.sent.length > 0) {
      this.acknowledge();
    }
  }

  private replay({ puts, deletes }: CollectedDelta): void {
    for (const [key, value, dueMs = this.content.get(key)?.dueMs ?? null] of puts) {
      this.content.set(key, { value, dueMs });
    }
    for (const key of deletes) {
      this.content.delete(key);
    }
  }

  private read<A>(what: () => A): Promise<A> {
    const { failure } = this;
    if (this.isPrompt) {
      return failure === null ? Promise.resolve(what()) : Promise.reject(failure);
    }
    return new Promise<A>((resolve, reject) => {
      let found: { readonly answer: A } | null = null;
      const answer = (): void => {
        found ??= { answer: what() };
      };
      const deliver = (): void => {
        answer();
        if (failure !== null) {
          reject(failure);
        } else if (found !== null) {
          resolve(found.answer);
        }
      };
      this.reads.push({ answer, deliver });
    });
  }
}

/** Not in memory, so that a store is not whole there. */
const HIDDEN = ["x", { value: "[0,{}]", dueMs: null }] as const;

/** A store of which nothing is in memory at first, and that holds nothing for long. */
export function farStore(
  content: Iterable<readonly [key: string, entry: FakeEntry]> = [HIDDEN],
  maxBytes = 1,
): FakeStore {
  return new FakeStore(content, { maxBytes, seen: () => false });
}

/** As `StateStore.due` of the port. */
function pageOf(content: ReadonlyMap<string, FakeEntry>, { fromMs, untilMs, limit }: DueRange): DuePage {
  const behind = [...content]
    .flatMap(([key, { value, dueMs }]) => (dueMs === null || dueMs < fromMs ? [] : [[key, value, dueMs] as const]))
    .toSorted(([a, , x], [b, , y]) => (x === y ? compareUtf8(a, b) : x - y));
  const entries = behind.filter(([, , dueMs]) => dueMs <= untilMs).slice(0, limit);
  return { entries, nextMs: behind[entries.length]?.[2] ?? null };
}

/** Lets so many microtasks pass. */
export async function microtasks(n: number): Promise<void> {
  for (let i = 0; i < n; i++) {
    await Promise.resolve();
  }
}
