/** `aggregate` and `deduplicate` as plain computations, from what their docstrings say. Records are in the order of their partitions. */
import type { BatchRecord } from "./batch-windows.ts";

/** One result of a running aggregate: the names of all records of the key so far, in their order. */
export interface RunningResult {
  readonly key: string;
  readonly of: readonly string[];
}

/**
 * The results, one for each record. A key that had no record for `ttlMs` of event time begins anew: event time is as far as the
 * record says, by its own time or by its stamp. `null`: never.
 */
export function batchAggregate(records: readonly BatchRecord[], ttlMs: number | null): readonly RunningResult[] {
  const keys = new Map<string, { readonly lastMs: number; readonly of: readonly string[] }>();
  return records.map(({ name, key, at, stamp }) => {
    const before = keys.get(key);
    const isForgotten = before === undefined || (ttlMs !== null && Math.max(at, stamp) >= before.lastMs + ttlMs);
    const of = isForgotten ? [name] : [...before.of, name];
    keys.set(key, { lastMs: isForgotten ? at : Math.max(at, before.lastMs), of });
    return { key, of };
  });
}

/**
 * The names of what passes: all but records less than `withinMs` of event time away from one of the same key and identity that
 * has passed, and is remembered. It is until event time has passed it by twice as much.
 */
export function batchDeduplicate(
  records: readonly BatchRecord[],
  withinMs: number,
  identityOf: (name: string) => string,
): readonly string[] {
  const passed = new Map<string, number[]>();
  const passes = ({ name, key, at, stamp }: BatchRecord): boolean => {
    const who = JSON.stringify([key, identityOf(name)]);
    const before = passed.get(who) ?? [];
    if (before.some((other) => stamp < other + 2 * withinMs && Math.abs(at - other) < withinMs)) {
      return false;
    }
    passed.set(who, [...before, at]);
    return true;
  };
  return records.filter(passes).map(({ name }) => name);
}
