/** One change of one line of a model's history, and which of them nobody can notice. */
import type { HistoryLine } from "@millrace/testing/history";

/** Something that is done to one line. */
export type Mutation = "drop" | "double" | "nonce" | "sequence" | "offset" | "processed" | "payload" | "exchange";

export const MUTATIONS: readonly Mutation[] = [
  "drop",
  "double",
  "nonce",
  "sequence",
  "offset",
  "processed",
  "payload",
  "exchange",
];

/** The history with one line changed; `null` where there is nothing of that kind to change. */
export function mutated(lines: readonly HistoryLine[], at: number, mutation: Mutation): readonly HistoryLine[] | null {
  const line = lines[at];
  if (line === undefined) {
    return null;
  }
  switch (mutation) {
    case "drop":
      return lines.toSpliced(at, 1);
    case "double":
      return lines.toSpliced(at, 0, line);
    case "nonce":
      return "nonce" in line ? lines.with(at, { ...line, nonce: `not ${line.nonce}` }) : null;
    case "sequence":
      return "sequence" in line ? lines.with(at, { ...line, sequence: line.sequence + 1 }) : null;
    case "processed":
      return "processed" in line ? lines.with(at, { ...line, processed: line.processed + 1 }) : null;
    case "offset":
      return withOffset(lines, at, line);
    case "payload":
      return withPayload(lines, at, line);
    case "exchange":
      return withExchange(lines, at, line);
  }
}

function withOffset(lines: readonly HistoryLine[], at: number, line: HistoryLine): readonly HistoryLine[] | null {
  const later = "999999-0/0";
  if ("offset" in line) {
    return lines.with(at, { ...line, offset: later });
  }
  if ((line._tag === "log" || line._tag === "read") && line.records.length > 0) {
    const records = line.records.map((record, of) =>
      of === line.records.length - 1 ? { ...record, offset: later } : record,
    );
    return lines.with(at, { ...line, records });
  }
  return null;
}

function withPayload(lines: readonly HistoryLine[], at: number, line: HistoryLine): readonly HistoryLine[] | null {
  if (line._tag === "log" || line._tag === "read" || (line._tag === "invoke" && line.op === "append")) {
    return withFirst(lines, at, line, line.records);
  }
  if (line._tag === "state" || (line._tag === "ok" && line.op === "state")) {
    return withFirstEntry(lines, at, line, line.entries);
  }
  return line._tag === "invoke" && line.op === "commit" ? withFirstOutput(lines, at, line) : null;
}

function withFirst(
  lines: readonly HistoryLine[],
  at: number,
  line: HistoryLine,
  [first, ...rest]: readonly object[],
): readonly HistoryLine[] | null {
  const records = [{ ...first, payload: "another" }, ...rest];
  return first === undefined ? null : lines.with(at, { ...line, records } as HistoryLine);
}

function withFirstOutput(
  lines: readonly HistoryLine[],
  at: number,
  line: Extract<HistoryLine, { readonly op: "commit"; readonly _tag: "invoke" }>,
): readonly HistoryLine[] | null {
  const [output] = line.outputs;
  const [first, ...rest] = output?.records ?? [];
  return output === undefined || first === undefined
    ? null
    : lines.with(at, { ...line, outputs: [{ ...output, records: [{ ...first, payload: "another" }, ...rest] }] });
}

function withFirstEntry(
  lines: readonly HistoryLine[],
  at: number,
  line: HistoryLine,
  [first, ...rest]: readonly (readonly [string, string | null])[],
): readonly HistoryLine[] | null {
  return first === undefined
    ? null
    : lines.with(at, { ...line, entries: [[first[0], "another"], ...rest] } as HistoryLine);
}

/** Two records change places, and keep the offsets that are there; or two lines of one process do. */
function withExchange(lines: readonly HistoryLine[], at: number, line: HistoryLine): readonly HistoryLine[] | null {
  if (line._tag === "log") {
    const [first, second, ...rest] = line.records;
    return first === undefined || second === undefined
      ? null
      : lines.with(at, {
          ...line,
          records: [{ ...second, offset: first.offset }, { ...first, offset: second.offset }, ...rest],
        });
  }
  const next = lines[at + 1];
  return next !== undefined && "process" in line && "process" in next && next.process === line.process
    ? lines.toSpliced(at, 2, next, line)
    : null;
}

