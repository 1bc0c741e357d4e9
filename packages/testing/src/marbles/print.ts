import { byColumn, type Diagram, labelOf, type MarbleRow } from "./diagram.ts";

/** How wide each column is drawn, and whether groups take columns of their own. */
interface Layout {
  readonly widths: readonly number[];
  readonly isNarrow: boolean;
}

/**
 * Draws a diagram: one line a row, all of one length, labels in front. Groups are drawn `(ab)`, over columns that are free; where
 * one of them has no room, all are drawn `[ab]`, which takes one column, and the other rows are blank beside it.
 */
export function printDiagram(diagram: Diagram): string {
  const labels = diagram.rows.map(labelOf);
  const width = Math.max(0, ...labels.map(({ length }) => length));
  return drawRows(diagram)
    .map((line, index) => `${(labels[index] ?? "").padEnd(width)}  ${line}`)
    .join("\n");
}

/** The rows without their labels, aligned. */
export function drawRows(diagram: Diagram): readonly string[] {
  const layout = layoutOf(diagram);
  return diagram.rows.map((row) => drawRow(row, layout).trimEnd());
}

/** Where each column begins in the lines of {@link drawRows}. */
export function placesOf(diagram: Diagram): readonly number[] {
  let place = 0;
  return layoutOf(diagram).widths.map((width) => {
    const here = place;
    place += width;
    return here;
  });
}

function layoutOf({ columns, rows }: Diagram): Layout {
  const isNarrow = !rows.every((row) => hasRoom(row, columns));
  const widths = Array.from({ length: columns }, () => 1);
  if (isNarrow) {
    for (const row of rows) {
      for (const [column, symbols] of byColumn(row.events)) {
        widths[column] = Math.max(widths[column] ?? 1, widthOf(symbols));
      }
    }
  }
  return { widths, isNarrow };
}

function widthOf(symbols: readonly string[]): number {
  return symbols.length === 1 ? 1 : symbols.length + 2;
}

/** Whether every group of the row can be drawn over columns in which nothing happens. */
function hasRoom(row: MarbleRow, columns: number): boolean {
  const taken = [...byColumn(row.events)].map(([column, symbols]) => ({ column, end: column + widthOf(symbols) }));
  return taken.every(({ end }, index) => end <= (taken[index + 1]?.column ?? columns));
}

function drawRow(row: MarbleRow, { widths, isNarrow }: Layout): string {
  const symbolsIn = byColumn(row.events);
  let line = "";
  /** The first column that no group has taken. */
  let free = 0;
  widths.forEach((width, column) => {
    const symbols = symbolsIn.get(column);
    if (symbols !== undefined) {
      line += cellOf(symbols, isNarrow).padEnd(width);
      free = isNarrow ? column + 1 : column + widthOf(symbols);
    } else if (column >= free) {
      line += "-".padEnd(width);
    }
  });
  return line;
}

function cellOf(symbols: readonly string[], isNarrow: boolean): string {
  const text = symbols.join("");
  if (symbols.length === 1) {
    return text;
  }
  return isNarrow ? `[${text}]` : `(${text})`;
}
