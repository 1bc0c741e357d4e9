import { grouped } from "../grouped.ts";
import type { HistoryView } from "../history-view.ts";
import type { HistoryLine, ReadLine } from "../lines.ts";
import { partitionName } from "../partition-view.ts";
import type { Findings } from "../verdict.ts";

/**
 * **form**: the lines are a history. Every outcome has a beginning, the lines of a process are in the order of its time, what one
 * reader was given follows on what it was given before, and the end of each thing is told once and whole.
 *
 * Needs nothing. Cannot see calls of which no line was written.
 */
export function judgeForm(view: HistoryView, found: Findings): void {
  found.judged();
  for (const { message, lines } of view.odd) {
    found.violated(message, lines);
  }
  judgeTimes(view.lines, found);
  judgeReaders(view.reads, found);
  judgeStores(view, found);
}

function judgeTimes(lines: readonly HistoryLine[], found: Findings): void {
  const last = new Map<string, HistoryLine & { readonly atMs: number }>();
  for (const line of lines) {
    if ("process" in line) {
      const before = last.get(line.process);
      if (before !== undefined && before.atMs > line.atMs) {
        found.violated(`the time of ${line.process} steps back from ${before.atMs} to ${line.atMs}`, [before, line]);
      }
      last.set(line.process, line);
    }
  }
}

function judgeReaders(reads: readonly ReadLine[], found: Findings): void {
  for (const of of grouped(reads, ({ process, reader }) => `${process} ${reader}`).values()) {
    for (const [at, line] of of.entries()) {
      const before = of[at - 1];
      const stood = before?.records.at(-1)?.offset;
      if (before !== undefined && stood !== line.after) {
        const name = `reader ${line.reader} of ${line.process}, on ${partitionName(line)},`;
        found.violated(`${name} stood at ${stood} and read on behind ${line.after}`, [before, line]);
      }
    }
  }
}

function judgeStores({ states }: HistoryView, found: Findings): void {
  const idOf = ({ group, topic, partition, incarnation, store }: (typeof states)[number]): string =>
    JSON.stringify([group, topic, partition, incarnation, store]);
  for (const [id, [first, second]] of grouped(states, idOf)) {
    if (first !== undefined && second !== undefined) {
      found.violated(`the end of the store ${id} is told twice`, [first, second]);
    }
  }
}
