/** From when to when records waited for their task, record by record, while it did not move on. */
import type { Accepted, History, Interval } from "../history.ts";
import { acceptedCommits } from "./accepted.ts";
import { grouped } from "./grouped.ts";
import { compareOffsets } from "./offsets.ts";

interface Arrival {
  readonly offset: string;
  /** When it was appended. */
  readonly atMs: number;
}

/** A span for each record of each task, `<topic>/<partition>`; nothing is slow before `begunMs`. */
export function waitsOf(history: History, begunMs: number): ReadonlyMap<string, readonly Interval[]> {
  return new Map([...waitsForCopies(history, begunMs), ...waitsForCommits(history, begunMs)]);
}

/** On the input: until the copy is in the output. A record without a copy waits to this day. */
function waitsForCopies(history: History, begunMs: number): readonly (readonly [string, readonly Interval[]])[] {
  const copies = new Map(history.output.toReversed().map((record) => [`${record.from} ${record.source}`, record.atMs]));
  return [...grouped(history.input, ({ partition }) => partition)].map(([partition, records]) => {
    const moves = records.map(({ offset }) => copies.get(`${partition} ${offset}`) ?? history.endMs);
    return [`${history.inputTopic}/${partition}`, spans(records, moves, begunMs)];
  });
}

/**
 * Between the steps: until a worker was told of a commit that covers the record. The end of the run is left out: a commit
 * whose worker was killed before it could write it down is known by the next one only.
 */
function waitsForCommits(history: History, begunMs: number): readonly (readonly [string, readonly Interval[]])[] {
  const commits = grouped(history.processes.flatMap(acceptedCommits), ({ task }) => task);
  return [...grouped(history.between, ({ topic, partition }) => `${topic}/${partition}`)].map(([task, records]) => {
    const moves = firstCommits(records, commits.get(task) ?? []);
    const known = records.filter((_record, at) => moves[at] !== undefined || history.incomplete !== null);
    return [
      task,
      spans(
        known,
        known.map((_record, at) => moves[at] ?? history.endMs),
        begunMs,
      ),
    ];
  });
}

/** For each record, when the first commit that covers it was reported. */
function firstCommits(records: readonly Arrival[], commits: readonly Accepted[]): readonly (number | undefined)[] {
  const inOrder = commits.toSorted((a, b) => compareOffsets(a.offset, b.offset));
  const moves: (number | undefined)[] = [];
  let firstMs: number | undefined;
  for (const { offset } of records.toReversed()) {
    for (
      let last = inOrder.at(-1);
      last !== undefined && compareOffsets(last.offset, offset) >= 0;
      last = inOrder.at(-1)
    ) {
      // A commit may be reported later than one behind it: its worker was frozen before it read the reply.
      firstMs = Math.min(firstMs ?? last.atMs, last.atMs);
      inOrder.pop();
    }
    moves.push(firstMs);
  }
  return moves.toReversed();
}

function spans(records: readonly Arrival[], moves: readonly number[], begunMs: number): readonly Interval[] {
  let movedMs = begunMs;
  return records.map(({ atMs }, at) => {
    const fromMs = Math.max(atMs, movedMs);
    movedMs = Math.max(movedMs, moves[at] ?? movedMs);
    return { fromMs, toMs: movedMs };
  });
}
