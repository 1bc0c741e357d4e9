import { createHash } from "node:crypto";
import type { HistoryLine, InvokeLine, LogRecord, RecordText } from "./lines.ts";
import { isLine } from "./shapes.ts";

/** What of the user's data is written. */
export interface WriteOptions {
  /**
   * `"digest"` (the default): payloads and values of stores are replaced by the first 64 bits of their SHA-256, which shows
   * whether two are equal, and nothing else to whoever cannot guess the value. `"text"`: they are written as they are.
   */
  readonly values?: "digest" | "text";
  /** The same for keys of records and of stores. Default `"text"`: they are what people look for in a history. */
  readonly keys?: "digest" | "text";
}

/** A line of a file that is no line of a history. */
export class HistoryLineError extends Error {
  readonly _tag = "HistoryLineError";
  readonly code = "MR_HISTORY_LINE";
  /** Counts from 1. */
  readonly line: number;

  constructor(line: number, reason: string) {
    super(`line ${line} of the history ${reason}`);
    this.name = "HistoryLineError";
    this.line = line;
  }
}

const DIGITS = 16;
const DIGEST = /^#[0-9a-f]{16}$/;

/** A line as JSON, without a line break. Values of a file that was read before are not digested again. */
export function writeLine(line: HistoryLine, { values = "digest", keys = "text" }: WriteOptions = {}): string {
  return JSON.stringify(withTexts(line, textBy(keys), textBy(values)));
}

/**
 * The lines of a file. Several files, one after the other, are one history once {@link merged}. Text behind the last line break is
 * passed over: a process that was killed may have written half a line. Throws {@link HistoryLineError} for any other
 * line that is none.
 */
export function parseHistory(text: string): readonly HistoryLine[] {
  const lines = text.split("\n");
  lines.pop();
  return lines.flatMap((line, at) => (line === "" ? [] : [parseLine(line, at + 1)]));
}

/** The lines of several processes as one history, in the order of time; lines of one process keep their order. */
export function merged(...histories: readonly (readonly HistoryLine[])[]): readonly HistoryLine[] {
  const timed = histories.flatMap((lines) => {
    let atMs = Number.NEGATIVE_INFINITY;
    return lines.map((line) => {
      // What is known of the end has no time: it stays behind what is in front of it.
      atMs = Math.max(atMs, timeOf(line));
      return { line, atMs };
    });
  });
  return timed.toSorted((a, b) => order(a.atMs, b.atMs)).map(({ line }) => line);
}

/** When a line was written, or what it tells of began; of what is known of the end: never. */
function timeOf(line: HistoryLine): number {
  if ("atMs" in line) {
    return line.atMs;
  }
  return "fromMs" in line ? line.fromMs : Number.POSITIVE_INFINITY;
}

function order(a: number, b: number): number {
  return a === b ? 0 : a - b;
}

function parseLine(line: string, number: number): HistoryLine {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    throw new HistoryLineError(number, "is no JSON");
  }
  if (!isLine(parsed)) {
    throw new HistoryLineError(number, "is JSON, but no line of a history: a field is missing, or of the wrong type");
  }
  return parsed;
}

type Write = (text: string) => string;

function textBy(how: "digest" | "text"): Write {
  return how === "text" ? (text) => text : digestOf;
}

function digestOf(text: string): string {
  return DIGEST.test(text) ? text : `#${createHash("sha256").update(text).digest("hex").slice(0, DIGITS)}`;
}

/** The line with its keys and values written by these, and without what no reader needs. */
function withTexts(line: HistoryLine, key: Write, value: Write): HistoryLine {
  const to: Writers = {
    key,
    record: (record) => ({ key: key(record.key), payload: value(record.payload) }),
    entry: ([name, held]) => [key(name), value(held)],
  };
  if (line._tag === "invoke") {
    return invokeWith(line, to);
  }
  if (line._tag === "read" || line._tag === "log") {
    return { ...line, records: line.records.map((record) => logRecordWith(record, to)) };
  }
  if (line._tag === "state") {
    return { ...line, entries: line.entries.map(to.entry) };
  }
  return line._tag === "ok" && line.op === "state"
    ? { ...line, entries: line.entries.map(([name, held]) => [key(name), held === null ? null : value(held)]) }
    : line;
}

interface Writers {
  readonly key: Write;
  readonly record: (record: RecordText) => RecordText;
  readonly entry: (
    entry: readonly [key: string, value: string, ...rest: readonly unknown[]],
  ) => readonly [string, string];
}

function logRecordWith(record: LogRecord, to: Writers): LogRecord {
  const { offset, timestampMs, letter } = record;
  return { offset, timestampMs, ...to.record(record), ...(letter === undefined ? {} : { letter }) };
}

function invokeWith(line: InvokeLine, { key, record, entry }: Writers): InvokeLine {
  if (line.op === "append") {
    return { ...line, records: line.records.map(record) };
  }
  if (line.op !== "commit") {
    return line;
  }
  return {
    ...line,
    outputs: line.outputs.map((output) => ({ ...output, records: output.records.map(record) })),
    state: line.state.map(({ store, puts, deletes }) => ({
      store,
      puts: puts.map(entry),
      deletes: deletes.map(key),
    })),
  };
}
