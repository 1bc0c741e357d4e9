/**
 * Which of the numbers 1, 2, 3, … are done. Kept as "all through n" and the few beyond, so that it stays small when they are
 * done about in order. With each number goes a text, of which only that of `through` is kept in the end.
 */
export class NumberSet {
  private last = 0;
  private lastText: string;
  private readonly beyond = new Map<number, string>();

  constructor(through: number, text: string, beyond: Iterable<readonly [number: number, text: string]>) {
    this.last = through;
    this.lastText = text;
    for (const [number, each] of beyond) {
      this.add(number, each);
    }
  }

  /** All numbers up to this one are done. */
  get through(): number {
    return this.last;
  }

  /** The text of {@link through}. */
  get text(): string {
    return this.lastText;
  }

  /** How many are done. */
  get size(): number {
    return this.last + this.beyond.size;
  }

  has(number: number): boolean {
    return number <= this.last || this.beyond.has(number);
  }

  /** Returns which numbers beyond `through` need not be kept one by one any more. */
  add(number: number, text: string): readonly number[] {
    if (this.has(number)) {
      return [];
    }
    this.beyond.set(number, text);
    const absorbed: number[] = [];
    for (let next = this.beyond.get(this.last + 1); next !== undefined; next = this.beyond.get(this.last + 1)) {
      this.last += 1;
      this.lastText = next;
      this.beyond.delete(this.last);
      absorbed.push(this.last);
    }
    return absorbed;
  }

  /** The text of a number beyond `through`; `undefined` where it is not kept. */
  textOf(number: number): string | undefined {
    return this.beyond.get(number);
  }
}
