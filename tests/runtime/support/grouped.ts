/** Values by a key, each group in their order; groups in the order of their first values. */
export function grouped<A>(values: readonly A[], keyOf: (value: A) => string): readonly (readonly A[])[] {
  const groups = new Map<string, A[]>();
  for (const value of values) {
    const key = keyOf(value);
    const group = groups.get(key);
    if (group === undefined) {
      groups.set(key, [value]);
    } else {
      group.push(value);
    }
  }
  return [...groups.values()];
}
