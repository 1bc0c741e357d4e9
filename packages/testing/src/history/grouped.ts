/** Adds a value to those of a key. */
export function addTo<K, A>(groups: Map<K, A[]>, key: K, value: A): void {
  const group = groups.get(key);
  if (group === undefined) {
    groups.set(key, [value]);
  } else {
    group.push(value);
  }
}

/** Values by what they have in common, in the order in which they came. */
export function grouped<A, K>(values: Iterable<A>, by: (value: A) => K): Map<K, A[]> {
  const groups = new Map<K, A[]>();
  for (const value of values) {
    addTo(groups, by(value), value);
  }
  return groups;
}

/** Counts of texts. */
export class Counts {
  readonly #counts = new Map<string, number>();

  add(text: string, count = 1): void {
    this.#counts.set(text, this.of(text) + count);
  }

  of(text: string): number {
    return this.#counts.get(text) ?? 0;
  }

  entries(): Iterable<[text: string, count: number]> {
    return this.#counts;
  }
}
