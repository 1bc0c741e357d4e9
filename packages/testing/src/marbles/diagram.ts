/**
 * What a marble diagram says, apart from how it is drawn: rows of events in columns. One column is one step of virtual time, the
 * same in all rows. Columns count from 0.
 */

/** What a row is about. */
export type RowKind = "records" | "owner" | "out" | "effects" | "commits";

export const ROW_KINDS: readonly RowKind[] = ["records", "owner", "out", "effects", "commits"];

/** A sign in a column. Several of one column are in their order. */
export interface MarbleEvent {
  readonly column: number;
  /** One letter or digit; `|` the end, `!` a crash. */
  readonly symbol: string;
}

/** One row of a diagram. */
export interface MarbleRow {
  readonly kind: RowKind;
  /** `null`: the only topic that the row can be about. */
  readonly topic: string | null;
  /** `null`: all partitions. */
  readonly partition: number | null;
  /** By column. */
  readonly events: readonly MarbleEvent[];
}

/** A diagram. All rows are `columns` long. */
export interface Diagram {
  readonly columns: number;
  readonly rows: readonly MarbleRow[];
}

/** The row's name, as it stands in front of it: `records orders p0`. */
export function labelOf({ kind, topic, partition }: Omit<MarbleRow, "events">): string {
  return [kind, ...(topic === null ? [] : [topic]), ...(partition === null ? [] : [`p${partition}`])].join(" ");
}

/** The events of a row by column, in their order. */
export function byColumn(events: readonly MarbleEvent[]): ReadonlyMap<number, readonly string[]> {
  const columns = new Map<number, string[]>();
  for (const { column, symbol } of events) {
    const others = columns.get(column);
    if (others === undefined) {
      columns.set(column, [symbol]);
    } else {
      others.push(symbol);
    }
  }
  return columns;
}

/** Letters and digits: the signs that stand for values, workers and numbers. */
export const SIGNS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** Whether it is one letter or digit. */
export function isSign(symbol: string): boolean {
  return symbol.length === 1 && SIGNS.includes(symbol);
}
