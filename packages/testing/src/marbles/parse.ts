/**
 * Reads marble diagrams.
 *
 * A row is a label and, behind it, one character for each column: `-` nothing, a letter or digit, `|` or `!` an event. `(ab)` is
 * several events in the column of its bracket, and takes as many columns as it has characters, as in RxJS. `[ab]` is the same
 * in one column; beside it the other rows are blank. All rows begin in the same place, so that what is one above the other is at
 * the same time.
 */
import { type Diagram, isSign, labelOf, type MarbleEvent, type MarbleRow, ROW_KINDS, type RowKind } from "./diagram.ts";
import { invalidAt, type Source } from "./source.ts";

/** A diagram together with the text that it was read from. */
export interface ParsedDiagram {
  readonly diagram: Diagram;
  readonly source: Source;
}

/** What the labels may say. */
export interface RowNames {
  /** The topics that a label may name. */
  readonly topics: readonly string[];
  /** What a single row without a label is about. */
  readonly kind?: RowKind;
}

/** A row before its columns are known. */
interface Line {
  readonly text: string;
  readonly line: number;
  /** Where its columns begin. */
  readonly start: number;
  readonly name: Omit<MarbleRow, "events">;
  /** What the label may have meant. */
  readonly hint: string;
}

/** A character of a row. */
interface Cell {
  readonly place: number;
  readonly char: string;
  /** Where its group begins; `null` outside of groups. */
  readonly opening: number | null;
  /** Whether it takes no time: in a group in square brackets, behind the bracket. */
  readonly isBeside: boolean;
}

/** The signs besides letters and digits that a row may have. */
const MARKS: { readonly [Kind in RowKind]: string } = { records: "|", owner: "!|", out: "", effects: "", commits: "" };

/** Reads a diagram; throws `MarbleError` `InvalidMarbles`, with a caret under what is wrong. */
export function parseDiagram(text: string, names: RowNames): ParsedDiagram {
  const lines = withoutIndent(text.split(/\r?\n/));
  const rows = lines.flatMap((line, index) => (line.trim() === "" ? [] : [readLine(lines, index, names)]));
  const [first] = rows;
  if (first === undefined) {
    throw invalidAt(lines, { line: 0, place: 0 }, "the diagram is empty: draw a row, such as records -a-b-");
  }
  for (const row of rows) {
    checkStart(lines, row, first);
  }
  const cells = rows.map((row) => readCells(lines, row));
  const beside = placesBeside(cells);
  rows.forEach((row, index) => {
    checkBlanks(lines, row, cells[index] ?? [], beside);
  });
  const placeOfColumn = columnPlaces(rows, beside);
  const columnOf = new Map(placeOfColumn.map((place, column) => [place, column]));
  const parsed = rows.map(({ name }, index) => ({ ...name, events: eventsOf(cells[index] ?? [], columnOf) }));
  checkNames(lines, rows);
  return {
    diagram: { columns: placeOfColumn.length, rows: parsed },
    source: { lines, lineOfRow: rows.map(({ line }) => line), placeOfColumn },
  };
}

/** Diagrams are written in template strings: what all lines are indented by means nothing. */
function withoutIndent(lines: readonly string[]): readonly string[] {
  const indents = lines.filter((line) => line.trim() !== "").map((line) => line.search(/[^ ]/));
  const indent = Math.min(...indents);
  return lines.map((line) => (line.trim() === "" ? "" : line.slice(indent)));
}

function readLine(lines: readonly string[], index: number, names: RowNames): Line {
  const text = lines[index] ?? "";
  const tab = text.indexOf("\t");
  if (tab >= 0) {
    throw invalidAt(lines, { line: index, place: tab }, "a tab has no width of its own: indent with blanks");
  }
  const words = [...text.matchAll(/\S+/g)].map((match) => ({ word: match[0], place: match.index }));
  const label = labelIn(
    words.map(({ word }) => word),
    names,
  );
  if (label === null) {
    return withoutLabel(lines, index, names);
  }
  const content = words[label.length];
  if (content === undefined) {
    throw invalidAt(lines, { line: index, place: text.length }, `the row "${text.trim()}" has no columns: draw some`);
  }
  const hint = words.length > label.length + 1 ? topicHint(content.word, names.topics) : "";
  return { text: text.trimEnd(), line: index, start: content.place, name: label.name, hint };
}

/** The label that a row begins with, and how many words it has; `null`: there is none. The last word is never part of it. */
function labelIn(
  words: readonly string[],
  names: RowNames,
): { readonly name: Line["name"]; readonly length: number } | null {
  const [first, ...others] = words;
  const kind = ROW_KINDS.find((each) => each === first);
  if (kind === undefined) {
    return null;
  }
  const rest = others.slice(0, -1);
  const topic = names.topics.find((name) => name === rest[0]) ?? null;
  const behind = topic === null ? rest : rest.slice(1);
  const partition = /^p(\d{1,4})$/.exec(behind[0] ?? "");
  const name = { kind, topic, partition: partition === null ? null : Number(partition[1]) };
  return { name, length: 1 + (topic === null ? 0 : 1) + (partition === null ? 0 : 1) };
}

/** A name that the diagram does not know looks like the row's first columns, and would only be called not aligned. */
function topicHint(word: string, topics: readonly string[]): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(word)) {
    return "";
  }
  const known =
    topics.length === 0 ? "it can name none" : `it can name ${topics.map((each) => `"${each}"`).join(", ")}`;
  return ` (is "${word}" to be a topic? ${known}; partitions are written p0, p1, …)`;
}

