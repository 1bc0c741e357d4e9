import type { TextOptions } from "./line-text.ts";
import type { HistoryLine } from "./lines.ts";
import { rowsOf } from "./print-rows.ts";
import { type ShortestOptions, shortest } from "./shortest.ts";
import type { Verdict, Violation } from "./verdict.ts";

/** How a history is printed. */
export interface PrintOptions extends TextOptions {
  /** At most so many characters of text in a column, the widest; default 44. */
  readonly columnChars?: number;
  /** At most so many lines of a history; default 60. */
  readonly maxLines?: number;
}

const COLUMN_CHARS = 44;
const MAX_LINES = 60;
const STORE = "the store";
const GAP = "  ";

/**
 * A history as a table: time goes down (ms since its first line), each process has a column, what was done to the store and what it holds in the end is in the
 * last one. Calls have the same number at their beginning and at their outcome.
 */
export function printHistory(lines: readonly HistoryLine[], options: PrintOptions = {}): string {
  const { columnChars = COLUMN_CHARS, maxLines = MAX_LINES } = options;
  const shown = lines.slice(0, maxLines);
  const startMs = Math.min(...shown.map((line) => timeOf(line) ?? Number.POSITIVE_INFINITY));
  const names = [...new Set(shown.map(columnOf))].toSorted((a, b) => Number(a === STORE) - Number(b === STORE));
  const rows = rowsOf(shown, options).map(({ line, text }) => ({
    time: timeText(line, startMs),
    column: names.indexOf(columnOf(line)),
    text: wrapped(text, columnChars),
  }));
  const widths = names.map((name, column) =>
    Math.max(name.length, ...rows.filter((row) => row.column === column).flatMap(({ text }) => text.map(lengthOf))),
  );
  const timeWidth = Math.max(2, ...rows.map(({ time }) => time.length));
  const head = ["ms".padStart(timeWidth), ...names.map((name, at) => name.padEnd(widths[at] ?? 0))];
  const body = rows.flatMap(({ time, column, text }) =>
    text.map((part, at) => {
      const cells = widths.map((width, of) => (of === column ? part : "").padEnd(width));
      return [(at === 0 ? time : "").padStart(timeWidth), ...cells].join(GAP).trimEnd();
    }),
  );
  const more = lines.length > shown.length ? [`… and ${lines.length - shown.length} more lines`] : [];
  return [head.join(GAP).trimEnd(), ...body, ...more].join("\n");
}

function timeOf(line: HistoryLine): number | null {
  return "atMs" in line ? line.atMs : "fromMs" in line ? line.fromMs : null;
}

/** ms since the first line that is shown. */
function timeText(line: HistoryLine, startMs: number): string {
  const atMs = timeOf(line);
  return atMs === null ? "end" : (atMs - startMs).toFixed(1);
}

function lengthOf(text: string): number {
  return text.length;
}

function columnOf(line: HistoryLine): string {
  return "process" in line ? line.process : STORE;
}

/** The text in pieces of so many characters, cut at spaces where there are some. */
function wrapped(text: string, chars: number): readonly string[] {
  const pieces: string[] = [];
  let piece = "";
  for (const word of text.split(" ")) {
    if (piece !== "" && piece.length + 1 + word.length > chars) {
      pieces.push(piece);
      piece = `  ${word}`;
    } else {
      piece = piece === "" ? word : `${piece} ${word}`;
    }
  }
  return [...pieces, piece];
}

/** How a verdict is printed. */
export interface PrintVerdictOptions extends PrintOptions, ShortestOptions {
  /** Of each invariant so many violations are shown; default 1. */
  readonly maxShown?: number;
}

/** What a verdict says, each violation with the shortest history that shows it, and what was not judged. */
export function printVerdict(
  lines: readonly HistoryLine[],
  { violations, judged, notJudged }: Verdict,
  options: PrintVerdictOptions = {},
): string {
  const { maxShown = 1 } = options;
  const parts = judged.flatMap((invariant) => {
    const of = violations.filter((violation) => violation.invariant === invariant);
    const more = of.length > maxShown ? [`… and ${of.length - maxShown} more of ${invariant}`] : [];
    return [...of.slice(0, maxShown).map((violation) => printViolation(lines, violation, options)), ...more];
  });
  const summary = [
    `${violations.length} violations; judged: ${judged.join(" ")}`,
    ...notJudged.map(({ invariant, reason }) => `  not judged: ${invariant.padEnd(4)} ${reason}`),
  ];
  return [...parts, summary.join("\n")].join("\n\n");
}

/** A violation, and the shortest history that shows it. */
function printViolation(lines: readonly HistoryLine[], violation: Violation, options: PrintVerdictOptions): string {
  const history = shortest(lines, violation, options);
  return `${violation.invariant}: ${violation.message}\n\n${printHistory(history, options)}`;
}
