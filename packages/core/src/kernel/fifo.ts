/** A first-in, first-out queue. Both ends are O(1) amortised; `Array.shift` is linear on long arrays. */
export class Fifo<A> {
  private items: (A | undefined)[] = [];
  private head = 0;

  get size(): number {
    return this.items.length - this.head;
  }

  push(item: A): void {
    this.items.push(item);
  }

  /** The oldest item, left in place; `undefined` when empty. */
  peek(): A | undefined {
    return this.items[this.head];
  }

  /** Takes the oldest item; `undefined` when empty. */
  shift(): A | undefined {
    if (this.head === this.items.length) {
      return undefined;
    }
    const item = this.items[this.head];
    this.items[this.head] = undefined;
    this.head += 1;
    if (this.head > 1_024 && this.head * 2 > this.items.length) {
      this.items = this.items.slice(this.head);
      this.head = 0;
    }
    return item;
  }

  /** From the oldest to the newest. */
  *[Symbol.iterator](): IterableIterator<A> {
    for (let i = this.head; i < this.items.length; i++) {
      yield this.items[i] as A;
    }
  }
}
