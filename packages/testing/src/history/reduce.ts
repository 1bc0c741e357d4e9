/** Ways to leave something out of a history so that the rest is still one. */
import { grouped } from "./grouped.ts";
import type { HistoryLine, InvokeLine, LogLine, LogRecord, PartitionLine, RecordText } from "./lines.ts";
import { partitionKey } from "./partition-view.ts";

/** Parts of a history that can be left out. */
export interface Cut {
  /** The names of the parts. */
  parts(lines: readonly HistoryLine[]): readonly string[];
  /** The history with these parts alone, and with all that is in no part. */
  keep(lines: readonly HistoryLine[], parts: ReadonlySet<string>): readonly HistoryLine[];
}

/** Parts that are whole lines; a line of which `nameOf` is `null` is in no part. */
function lineCut(nameOf: (line: HistoryLine, at: number) => string | null): Cut {
  return {
    parts: (lines) => [...new Set(lines.flatMap((line, at) => nameOf(line, at) ?? []))],
    keep: (lines, parts) =>
      lines.filter((line, at) => {
        const name = nameOf(line, at);
        return name === null || parts.has(name);
      }),
  };
}

/** Processes, with all that they did. */
const processes = lineCut((line) => ("process" in line ? line.process : null));

/** Partitions, as they are in the end and as they were read. */
const partitions = lineCut((line) => ("topic" in line && line._tag !== "invoke" ? partitionKey(line) : null));

/** Calls with their outcomes; a commit or an append with all of its repetitions, since these explain each other. */
const calls: Cut = {
  parts: (lines) => [...new Set(requestsIn(lines).values())],
  keep: (lines, parts) => {
    const requests = requestsIn(lines);
    return lines.filter((line) => !("call" in line) || parts.has(requests.get(idOf(line)) ?? ""));
  },
};

/** What each call asks for. */
function requestsIn(lines: readonly HistoryLine[]): ReadonlyMap<string, string> {
  const requests = new Map<string, string>();
  for (const line of lines) {
    if (line._tag === "invoke") {
      requests.set(idOf(line), requestOf(line));
    }
  }
  return requests;
}

function requestOf(line: InvokeLine): string {
  switch (line.op) {
    case "append":
      return JSON.stringify([partitionKey(line), line.producer, line.firstSequence]);
    case "commit":
      return JSON.stringify([partitionKey(line), line.nonce, line.sequence]);
    case "acquire":
    case "drop":
    case "state":
      return idOf(line);
  }
}

function idOf({ process, call }: { readonly process: string; readonly call: number }): string {
  return `${process}#${call}`;
}

/** Lines that are no call's. */
const lone = lineCut((line, at) => ("call" in line ? null : `${at}`));

/** Records, by their key, wherever they are but in appends: those are numbered. */
const keys: Cut = {
  parts: (lines) => [...new Set(lines.flatMap((line) => recordsIn(line).map(({ key }) => key)))],
  keep: (lines, parts) => withRecords(lines, ({ key }) => parts.has(key)),
};

/** Single records in the log and in reads. */
const records: Cut = {
  parts: (lines) => [...new Set(lines.flatMap((line) => logRecordsIn(line).map(({ offset }) => offset)))],
  keep: (lines, parts) => withRecords(lines, (record) => !("offset" in record) || parts.has(record.offset)),
};

/** Entries of stores, by their key. */
const entries: Cut = {
  parts: (lines) => [...new Set(lines.flatMap(entriesIn))],
  keep: (lines, parts) => lines.map((line) => withEntries(line, parts)),
};

/** Records at the ends of appends. */
const appended: Cut = {
  parts: (lines) =>
    lines.flatMap((line) =>
      line._tag === "invoke" && line.op === "append" ? line.records.map((_, at) => numberOf(line, at)) : [],
    ),
  keep: (lines, parts) =>
    lines.map((line) => {
      if (line._tag !== "invoke" || line.op !== "append") {
        return line;
      }
      const from = line.records.findIndex((_, at) => parts.has(numberOf(line, at)));
      const to = line.records.findLastIndex((_, at) => parts.has(numberOf(line, at)));
      return from === -1
        ? { ...line, records: [] }
        : { ...line, firstSequence: line.firstSequence + from, records: line.records.slice(from, to + 1) };
    }),
};

