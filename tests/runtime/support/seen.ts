import type { StreamRecord } from "@millrace/core";
import type { BatchRecord } from "./batch-windows.ts";
import type { Item } from "./bench-top.ts";
import { grouped } from "./grouped.ts";

/** What tells an item from all others. */
export const nameOfItem = ({ n }: Item): string => String(n);

/**
 * Records as an operator behind `through` sees them: each with its stamp, which it has since the topic of producers in front, and
 * keeps where it goes through another topic. `through` is that topic itself where there is no other.
 */
export function seenOf(
  source: readonly StreamRecord<Item>[],
  through: readonly StreamRecord<Item>[],
  outOfOrdernessMs: number,
): readonly BatchRecord[] {
  const stamps = new Map<string, number>();
  for (const partition of grouped(source, (record) => String(record.partition))) {
    let newestMs = Number.NEGATIVE_INFINITY;
    for (const { value, timestamp } of partition) {
      stamps.set(nameOfItem(value), newestMs - outOfOrdernessMs);
      newestMs = Math.max(newestMs, timestamp);
    }
  }
  return through.map(({ value, timestamp, key }) => {
    const name = nameOfItem(value);
    return { name, key, at: timestamp, stamp: stamps.get(name) ?? Number.NaN, isFromTask: through !== source };
  });
}
