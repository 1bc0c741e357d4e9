import { labelOf, type MarbleRow } from "./diagram.ts";
import type { OwnerRow } from "./owner-plan.ts";
import type { Played } from "./played.ts";
import { reportOf } from "./report.ts";
import type { Owners } from "./script-of.ts";

/** What the owner rows have asked for, and what came of it. */
export interface Reached {
  readonly owners: Owners;
  readonly played: Played;
  readonly columns: number;
  /** The rows of records, for the message. */
  readonly around: readonly MarbleRow[];
  /** Who owned the partitions, as it was. */
  readonly actual: readonly MarbleRow[];
  readonly columnMs: number;
}

/** Throws `MarbleError` `OwnerNotReached` where somebody else had a partition in the last column in which a row draws its owner. */
export function checkOwners(reached: Reached): void {
  const { owners, played } = reached;
  for (const promise of owners.rows.flatMap((row) => promisesOf(row, reached))) {
    const { row, partition, last, worker } = promise;
    const found = played.ownerAt.get(`${row.topicName}/${partition}`)?.[last] ?? null;
    if (found !== worker) {
      throw failure(reached, promise, found);
    }
  }
}

/** That a worker has a partition in the last column in which it is drawn. */
interface OwnerPromise {
  readonly row: OwnerRow;
  readonly partition: number;
  readonly worker: string;
  readonly from: number;
  readonly last: number;
}

function promisesOf(row: OwnerRow, { owners, columns }: Reached): readonly OwnerPromise[] {
  const changes = [...new Set(row.events.map(({ column }) => column))];
  const all = Array.from({ length: row.partitions }, (_, index) => index);
  return changes.flatMap((from, index) => {
    const last = (changes[index + 1] ?? columns) - 1;
    const worker = owners.plan.ownerIn(row, from);
    const partitions = row.partition === null ? all : [row.partition];
    return worker === null ? [] : partitions.map((partition) => ({ row, partition, worker, from, last }));
  });
}

function failure(
  { owners, around, actual, columns, columnMs }: Reached,
  { row, partition, worker, from, last }: OwnerPromise,
  found: string | null,
): Error {
  const had = found === null ? "nobody had it" : `${found} had it`;
  return reportOf({
    tag: "OwnerNotReached",
    title: `"${labelOf(row)}" did not come true: from column ${from} on ${worker} was to have partition ${partition} of "${row.topicName}"; in column ${last} (${last * columnMs} ms), the last one of that, ${had}`,
    around,
    expected: owners.rows,
    actual,
    columns,
    column: last,
    notes: [
      "Which of the workers has which partition is decided by their group. Draw what it does, as under actual. A hand-over takes 20 to",
      "150 ms, a take-over what is left of the session of the worker that was killed: draw more columns, or longer ones. For rows that",
      'only say which workers run, there is the option owners: "asked".',
    ],
  });
}
