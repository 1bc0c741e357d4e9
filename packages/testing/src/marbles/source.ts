import { MarbleError } from "./marble-error.ts";

/** A diagram as it was written, to point into. */
export interface Source {
  readonly lines: readonly string[];
  /** For each row, its line. */
  readonly lineOfRow: readonly number[];
  /** For each column, its place in the lines. */
  readonly placeOfColumn: readonly number[];
}

/** The error of a place in a text: the lines, and a caret under the place. */
export function invalidAt(
  lines: readonly string[],
  where: { readonly line: number; readonly place: number },
  message: string,
): MarbleError {
  const shown = lines.map((line) => `  ${line.trimEnd()}`);
  shown.splice(where.line + 1, 0, `  ${" ".repeat(where.place)}^`);
  const diagram = shown.filter((line) => line.trim() !== "").join("\n");
  return new MarbleError("InvalidMarbles", `${message}\n\n${diagram}\n`);
}

/** The error of a column of a row. */
export function invalidColumn(source: Source, row: number, column: number, message: string): MarbleError {
  const line = source.lineOfRow[row] ?? 0;
  return invalidAt(source.lines, { line, place: source.placeOfColumn[column] ?? 0 }, message);
}

/** The error of a row as a whole: the caret is under its first letter. */
export function invalidRow(source: Source, row: number, message: string): MarbleError {
  const line = source.lineOfRow[row] ?? 0;
  return invalidAt(source.lines, { line, place: (source.lines[line] ?? "").search(/\S/) }, message);
}
