import type { History, InputRecord, OutputRecord, Violation } from "../history.ts";
import { faultsAround, inOrder, inputLine, outputLine } from "./excerpt.ts";
import { grouped } from "./grouped.ts";
import { compareOffsets } from "./offsets.ts";

/** Of records that are lost, so many are shown: to find the neighbours of one takes a look at the whole output. */
const MOST_SHOWN = 50;

/** **exactly once**: every record of the input has one copy in the output, and every copy has its record. */
export function checkExactlyOnce(history: History): readonly Violation[] {
  const { input, output } = history;
  const copies = grouped(output, ({ from, source }) => `${from} ${source}`);
  const originals = new Map(input.map((record) => [idOf(record), record]));
  const found: Violation[] = [];
  for (const [id, of] of copies) {
    const original = originals.get(id);
    const wrong = of.find(({ key, n }) => key !== original?.key || n !== original.n);
    if (wrong !== undefined) {
      found.push(violation(history, "phantom", `${nameOf(wrong)} is the copy of no record of the input`, [wrong]));
    } else if (of.length > 1) {
      found.push(violation(history, "doubled", `${nameOf(of[0])} is in the output ${of.length} times`, of));
    }
  }
  return [...found, ...lost(history, copies)];
}

/**
 * A record without a copy is lost when the workers came to the end of the input, or when a later record of its partition has
 * a copy: offsets of one partition are committed in order.
 */
function lost(history: History, copies: ReadonlyMap<string, readonly OutputRecord[]>): readonly Violation[] {
  const last = new Map<number, OutputRecord>();
  for (const record of history.output) {
    const before = last.get(record.from);
    if (before === undefined || compareOffsets(before.source, record.source) < 0) {
      last.set(record.from, record);
    }
  }
  return history.input
    .filter((record) => {
      const behind = last.get(record.partition);
      const isPassed = behind !== undefined && compareOffsets(behind.source, record.offset) > 0;
      return !copies.has(idOf(record)) && (isPassed || history.incomplete === null);
    })
    .slice(0, MOST_SHOWN)
    .map((record) => {
      const neighbours = neighboursOf(history, record);
      const times = [record, ...neighbours].map(({ atMs }) => atMs);
      return {
        invariant: "exactly once: lost",
        message: `${record.key} n=${record.n} of input/${record.partition} ${record.offset} is not in the output`,
        excerpt: inOrder([
          inputLine(record),
          ...neighbours.map(outputLine),
          ...faultsAround(history, Math.min(...times), Math.max(...times)),
        ]),
      };
    });
}

/** The copies of the records next to one that has none. */
function neighboursOf({ output }: History, { partition, offset }: InputRecord): readonly OutputRecord[] {
  const same = output.filter(({ from }) => from === partition).toSorted((a, b) => compareOffsets(a.source, b.source));
  const behind = same.findIndex(({ source }) => compareOffsets(source, offset) > 0);
  return behind === -1 ? same.slice(-1) : same.slice(Math.max(0, behind - 1), behind + 1);
}

function violation(history: History, kind: string, message: string, records: readonly OutputRecord[]): Violation {
  const times = records.map(({ atMs }) => atMs);
  return {
    invariant: `exactly once: ${kind}`,
    message,
    excerpt: inOrder([...records.map(outputLine), ...faultsAround(history, Math.min(...times), Math.max(...times))]),
  };
}

function idOf({ partition, offset }: InputRecord): string {
  return `${partition} ${offset}`;
}

function nameOf(record: OutputRecord | undefined): string {
  return `${record?.key} n=${record?.n}`;
}
