/** From a diagram to what is to be played: which topics, letters and workers its rows speak of. */
import { partitionOf } from "@millrace/core";
import { labelOf, type MarbleRow, type RowKind } from "./diagram.ts";
import { MarbleError } from "./marble-error.ts";
import { type OwnerPlan, type OwnerRow, planOwners } from "./owner-plan.ts";
import type { ParsedDiagram } from "./parse.ts";
import { invalidColumn, invalidRow, type Source } from "./source.ts";
import type { TopicMarbles } from "./topic-marbles.ts";

/** The topics that rows can be about. */
export interface Topics {
  readonly inputs: readonly TopicMarbles[];
  readonly outputs: readonly TopicMarbles[];
  /** How many partitions topics have that declare none. */
  readonly partitions: number;
}

/** How many partitions a topic has. */
export function partitionsOf({ partitions }: TopicMarbles, topics: Topics): number {
  return partitions ?? topics.partitions;
}

/** Which topics a kind of row is about. */
function topicsFor(kind: RowKind, topics: Topics): readonly TopicMarbles[] {
  switch (kind) {
    case "records":
    case "owner":
    case "commits":
      return topics.inputs;
    case "out":
      return topics.outputs;
    case "effects":
      return [];
  }
}

/** The topic of a row: the one that it names, or the only one. Throws `MarbleError`. */
export function topicOf(
  row: Omit<MarbleRow, "events">,
  topics: Topics,
  fail: (message: string) => MarbleError,
): TopicMarbles {
  const all = topicsFor(row.kind, topics);
  const found = row.topic === null ? all[0] : all.find(({ name }) => name === row.topic);
  if (found === undefined || (row.topic === null && all.length > 1)) {
    const option = row.kind === "out" ? "out" : "in";
    const known = all.map(({ name }) => name).join(", ");
    const message =
      all.length === 0
        ? `which topic is it of? Say so in the option "${option}" of runMarbles`
        : `which topic is "${labelOf(row)}" of? A row "${row.kind}" names one of ${known}, in front of its partition`;
    throw fail(message);
  }
  return found;
}

/** Checks the partition of a row; throws `MarbleError`. */
export function checkPartition(row: MarbleRow, partitions: number, fail: (message: string) => MarbleError): void {
  if (row.partition !== null && row.partition >= partitions) {
    throw fail(`there is no partition ${row.partition}: the topic has ${partitions}, from p0 on`);
  }
}

/** A row of records, with its topic. */
export interface SendRow {
  readonly topic: TopicMarbles;
  readonly events: MarbleRow["events"];
}

interface IndexedRow extends SendRow {
  /** Its place among all rows. */
  readonly index: number;
}

/** The rows of records; throws `MarbleError` for letters without a value, or in the row of another partition. */
export function sendsOf({ diagram, source }: ParsedDiagram, topics: Topics): readonly SendRow[] {
  const rows = diagram.rows.flatMap((row, index): readonly IndexedRow[] => {
    if (row.kind !== "records") {
      return [];
    }
    const topic = topicOf(row, topics, (message) => invalidRow(source, index, message));
    const partitions = partitionsOf(topic, topics);
    checkPartition(row, partitions, (message) => invalidRow(source, index, message));
    for (const event of row.events) {
      const problem = problemOf(row, event.symbol, { topic, partitions });
      if (problem !== null) {
        throw invalidColumn(source, index, event.column, problem);
      }
    }
    return [{ topic, events: row.events, index }];
  });
  for (const row of rows) {
    checkEnd(rows, row, source);
  }
  return rows;
}

function problemOf(
  row: MarbleRow,
  symbol: string,
  { topic, partitions }: { readonly topic: TopicMarbles; readonly partitions: number },
): string | null {
  if (symbol === "|") {
    return null;
  }
  const key = keyOf(topic, symbol);
  if (typeof key === "object" && key !== null) {
    return key.problem;
  }
  if (row.partition === null || partitions === 1) {
    return null;
  }
  if (key === null) {
    return `topic "${topic.name}" has no keys, so its records go to the partitions in turn: draw one row "records"`;
  }
  const partition = partitionOf(key, partitions);
  return partition === row.partition
    ? null
    : `"${symbol}" has the key ${JSON.stringify(key)}, which belongs to partition ${partition}: draw it in a row p${partition}`;
}

/** The key of a letter, or why there is none: the table and the topic's key are the user's own. */
function keyOf(topic: TopicMarbles, letter: string): string | null | { readonly problem: string } {
  try {
    return topic.keyOf(letter);
  } catch (error) {
    if (error instanceof MarbleError) {
      return { problem: error.message };
    }
    const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return { problem: `what "${letter}" stands for, or its key, cannot be found out: ${what}` };
  }
}

/** Throws `MarbleError` unless the end of a topic is drawn once, behind all its records. */
function checkEnd(rows: readonly IndexedRow[], row: IndexedRow, source: Source): void {
  const end = row.events.find(({ symbol }) => symbol === "|");
  if (end === undefined) {
    return;
  }
  const others = rows.filter(({ topic, index }) => topic === row.topic && index !== row.index);
  const isLast = others.every(({ events }) =>
    events.every(({ column, symbol }) => symbol !== "|" && column < end.column),
  );
  if (!isLast || row.events.at(-1) !== end) {
    const message = `| ends the topic "${row.topic.name}" in all its partitions: draw it once, behind all its records`;
    throw invalidColumn(source, row.index, end.column, message);
  }
}

/** What the owner rows ask for, and these rows. */
export interface Owners {
  readonly rows: readonly OwnerRow[];
  readonly plan: OwnerPlan;
}

/** The owner rows; without any, one worker `A` has everything from the beginning. */
export function ownersOf({ diagram, source }: ParsedDiagram, topics: Topics): Owners {
  const rows = diagram.rows.flatMap((row, index) => {
    if (row.kind !== "owner") {
      return [];
    }
    const topic = topicOf(row, topics, (message) => invalidRow(source, index, message));
    const partitions = partitionsOf(topic, topics);
    checkPartition(row, partitions, (message) => invalidRow(source, index, message));
    return [{ ...row, index, topicName: topic.name, partitions }];
  });
  if (rows.length === 0) {
    return { rows, plan: { steps: [{ column: 0, crash: [], start: ["A"], remove: [] }], ownerIn: () => null } };
  }
  return { rows, plan: planOwners(rows, source) };
}
