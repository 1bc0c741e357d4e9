import { compareUtf8 } from "../kernel/utf8-order.ts";
import type { DuePage } from "../ports/state-store.ts";
import type { DueKey } from "./due-heap.ts";

/**
 * What is due of a store of which memory knows a part, and a page was read.
 *
 * `known` are the page's entries and those that memory has changed, as they are by now. Behind the last entry of a page that ends
 * before `untilMs` lie others, which nobody has read yet: they come before those of memory that are behind it, too. `leastMs`:
 * no other entry is due before.
 */
export function chooseDue(
  known: readonly DueKey[],
  page: DuePage,
  { untilMs, most }: { readonly untilMs: number; readonly most: number },
): { readonly taken: readonly DueKey[]; readonly leastMs: number } {
  const end = page.nextMs !== null && page.nextMs <= untilMs ? page.entries.at(-1) : undefined;
  const isInReach = (entry: DueKey): boolean =>
    entry.dueMs <= untilMs && (end === undefined || compareDue(entry, { key: end[0], dueMs: end[2] }) <= 0);
  const due = known.filter(isInReach).toSorted(compareDue);
  const taken = due.slice(0, most);
  const others = [...due.slice(most), ...known.filter((entry) => !isInReach(entry))];
  const leastMs = others.reduce((least, { dueMs }) => Math.min(least, dueMs), page.nextMs ?? Number.POSITIVE_INFINITY);
  return { taken, leastMs };
}

function compareDue(a: DueKey, b: DueKey): number {
  return a.dueMs === b.dueMs ? compareUtf8(a.key, b.key) : a.dueMs - b.dueMs;
}
