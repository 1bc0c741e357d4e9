/**
 * What owner rows ask for. A row draws who is to own its partitions: a letter from its column on, until another letter follows, the
 * owner crashes (`!`) or leaves (`|`). Which workers there are follows from that: in each column those, and only those, that some
 * row draws. The group shares the tasks among them by itself, evenly; so rows in which one worker has two partitions more than
 * another are refused here, and what the group has decided otherwise is told after the run.
 */
import { byColumn, isSign, labelOf, type MarbleRow } from "./diagram.ts";
import { invalidColumn, invalidRow, type Source } from "./source.ts";

/** What happens to workers in a column: first crashes, then starts, then those leave that no row draws any more. */
export interface OwnerStep {
  readonly column: number;
  readonly crash: readonly string[];
  readonly start: readonly string[];
  readonly remove: readonly string[];
}

/** An owner row among the rows of its diagram. */
export interface OwnerRow extends MarbleRow {
  /** Its place among all rows. */
  readonly index: number;
  readonly topicName: string;
  /** How many partitions its topic has. */
  readonly partitions: number;
}

/** Who is to own what. */
export interface OwnerPlan {
  /** By column; columns in which nothing happens are left out. */
  readonly steps: readonly OwnerStep[];
  /** Who is to own the partitions of a row by the end of a column; `null`: that is not said. */
  ownerIn(row: OwnerRow, column: number): string | null;
}

/** Reads owner rows; throws `MarbleError` `InvalidMarbles` for what no group can do. */
export function planOwners(rows: readonly OwnerRow[], source: Source): OwnerPlan {
  checkRows(rows, source);
  const columns = new Set(rows.flatMap(({ events }) => events.map(({ column }) => column)));
  const owners = new Map<OwnerRow, string | null>(rows.map((row) => [row, null]));
  const changes = new Map<OwnerRow, { readonly column: number; readonly owner: string | null }[]>();
  const steps: OwnerStep[] = [];
  for (const column of [...columns].toSorted((a, b) => a - b)) {
    const before = workersIn(owners);
    const changing = rows.map((row) => ({ row, owner: owners.get(row) ?? null, ...changeOf(row, column, source) }));
    const crash = crashesOf(changing, column, source);
    for (const { row, next } of changing) {
      if (next !== undefined) {
        owners.set(row, next);
        changes.set(row, [...(changes.get(row) ?? []), { column, owner: next }]);
      }
    }
    const after = workersIn(owners);
    checkShares({ owners, source, column });
    const start = [...after].filter((worker) => !before.has(worker) || crash.includes(worker));
    const remove = [...before].filter((worker) => !after.has(worker) && !crash.includes(worker));
    if (crash.length + start.length + remove.length > 0) {
      steps.push({ column, crash, start, remove });
    }
  }
  return {
    steps,
    ownerIn: (row, column) => changes.get(row)?.findLast((change) => change.column <= column)?.owner ?? null,
  };
}

function workersIn(owners: ReadonlyMap<OwnerRow, string | null>): ReadonlySet<string> {
  return new Set([...owners.values()].filter((worker) => worker !== null));
}

function checkRows(rows: readonly OwnerRow[], source: Source): void {
  for (const row of rows) {
    const { index, partition, topicName } = row;
    if (partition === null && rows.some((other) => other.topicName === topicName && other.partition !== null)) {
      throw invalidRow(
        source,
        index,
        `"${labelOf(row)}" is about all partitions: draw it, or one row for each of them`,
      );
    }
  }
}

/** What a row says in a column. `next`: `undefined` where it says nothing of who is to own it. */
interface Change {
  readonly isCrash: boolean;
  readonly next: string | null | undefined;
}

function changeOf(row: OwnerRow, column: number, source: Source): Change {
  const symbols = byColumn(row.events).get(column) ?? [];
  const [first, second] = symbols;
  const isCrash = first === "!";
  const rest = isCrash ? second : first;
  if (symbols.length > (isCrash ? 2 : 1) || rest === "!" || (isCrash && rest === "|")) {
    const message = `(${symbols.join("")}) is more than can happen to an owner in one column: a letter, | or !, or ! and the letter that is to follow`;
    throw invalidColumn(source, row.index, column, message);
  }
  if (rest === undefined) {
    return { isCrash, next: isCrash ? null : undefined };
  }
  return { isCrash, next: isSign(rest) ? rest : null };
}

interface Changing extends Change {
  readonly row: OwnerRow;
  readonly owner: string | null;
}

/** The workers that crash; every row of theirs must say so. */
function crashesOf(changing: readonly Changing[], column: number, source: Source): readonly string[] {
  const orphan = changing.find(({ owner, isCrash, next }) => owner === null && (isCrash || next === null));
  if (orphan !== undefined) {
    const message = `nobody is drawn as the owner here, so nobody can ${orphan.isCrash ? "crash" : "leave"}: draw a letter in front of it`;
    throw invalidColumn(source, orphan.row.index, column, message);
  }
  const crashed = new Set(changing.flatMap(({ owner, isCrash }) => (isCrash && owner !== null ? [owner] : [])));
  const silent = changing.find(({ owner, isCrash }) => owner !== null && crashed.has(owner) && !isCrash);
  if (silent !== undefined) {
    const message = `${silent.owner} crashes in this column, and owns "${labelOf(silent.row)}" as well: draw ! here, too`;
    throw invalidColumn(source, silent.row.index, column, message);
  }
  return [...crashed];
}

interface Shares {
  readonly owners: ReadonlyMap<OwnerRow, string | null>;
  readonly source: Source;
  readonly column: number;
}

/** A group gives each worker as many of a topic's partitions as the others, or one more. */
function checkShares({ owners, source, column }: Shares): void {
  const workers = workersIn(owners);
  const topics = new Set([...owners.keys()].map(({ topicName }) => topicName));
  for (const topic of topics) {
    const rows = [...owners].filter(([row]) => row.topicName === topic);
    for (const [row, worker] of rows) {
      const partitions = row.partitions;
      const share = rows
        .filter(([, other]) => other === worker)
        .reduce((sum, [each]) => sum + (each.partition === null ? partitions : 1), 0);
      const most = Math.ceil(partitions / workers.size);
      if (worker !== null && share > most) {
        const message = `${worker} cannot own ${share} of ${partitions} partitions while there are ${workers.size} workers (${[...workers].join(", ")}): a group shares evenly, at most ${most} for each`;
        throw invalidColumn(source, row.index, column, message);
      }
    }
  }
}