/** A row that says only what happens, where it is known what it is about. */
function withoutLabel(lines: readonly string[], index: number, { kind }: RowNames): Line {
  const text = (lines[index] ?? "").trimEnd();
  const start = text.search(/\S/);
  const isAlone = lines.filter((line) => line.trim() !== "").length === 1;
  if (kind === undefined || !isAlone) {
    const message = `a row begins with what it is about: ${ROW_KINDS.join(", ")}`;
    throw invalidAt(lines, { line: index, place: start }, message);
  }
  return { text, line: index, start, name: { kind, topic: null, partition: null }, hint: "" };
}

function checkStart(lines: readonly string[], row: Line, first: Line): void {
  if (row.start !== first.start) {
    const { line, start, hint } = row.hint === "" && first.hint !== "" ? first : row;
    const message = `the rows are not aligned: the first column of "${labelOf(row.name)}" is not under that of "${labelOf(first.name)}"${hint}`;
    throw invalidAt(lines, { line, place: start }, message);
  }
}

function readCells(lines: readonly string[], row: Line): readonly Cell[] {
  const cells: Cell[] = [];
  const fail = (place: number, message: string): never => {
    throw invalidAt(lines, { line: row.line, place }, message);
  };
  let opening: number | null = null;
  for (let place = row.start; place < row.text.length; place++) {
    const char = row.text[place] ?? "";
    if (isOpening(char)) {
      if (opening !== null) {
        fail(place, "a group has no groups in it");
      }
      opening = place;
    }
    checkChar({ row, place, opening }, fail);
    const isBeside = opening !== null && place > opening && row.text[opening] === "[";
    cells.push({ place, char, opening, isBeside });
    opening = isClosing(char) ? null : opening;
  }
  if (opening !== null) {
    fail(opening, `this group is never closed: "${closingOf(row.text[opening] ?? "")}" is missing`);
  }
  return cells;
}

function isOpening(char: string): boolean {
  return char === "(" || char === "[";
}

function isClosing(char: string): boolean {
  return char === ")" || char === "]";
}

function closingOf(opening: string): string {
  return opening === "(" ? ")" : "]";
}

interface CharAt {
  readonly row: Line;
  readonly place: number;
  readonly opening: number | null;
}

function checkChar({ row, place, opening }: CharAt, fail: (place: number, message: string) => never): void {
  const char = row.text[place] ?? "";
  if (isClosing(char)) {
    checkClosing({ row, place, opening }, fail);
  } else if (char === "-" && opening !== null) {
    fail(place, "a group is one column, so nothing passes within it: leave out the -");
  } else if (!(isOpening(char) || char === "-" || char === " " || isEvent(row.name.kind, char))) {
    const marks = MARKS[row.name.kind]
      .split("")
      .map((mark) => `, ${mark}`)
      .join("");
    fail(
      place,
      `"${char}" means nothing in the row "${labelOf(row.name)}": there are letters, digits${marks}, - and groups`,
    );
  }
}

function isEvent(kind: RowKind, char: string): boolean {
  return isSign(char) || MARKS[kind].includes(char);
}

function checkClosing({ row, place, opening }: CharAt, fail: (place: number, message: string) => never): void {
  const char = row.text[place] ?? "";
  if (opening === null || closingOf(row.text[opening] ?? "") !== char) {
    fail(place, `"${char}" closes no group`);
  }
  if (opening !== null && row.text.slice(opening + 1, place).trim() === "") {
    fail(opening, "this group is empty");
  }
}

/** Places that take no time in any row. */
function placesBeside(rows: readonly (readonly Cell[])[]): ReadonlySet<number> {
  return new Set(rows.flatMap((cells) => cells.filter(({ isBeside }) => isBeside).map(({ place }) => place)));
}

function checkBlanks(lines: readonly string[], row: Line, cells: readonly Cell[], beside: ReadonlySet<number>): void {
  for (const cell of cells) {
    const isBlank = cell.char === " ";
    if (isBlank && !beside.has(cell.place)) {
      const message = `a blank is only possible beside a group in square brackets: write - where nothing happens${row.hint}`;
      throw invalidAt(lines, { line: row.line, place: cell.place }, message);
    }
    if (!isBlank && beside.has(cell.place) && !cell.isBeside) {
      const message =
        "the rows are not aligned: beside a group in square brackets, which takes one column, leave blanks";
      throw invalidAt(lines, { line: row.line, place: cell.place }, message);
    }
  }
}

/** Where the columns are: everywhere but beside groups in square brackets. */
function columnPlaces(rows: readonly Line[], beside: ReadonlySet<number>): readonly number[] {
  const start = rows[0]?.start ?? 0;
  const end = Math.max(...rows.map(({ text }) => text.length));
  return Array.from({ length: end - start }, (_, index) => start + index).filter((place) => !beside.has(place));
}

function eventsOf(cells: readonly Cell[], columnOf: ReadonlyMap<number, number>): readonly MarbleEvent[] {
  return cells
    .filter(({ char }) => !(char === "-" || char === " " || isOpening(char) || isClosing(char)))
    .map(({ char, place, opening }) => ({ column: columnOf.get(opening ?? place) ?? 0, symbol: char }));
}

function checkNames(lines: readonly string[], rows: readonly Line[]): void {
  rows.forEach(({ name, line }, index) => {
    if (rows.findIndex((other) => labelOf(other.name) === labelOf(name)) < index) {
      throw invalidAt(lines, { line, place: 0 }, `there are two rows "${labelOf(name)}": draw one`);
    }
  });
}
