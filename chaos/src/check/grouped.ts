/** Values by what they have in common, in the order in which they came. */
export function grouped<A, K>(values: Iterable<A>, by: (value: A) => K): ReadonlyMap<K, readonly A[]> {
  const groups = new Map<K, A[]>();
  for (const value of values) {
    const key = by(value);
    const group = groups.get(key);
    if (group === undefined) {
      groups.set(key, [value]);
    } else {
      group.push(value);
    }
  }
  return groups;
}
