import type { History, InputRecord, Violation } from "../history.ts";
import { inputLine } from "./excerpt.ts";
import { grouped } from "./grouped.ts";

/** **produced**: what was acknowledged is in the input once, in order for each key; nothing is there that was not sent. */
export function checkProduced({ sent, input }: History): readonly Violation[] {
  const stored = grouped(input, idOf);
  const known = new Set(sent.map(idOf));
  const lost = sent
    .filter((record) => record.isAcked && !stored.has(idOf(record)))
    .map(({ key, n }) => violation(`${key} n=${n} was acknowledged to the producer and is not in the input`, []));
  const doubled = [...stored.values()]
    .filter((copies) => copies.length > 1)
    .map((copies) => violation(`${nameOf(copies[0])} is in the input ${copies.length} times`, copies));
  const phantoms = input
    .filter((record) => !known.has(idOf(record)))
    .map((record) => violation(`${nameOf(record)} is in the input, but nobody sent it`, [record]));
  return [...lost, ...doubled, ...phantoms, ...outOfOrder(input)];
}

function outOfOrder(input: readonly InputRecord[]): readonly Violation[] {
  const last = new Map<string, InputRecord>();
  const found: Violation[] = [];
  for (const record of input) {
    const before = last.get(record.key);
    if (before !== undefined && before.partition !== record.partition) {
      found.push(violation(`${record.key} is in two partitions of the input`, [before, record]));
    } else if (before !== undefined && record.n < before.n) {
      found.push(violation(`${nameOf(record)} comes behind n=${before.n} in the input`, [before, record]));
    }
    last.set(record.key, record);
  }
  return found;
}

function violation(message: string, records: readonly InputRecord[]): Violation {
  return { invariant: "produced", message, excerpt: records.map(inputLine) };
}

function idOf({ key, n }: { readonly key: string; readonly n: number }): string {
  return `${key} ${n}`;
}

function nameOf(record: InputRecord | undefined): string {
  return `${record?.key} n=${record?.n}`;
}