/** The largest parts first. */
export const CUTS: readonly Cut[] = [processes, partitions, calls, lone, keys, entries, records, appended];

function numberOf(
  line: {
    readonly producer: string;
    readonly partition: number;
    readonly topic: string;
    readonly firstSequence: number;
  },
  at: number,
): string {
  return `${line.topic}/${line.partition} ${line.producer} ${line.firstSequence + at}`;
}

function recordsIn(line: HistoryLine): readonly RecordText[] {
  return line._tag === "invoke" && line.op === "commit"
    ? line.outputs.flatMap((output) => output.records)
    : logRecordsIn(line);
}

function logRecordsIn(line: HistoryLine): readonly LogRecord[] {
  return line._tag === "log" || line._tag === "read" ? line.records : [];
}

/** Keeps some records. What a partition is said to hold is corrected; what was dropped from it stays as it is. */
export function withRecords(
  lines: readonly HistoryLine[],
  isKept: (record: RecordText | LogRecord) => boolean,
): readonly HistoryLine[] {
  const logs = grouped(
    lines.filter((line) => line._tag === "log"),
    partitionKey,
  );
  return lines.flatMap((line): readonly HistoryLine[] => {
    if (line._tag === "log" || line._tag === "read") {
      const kept = line.records.filter(isKept);
      return kept.length === 0 && line.records.length > 0 ? [] : [{ ...line, records: kept }];
    }
    return [line._tag === "partition" ? withCounts(line, logs, isKept) : withOutputs(line, isKept)];
  });
}

function withCounts(
  line: PartitionLine,
  logs: ReadonlyMap<string, readonly LogLine[]>,
  isKept: (record: LogRecord) => boolean,
): PartitionLine {
  const held = (logs.get(partitionKey(line)) ?? []).flatMap(({ records: all }) => all);
  const gone = held.length - held.filter(isKept).length;
  return { ...line, appended: line.appended - gone, held: line.held - gone };
}

function withOutputs(line: HistoryLine, isKept: (record: RecordText) => boolean): HistoryLine {
  const isCommit = line._tag === "invoke" && line.op === "commit";
  return isCommit ? { ...line, outputs: outputsWith(line.outputs, isKept) } : line;
}

function outputsWith<O extends { readonly records: readonly RecordText[] }>(
  outputs: readonly O[],
  isKept: (record: RecordText) => boolean,
): readonly O[] {
  return outputs
    .map((output) => ({ ...output, records: output.records.filter(isKept) }))
    .filter((output) => output.records.length > 0);
}

function entriesIn(line: HistoryLine): readonly string[] {
  if (line._tag === "state" || (line._tag === "ok" && line.op === "state")) {
    return line.entries.map(([key]) => key);
  }
  return line._tag === "invoke" && line.op === "commit"
    ? line.state.flatMap(({ puts, deletes }) => [...puts.map(([key]) => key), ...deletes])
    : [];
}

function withEntries(line: HistoryLine, parts: ReadonlySet<string>): HistoryLine {
  if (line._tag === "state") {
    return { ...line, entries: line.entries.filter(([key]) => parts.has(key)) };
  }
  if (line._tag === "ok" && line.op === "state") {
    return { ...line, entries: line.entries.filter(([key]) => parts.has(key)) };
  }
  if (line._tag !== "invoke" || line.op !== "commit") {
    return line;
  }
  const state = line.state
    .map(({ store, puts, deletes }) => ({
      store,
      puts: puts.filter(([key]) => parts.has(key)),
      deletes: deletes.filter((key) => parts.has(key)),
    }))
    .filter(({ puts, deletes }) => puts.length + deletes.length > 0);
  return { ...line, state };
}
