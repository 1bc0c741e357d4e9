/** Whether what came out is what was drawn. Pure; columns count from 0. */
import { byColumn, type MarbleEvent } from "./diagram.ts";

/** Something that came out. */
export interface SeenEvent extends MarbleEvent {
  /** The key that its order counts for. */
  readonly key: string;
}

/** The first thing that differs. */
export interface Difference {
  /** Where to look. */
  readonly column: number;
  readonly message: string;
}

/** How values that came more often than drawn are judged. */
export type Repeats = "legal" | "illegal";

/**
 * The same in the same columns, nothing else. Within a column the order counts, unless the row is about several partitions, which
 * have no order among each other.
 */
export function compareExactly(
  drawn: readonly MarbleEvent[],
  seen: readonly MarbleEvent[],
  options: { readonly isMerged: boolean },
): Difference | null {
  const expected = byColumn(drawn);
  const actual = byColumn(seen);
  const columns = [...new Set([...expected.keys(), ...actual.keys()])].toSorted((a, b) => a - b);
  for (const column of columns) {
    const wanted = expected.get(column) ?? [];
    const found = actual.get(column) ?? [];
    const inOrder = (symbols: readonly string[]): string => (options.isMerged ? symbols.toSorted() : symbols).join("");
    if (inOrder(wanted) !== inOrder(found)) {
      return { column, message: `${shown(wanted, "was", "were")} drawn, ${shown(found, "came", "came")}` };
    }
  }
  return null;
}

function shown(symbols: readonly string[], one: string, several: string): string {
  const list = symbols.length === 0 ? "nothing" : symbols.map((symbol) => `"${symbol}"`).join(", ");
  return `${list} ${symbols.length > 1 ? several : one}`;
}

/** Everything drawn came, at whatever time, and nothing else; more often than drawn only where repeats are legal. */
export function compareValues(
  drawn: readonly MarbleEvent[],
  seen: readonly MarbleEvent[],
  repeats: Repeats,
): Difference | null {
  const left = countsOf(drawn);
  for (const { symbol, column } of seen) {
    const count = left.get(symbol);
    if (count === undefined) {
      return { column, message: `"${symbol}" came, which is not drawn` };
    }
    if (count === 0 && repeats === "illegal") {
      return { column, message: `"${symbol}" came more often than it is drawn` };
    }
    left.set(symbol, Math.max(0, count - 1));
  }
  const lost = drawn.find(({ symbol }) => (left.get(symbol) ?? 0) > 0);
  return lost === undefined ? null : lostOf(lost, countsOf(seen).get(lost.symbol) ?? 0);
}

function lostOf({ symbol, column }: MarbleEvent, came: number): Difference {
  return { column, message: came === 0 ? `"${symbol}" never came` : `"${symbol}" is drawn more often than it came` };
}

function countsOf(events: readonly MarbleEvent[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { symbol } of events) {
    counts.set(symbol, (counts.get(symbol) ?? 0) + 1);
  }
  return counts;
}

/**
 * As {@link compareValues}, and for each key in the order that is drawn. Where repeats are legal, each value counts where it came
 * first, as often as it is drawn.
 */
export function comparePerKey(
  drawn: readonly MarbleEvent[],
  seen: readonly SeenEvent[],
  repeats: Repeats,
): Difference | null {
  const values = compareValues(drawn, seen, repeats);
  if (values !== null) {
    return values;
  }
  const keys = new Map(seen.map(({ symbol, key }) => [symbol, key]));
  const ambiguous = seen.find(({ symbol, key }) => keys.get(symbol) !== key);
  if (ambiguous !== undefined) {
    const message = `"${ambiguous.symbol}" stands for values of several keys, so their order cannot be judged: give each its letter`;
    return { column: ambiguous.column, message };
  }
  const wanted = groupByKey(drawn, keys);
  const found = groupByKey(firstOnes(drawn, seen), keys);
  for (const [key, events] of wanted) {
    const got = found.get(key) ?? [];
    const at = events.findIndex(({ symbol }, index) => got[index]?.symbol !== symbol);
    const wrong = got[at];
    if (wrong !== undefined) {
      const order = (list: readonly MarbleEvent[]): string => list.map(({ symbol }) => symbol).join("");
      const message = `the values of the key ${JSON.stringify(key)} came as ${order(got)}, and are drawn as ${order(events)}`;
      return { column: wrong.column, message };
    }
  }
  return null;
}

function groupByKey<E extends MarbleEvent>(
  events: readonly E[],
  keys: ReadonlyMap<string, string>,
): ReadonlyMap<string, readonly E[]> {
  const groups = new Map<string, E[]>();
  for (const event of events) {
    const key = keys.get(event.symbol) ?? "";
    groups.set(key, [...(groups.get(key) ?? []), event]);
  }
  return groups;
}

function firstOnes(drawn: readonly MarbleEvent[], seen: readonly SeenEvent[]): readonly SeenEvent[] {
  const left = countsOf(drawn);
  return seen.filter(({ symbol }) => {
    const count = left.get(symbol) ?? 0;
    left.set(symbol, count - 1);
    return count > 0;
  });
}
