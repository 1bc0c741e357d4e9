import { labelOf, type MarbleRow, type RowKind } from "./diagram.ts";
import { MarbleError } from "./marble-error.ts";
import { type ParsedDiagram, parseDiagram } from "./parse.ts";
import { checkPartition, partitionsOf, type Topics, topicOf } from "./script-of.ts";
import { invalidColumn, invalidRow } from "./source.ts";

/** The rows that a run is compared with. */
export type ComparedKind = Extract<RowKind, "out" | "effects" | "commits">;

/** A row that a run is compared with, and what it is about. */
export interface DrawnRow extends MarbleRow {
  readonly kind: ComparedKind;
  /** `null`: effects. */
  readonly topicName: string | null;
  /** How many partitions the topic has. */
  readonly partitions: number;
}

/** What rows can be about. */
export interface Comparable {
  readonly topics: Topics;
  readonly hasEffects: boolean;
}

/** The rows of a diagram that a run is compared with; throws `MarbleError` where one is about nothing that there is. */
export function drawnRows({ diagram, source }: ParsedDiagram, about: Comparable): readonly DrawnRow[] {
  return diagram.rows.flatMap((row, index) => {
    const { kind } = row;
    if (kind === "records" || kind === "owner") {
      return [];
    }
    return [drawnRow({ ...row, kind }, about, (message) => invalidRow(source, index, message))];
  });
}

function drawnRow(
  row: MarbleRow & { readonly kind: ComparedKind },
  { topics, hasEffects }: Comparable,
  fail: (message: string) => MarbleError,
): DrawnRow {
  if (row.kind !== "effects") {
    const topic = topicOf(row, topics, fail);
    const partitions = partitionsOf(topic, topics);
    checkPartition(row, partitions, fail);
    return { ...row, topicName: topic.name, partitions };
  }
  if (!hasEffects) {
    throw fail("no effects are recorded: give runMarbles a recorder, effects: effectMarbles(…)");
  }
  if (row.topic !== null || row.partition !== null) {
    throw fail("effects have no topic and no partition: there is one row of them");
  }
  return { ...row, topicName: null, partitions: 1 };
}

/**
 * The rows that are to be compared: those of the text, or those of the kind in the diagram that was run. Throws `MarbleError` where
 * there are none, and for rows of another kind or longer than the run.
 */
export function rowsToCompare(
  text: string | undefined,
  kind: ComparedKind,
  run: Comparable & { readonly drawn: readonly DrawnRow[]; readonly columns: number },
): readonly DrawnRow[] {
  if (text === undefined) {
    const rows = run.drawn.filter((row) => row.kind === kind);
    if (rows.length === 0) {
      throw new MarbleError("InvalidMarbles", `the diagram has no row "${kind}": draw one, or give one here`);
    }
    return rows;
  }
  const { inputs, outputs } = run.topics;
  const parsed = parseDiagram(text, { kind, topics: [...inputs, ...outputs].map(({ name }) => name) });
  const rows = drawnRows(parsed, run);
  const { diagram, source } = parsed;
  diagram.rows.forEach((row, index) => {
    if (row.kind !== kind) {
      throw invalidRow(source, index, `only rows "${kind}" are compared here, not "${labelOf(row)}"`);
    }
    const late = row.events.find(({ column }) => column >= run.columns);
    if (late !== undefined) {
      const message = `the diagram that was run has ${run.columns} columns: nothing is known of what is drawn here`;
      throw invalidColumn(source, index, late.column, message);
    }
  });
  return rows;
}
