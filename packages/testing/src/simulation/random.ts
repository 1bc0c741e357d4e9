/** Numbers that repeat: the same seed gives the same ones on every machine (mulberry32). */
export class Random {
  #state: number;

  /** @param seed an integer; only its lower 32 bits count. */
  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** In [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** An integer from `min` to `max`, both included. */
  int(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** One of the values; throws where there is none. */
  pick<A>(values: readonly A[]): A {
    const value = values[Math.floor(this.next() * values.length)];
    if (value === undefined) {
      throw new RangeError("there is nothing to pick from");
    }
    return value;
  }

  /** Another generator, of which this one decides everything. */
  fork(): Random {
    return new Random(Math.floor(this.next() * 4_294_967_296));
  }
}
