import type { SinkCall } from "@millrace/core";
import type { Bench, Item } from "./bench-top.ts";

/** What the outside holds: for each key the number that was written last, and everything that was ever written. */
export class Outside {
  readonly rows = new Map<string, number>();
  readonly writes: number[] = [];
  readonly batches: number[] = [];
  readonly keys = new Map<number, Set<string>>();

  upsert(values: readonly Item[], { idempotencyKeys }: SinkCall): void {
    this.batches.push(values.length);
    for (const [index, { key, n }] of values.entries()) {
      this.rows.set(key, n);
      this.writes.push(n);
      this.keys.set(n, (this.keys.get(n) ?? new Set()).add(idempotencyKeys[index] ?? ""));
    }
  }
}

/** A worker's way to the outside. */
export interface Connection {
  readonly write: (values: readonly Item[], call: SinkCall) => Promise<void>;
  readonly close: () => void;
}

/** A worker's way to the outside: closed with its process. */
export function connectionTo(outside: Outside, top: Bench, takesMs: () => number): Connection {
  let isOpen = true;
  return {
    close: () => {
      isOpen = false;
    },
    write: async (values: readonly Item[], call: SinkCall): Promise<void> => {
      await later(top, takesMs());
      if (isOpen) {
        outside.upsert(values, call);
      }
    },
  };
}

function later(top: Bench, ms: number): Promise<void> {
  return new Promise((resolve) => {
    top.clock.after(ms, resolve);
  });
}

/** The last number of each key. */
export function lastOf(values: readonly Item[]): ReadonlyMap<string, number> {
  return new Map(values.map(({ key, n }) => [key, n]));
}

export function sorted(map: ReadonlyMap<string, number>): readonly (readonly [string, number])[] {
  return [...map].toSorted(([a], [b]) => a.localeCompare(b));
}
