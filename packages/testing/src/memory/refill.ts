/** Gives a map these entries, and no others. */
export function refill<K, V>(map: Map<K, V>, entries: readonly (readonly [K, V])[]): void {
  map.clear();
  for (const [key, value] of entries) {
    map.set(key, value);
  }
}
