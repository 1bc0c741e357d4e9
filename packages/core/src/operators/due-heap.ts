import { MinHeap } from "../kernel/min-heap.ts";
import { compareUtf8 } from "../kernel/utf8-order.ts";

/** A key and when it is due (ms). */
export interface DueKey {
  readonly key: string;
  readonly dueMs: number;
}

/** Keys by due time. A key whose due time has changed is pushed again; what it was before is passed over when it comes. */
export class DueHeap {
  private readonly heap = new MinHeap<string>();
  /** The keys of the least due time, the first one last; they are many where a window closes. */
  private first: { readonly dueMs: number; readonly keys: string[] } | null = null;

  /** What was passed over included. */
  get size(): number {
    return this.heap.size + (this.first?.keys.length ?? 0);
  }

  /** No key is due before. */
  get leastMs(): number {
    return Math.min(this.first?.dueMs ?? Number.POSITIVE_INFINITY, this.heap.leastRank);
  }

  push({ key, dueMs }: DueKey): void {
    this.heap.push(dueMs, key);
    if (this.first !== null && dueMs <= this.first.dueMs) {
      for (const other of this.first.keys) {
        this.heap.push(this.first.dueMs, other);
      }
      this.first = null;
    }
  }

  /** Takes up to `most` keys that are due at `untilMs`, by due time, then by key. `dueOf` says what is true by now. */
  take(untilMs: number, most: number, dueOf: (key: string) => number | null): readonly DueKey[] {
    const taken: DueKey[] = [];
    while (taken.length < most && this.size > 0 && this.leastMs <= untilMs) {
      this.first ??= this.takeFirst();
      const { dueMs, keys } = this.first;
      const key = keys.pop();
      if (keys.length === 0) {
        this.first = null;
      }
      if (key !== undefined && dueOf(key) === dueMs) {
        taken.push({ key, dueMs });
      }
    }
    return taken;
  }

  private takeFirst(): { readonly dueMs: number; readonly keys: string[] } {
    const dueMs = this.heap.leastRank;
    const keys = new Set<string>();
    while (this.heap.size > 0 && this.heap.leastRank === dueMs) {
      const popped = this.heap.pop();
      if (popped !== undefined) {
        keys.add(popped.item);
      }
    }
    return { dueMs, keys: [...keys].toSorted((a, b) => compareUtf8(b, a)) };
  }
}
