/** Something to take by its rank. */
export interface Ranked<A> {
  readonly rank: number;
  readonly item: A;
}

/** A binary heap: the item of the lowest rank comes out first. */
export class MinHeap<A> {
  private readonly entries: Ranked<A>[] = [];

  get size(): number {
    return this.entries.length;
  }

  /** The lowest rank; Infinity when empty. */
  get leastRank(): number {
    return this.entries[0]?.rank ?? Number.POSITIVE_INFINITY;
  }

  push(rank: number, item: A): void {
    const { entries } = this;
    const entry: Ranked<A> = { rank, item };
    let at = entries.length;
    entries.push(entry);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = entries[above];
      if (parent === undefined || parent.rank <= rank) {
        break;
      }
      entries[at] = parent;
      at = above;
    }
    entries[at] = entry;
  }

  /** Takes an item of the lowest rank; `undefined` when empty. */
  pop(): Ranked<A> | undefined {
    const { entries } = this;
    const top = entries[0];
    const last = entries.pop();
    if (last !== undefined && entries.length > 0) {
      this.sink(last);
    }
    return top;
  }

  /** Puts an entry in at the top and lets it down to its place. */
  private sink(entry: Ranked<A>): void {
    const { entries } = this;
    let at = 0;
    for (;;) {
      const below = this.lowerChild(at);
      const child = entries[below];
      if (child === undefined || child.rank >= entry.rank) {
        break;
      }
      entries[at] = child;
      at = below;
    }
    entries[at] = entry;
  }

  private lowerChild(at: number): number {
    const left = this.entries[2 * at + 1];
    const right = this.entries[2 * at + 2];
    return left !== undefined && right !== undefined && right.rank < left.rank ? 2 * at + 2 : 2 * at + 1;
  }
}
