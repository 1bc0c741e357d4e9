import { type Diagram, labelOf, type MarbleRow } from "./diagram.ts";
import { MarbleError, type MarbleErrorTag } from "./marble-error.ts";
import { drawRows, placesOf } from "./print.ts";

/** What a failure shows. */
export interface Report {
  readonly tag: Exclude<MarbleErrorTag, "InvalidMarbles">;
  /** What is wrong, in one line. */
  readonly title: string;
  /** Rows that say what led to it. */
  readonly around: readonly MarbleRow[];
  readonly expected: readonly MarbleRow[];
  readonly actual: readonly MarbleRow[];
  readonly columns: number;
  /** Where the caret is. */
  readonly column: number;
  /** Lines behind the diagrams: what letters stand for, what to do. */
  readonly notes: readonly string[];
}

/** The error that shows expected and actual one above the other, aligned with the rows around them. */
export function reportOf({ tag, title, around, expected, actual, columns, column, notes }: Report): MarbleError {
  const diagram: Diagram = { columns, rows: [...around, ...expected, ...actual] };
  const labels = diagram.rows.map(labelOf);
  const width = Math.max(...labels.map(({ length }) => length), "expected".length);
  const drawn = drawRows(diagram).map((line, index) => `${(labels[index] ?? "").padEnd(width)}  ${line}`);
  const expectedAt = around.length;
  const actualAt = expectedAt + expected.length;
  const wanted = drawn.slice(expectedAt, actualAt);
  const found = drawn.slice(actualAt);
  const caret = `${" ".repeat(width + 2 + (placesOf(diagram)[column] ?? 0))}^`;
  const lines = [...drawn.slice(0, expectedAt), "expected", ...wanted, "actual", ...found, caret];
  const text = [title, "", ...lines.map((line) => `  ${line}`), "", ...notes].join("\n");
  return new MarbleError(tag, `${text.trimEnd()}\n`, { expected: wanted.join("\n"), actual: found.join("\n") });
}