/** A mutation of a line of a history. */
interface Change {
  readonly lines: readonly HistoryLine[];
  readonly line: HistoryLine;
  /** The lines of the same call. */
  readonly call: readonly HistoryLine[];
  /** Whether the call, where it is one, was answered: it has counted. */
  readonly hasCounted: boolean;
}

/**
 * What a change of a line can leave unseen, each for a reason: the history then says less, and nothing that is wrong.
 */
export function isEquivalent(lines: readonly HistoryLine[], at: number, mutation: Mutation): boolean {
  const line = lines[at];
  if (line === undefined || (line._tag === "log" && line.records.length === 0)) {
    return true; // nothing lies there
  }
  const call = "call" in line ? callOf(lines, line) : [];
  return EQUIVALENT[mutation]({ lines, line, call, hasCounted: call.some(({ _tag }) => _tag === "ok") });
}

/** Each line alone: without it nothing is wrong, only less is known. */
const SPARE: ReadonlySet<HistoryLine["_tag"]> = new Set([
  // A call without an outcome is one of which nobody knows.
  "ok",
  "fail",
  "info",
  // What nobody says is not judged; the verdict says so.
  "position",
  "state",
  "end",
  // Each reader of the model reads once.
  "read",
  // A worker may have ended in front of its last report; and one that reports nothing is not judged.
  "event",
]);

/** A repetition must be the same request, whatever becomes of it; what was sent once and refused may be anything. */
function isUnanswered({ lines, line, hasCounted }: Change): boolean {
  return line._tag === "invoke" && !hasCounted && !isRepeated(lines, line);
}

const EQUIVALENT: Readonly<Record<Mutation, (change: Change) => boolean>> = {
  // A call of which there never was a line, and that has no other, was never made.
  drop: ({ line, call }) => SPARE.has(line._tag) || (line._tag === "invoke" && call.length === 1),
  double: ({ line }) => line._tag === "end",
  // Nobody's commit counted with it.
  nonce: ({ lines, line, hasCounted }) => (line._tag === "ok" ? !hasCommits(lines, line) : !hasCounted),
  // Of a call that nobody has answered, or that was refused, the number does not matter; nor does it where nobody worked.
  sequence: ({ lines, line, hasCounted }) =>
    line._tag === "position" ? !isWorkedOn(lines, line) : line._tag === "invoke" && !hasCounted,
  processed: isUnanswered,
  payload: isUnanswered,
  // Where the last record lies only a reader can tell.
  offset: (change) =>
    change.line._tag === "log" ? !wasRead(change.lines, change.line.records.at(-1)?.offset) : isUnanswered(change),
  exchange: () => false,
};

type CallLine = Extract<HistoryLine, { readonly call: number }>;

function callOf(lines: readonly HistoryLine[], { process, call }: CallLine): readonly CallLine[] {
  return lines.filter((line): line is CallLine => "call" in line && line.process === process && line.call === call);
}

/** Whether the commit or the records were sent more than once. */
function isRepeated(lines: readonly HistoryLine[], line: HistoryLine): boolean {
  return lines.filter((other) => isSameRequest(other, line)).length > 1;
}

function isSameRequest(a: HistoryLine, b: HistoryLine): boolean {
  if (a._tag !== "invoke" || b._tag !== "invoke" || a.partition !== b.partition) {
    return false;
  }
  return a.op === "commit" && b.op === "commit"
    ? a.nonce === b.nonce && a.sequence === b.sequence
    : a.op === "append" && b.op === "append" && a.firstSequence === b.firstSequence;
}

function isWorkedOn(lines: readonly HistoryLine[], { partition }: { readonly partition: number }): boolean {
  return lines.some((line) => line._tag === "invoke" && line.op === "acquire" && line.partition === partition);
}

function wasRead(lines: readonly HistoryLine[], offset: string | undefined): boolean {
  return lines.some((line) => line._tag === "read" && line.records.some((record) => record.offset === offset));
}

function hasCommits(lines: readonly HistoryLine[], line: HistoryLine): boolean {
  const nonce = "nonce" in line ? line.nonce : null;
  return lines.some(
    (other) =>
      other._tag === "invoke" &&
      other.op === "commit" &&
      other.nonce === nonce &&
      callOf(lines, other).some(({ _tag }) => _tag === "ok"),
  );
}
