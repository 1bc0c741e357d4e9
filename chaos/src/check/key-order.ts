import type { History, OutputRecord, Violation } from "../history.ts";
import { faultsAround, inOrder, outputLine } from "./excerpt.ts";

/** **key order**: in the output, n never falls along a key, and a key is in one partition. */
export function checkKeyOrder(history: History): readonly Violation[] {
  const last = new Map<string, OutputRecord>();
  const found: Violation[] = [];
  for (const record of history.output) {
    const before = last.get(record.key);
    if (before !== undefined && before.partition !== record.partition) {
      found.push(violation(history, `${record.key} is in two partitions of the output`, [before, record]));
    } else if (before !== undefined && record.n < before.n) {
      found.push(violation(history, `${record.key} n=${record.n} comes behind n=${before.n}`, [before, record]));
    }
    last.set(record.key, record);
  }
  return found;
}

function violation(history: History, message: string, records: readonly [OutputRecord, OutputRecord]): Violation {
  const [{ atMs: fromMs }, { atMs: toMs }] = records;
  return {
    invariant: "key order",
    message,
    excerpt: inOrder([...records.map(outputLine), ...faultsAround(history, fromMs, toMs)]),
  };
}
