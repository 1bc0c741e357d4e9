import type { History, OutputRecord, Violation } from "../history.ts";
import { faultsAround, inOrder, outputLine } from "./excerpt.ts";
import { grouped } from "./grouped.ts";
import { compareOffsets } from "./offsets.ts";

/**
 * **one owner**: what one input partition led to was written by one stay after the other, in the order of the log and in
 * that of the offsets. A stay that was followed by another one never appears again.
 */
export function checkOneOwner(history: History): readonly Violation[] {
  const found: Violation[] = [];
  for (const [from, records] of grouped(history.output, (record) => record.from)) {
    for (const log of grouped(records, ({ partition }) => partition).values()) {
      found.push(...returnsOf(history, log, `in the log of output/${log[0]?.partition}`));
      found.push(...stepsBack(history, log));
    }
    const byOffset = records.toSorted((a, b) => compareOffsets(a.source, b.source));
    found.push(...returnsOf(history, byOffset, `along the offsets of input/${from}`));
  }
  return found;
}

/** Places at which a stay appears again behind another one. */
function returnsOf(history: History, records: readonly OutputRecord[], where: string): readonly Violation[] {
  const lastOf = new Map<string, OutputRecord>();
  const found: Violation[] = [];
  let before: OutputRecord | undefined;
  for (const record of records) {
    const own = lastOf.get(record.stay);
    if (before !== undefined && before.stay !== record.stay && own !== undefined) {
      const message = `stay ${record.stay} appears again behind ${before.stay} ${where}`;
      found.push(violation(history, message, [own, before, record]));
    }
    lastOf.set(record.stay, record);
    before = record;
  }
  return found;
}

/** Commits of one task move its offset forward, so its copies are in the order of the input. */
function stepsBack(history: History, log: readonly OutputRecord[]): readonly Violation[] {
  const found: Violation[] = [];
  let before: OutputRecord | undefined;
  for (const record of log) {
    if (before !== undefined && compareOffsets(record.source, before.source) < 0) {
      const message = `output/${record.partition} steps back on input/${record.from}, from ${before.source} to ${record.source}`;
      found.push(violation(history, message, [before, record]));
    }
    before = record;
  }
  return found;
}

function violation(history: History, message: string, records: readonly OutputRecord[]): Violation {
  const times = records.map(({ atMs }) => atMs);
  return {
    invariant: "one owner",
    message,
    excerpt: inOrder([...records.map(outputLine), ...faultsAround(history, Math.min(...times), Math.max(...times))]),
  };
}
