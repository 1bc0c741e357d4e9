/** Something that happens at a moment of simulated time. */
export interface Entry {
  readonly atMs: number;
  readonly order: number;
  /** `null`: called off. */
  action: (() => void) | null;
}

/** What is to happen, earliest first; at one moment, in the order of entry. A binary heap. */
export class Agenda {
  readonly #heap: Entry[] = [];
  #entered = 0;

  /** Enters an action; the entry can be called off by setting its action to `null`. */
  add(atMs: number, action: () => void): Entry {
    const entry: Entry = { atMs, order: this.#entered, action };
    this.#entered += 1;
    let place = this.#heap.push(entry) - 1;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = this.#heap[above];
      if (parent === undefined || !isBefore(entry, parent)) {
        break;
      }
      this.#heap[place] = parent;
      place = above;
    }
    this.#heap[place] = entry;
    return entry;
  }

  /** Takes out the next entry; `undefined`: there is none. */
  next(): Entry | undefined {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (first === undefined || last === undefined || first === last) {
      return first;
    }
    let place = 0;
    for (;;) {
      const left = 2 * place + 1;
      const leftEntry = this.#heap[left];
      const rightEntry = this.#heap[left + 1];
      if (leftEntry === undefined) {
        break;
      }
      const isRight = rightEntry !== undefined && isBefore(rightEntry, leftEntry);
      const child = isRight ? rightEntry : leftEntry;
      if (!isBefore(child, last)) {
        break;
      }
      this.#heap[place] = child;
      place = isRight ? left + 1 : left;
    }
    this.#heap[place] = last;
    return first;
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
