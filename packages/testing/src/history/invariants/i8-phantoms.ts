import type { CallOf } from "../calls.ts";
import { linesOf } from "../calls.ts";
import type { HistoryView } from "../history-view.ts";
import type { ReadLine } from "../lines.ts";
import { type Match, possibleIn } from "../log-matches.ts";
import { StoreVersions } from "../store-versions.ts";
import type { TaskView } from "../task-view.ts";
import type { Findings } from "../verdict.ts";
import { nameOf } from "../written.ts";

/**
 * **I8**: no phantom. Nothing of a call that was refused is in the log; whoever was given a record was given one that stays, as it is;
 * and whoever reads an entry of a store finds a value that it had at that time: no commit that was acknowledged before is missing, and
 * none that was sent later is in it.
 *
 * Needs the calls of the workers and producers, reads, and the log in the end. Entries are judged where every commit of the task is in
 * the history. What may be gone by a declared loss may be read before.
 *
 * Cannot see that one of several pages of a store leaves out an entry.
 */
export function judgePhantoms(view: HistoryView, found: Findings): void {
  for (const match of view.matches) {
    if (match.written.length > 0) {
      found.judged();
      judgeRefused(match, found);
    }
  }
  for (const read of view.reads) {
    judgeRead(view, read, found);
  }
  judgeEntries(view, found);
  if (!found.isJudged) {
    found.missing("there is no read, and no log in the end that a recorded writer writes");
  }
}

function judgeRefused({ partition, found: there, written }: Match, found: Findings): void {
  const possible = possibleIn(written);
  const refused = written.find(({ certainty }) => certainty === "failed");
  // More than were ever asked for are the business of I1.
  if (refused !== undefined && there.length > possible && there.length <= written.length) {
    const copies = possible === 0 ? "is" : `is ${there.length} times, not ${possible},`;
    found.violated(`${nameOf(refused)} was refused and ${copies} in ${partition.name}`, [
      ...written.flatMap(({ lines }) => lines()),
      ...there.map((record) => partition.lineOf(record)),
    ]);
  }
}

function judgeRead(view: HistoryView, read: ReadLine, found: Findings): void {
  const partition = view.partition(read);
  const mayBeLost = view.losses.some(({ fromMs, untilMs }) => fromMs <= read.atMs && untilMs >= read.askedMs);
  if (partition === null || mayBeLost) {
    return;
  }
  found.judged();
  for (const record of read.records.filter(({ offset }) => !partition.isDropped(offset))) {
    const there = partition.at(record.offset);
    if (there === null || there.key !== record.key || there.payload !== record.payload) {
      const what = there === null ? "which is not there in the end" : "which is another one in the end";
      const message = `${read.process} was given ${partition.name} ${record.offset} (key ${record.key}), ${what}`;
      found.violated(message, [read, there === null ? partition.line : partition.lineOf(there)]);
    }
  }
}

function judgeEntries(view: HistoryView, found: Findings): void {
  const versions = new Map<TaskView, StoreVersions | null>();
  for (const call of view.stateReads) {
    const task = view.task(call.invoke);
    if (call.ok !== null && task !== null) {
      const known = versions.get(task);
      const of = known === undefined ? versionsOf(view, task) : known;
      versions.set(task, of);
      if (of === null) {
        found.missing(`not every commit of ${task.name} is known: what was read of its stores is not judged`);
      } else {
        judgeEntriesOf(task, { call, versions: of }, found);
      }
    }
  }
}

function versionsOf(view: HistoryView, task: TaskView): StoreVersions | null {
  const isDropped = view.drops.some(({ invoke }) => view.task(invoke) === task);
  return task.isChainComplete && !task.isLossy && !isDropped ? new StoreVersions(task) : null;
}

function judgeEntriesOf(
  task: TaskView,
  { call, versions }: { readonly call: CallOf<"state">; readonly versions: StoreVersions },
  found: Findings,
): void {
  const { ok, invoke } = call;
  if (ok === null) {
    return;
  }
  found.judged();
  const { store, process } = invoke;
  const span = versions.between(call.from, call.to);
  const there = new Set(ok.entries.map(([key]) => key));
  const left = ok.isWhole ? versions.keysOf(store, span).filter((key) => !there.has(key)) : [];
  for (const [key, value] of [...ok.entries, ...left.map((name) => [name, null] as const)]) {
    if (!versions.held({ store, key, value, ...span })) {
      const what = value === null ? "nothing" : "a value";
      const message = `${process} found ${what} under ${key} in the store ${store} of ${task.name}, which was so neither behind ${span.least} commits nor later, up to ${span.most}`;
      const lines = versions
        .writersOf(store, key)
        .slice(-3)
        .flatMap((commit) => task.linesOf(commit));
      found.violated(message, [...lines, ...linesOf(call)]);
    }
  }
}
