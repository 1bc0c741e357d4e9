/** What each kind of line is made of: what a line of a file must have to be one. */
import type { HistoryLine, Operation } from "./lines.ts";

/** Whether a value is right for a field. */
type Check = (value: unknown) => boolean;

const text: Check = (value) => typeof value === "string";
const truth: Check = (value) => typeof value === "boolean";
const number: Check = (value) => typeof value === "number";
const textOrNull: Check = (value) => value === null || text(value);
const optionalNumber: Check = (value) => value === undefined || number(value);
const optionalText: Check = (value) => value === undefined || text(value);

function shape(fields: Readonly<Record<string, Check>>): Check {
  const checks = Object.entries(fields);
  return (value) =>
    typeof value === "object" &&
    value !== null &&
    checks.every(([name, check]) => check((value as Readonly<Record<string, unknown>>)[name]));
}

function list(of: Check): Check {
  return (value) => Array.isArray(value) && value.every(of);
}

/** A list that begins with such elements. */
function tuple(...of: readonly Check[]): Check {
  return (value) => Array.isArray(value) && of.every((check, at) => check(value[at]));
}

const record = { key: text, payload: text };
const records = list(shape(record));
const letter = shape({ group: text, topic: text, partition: number, offset: text });
const logRecords = list(
  shape({
    ...record,
    offset: text,
    timestampMs: number,
    letter: (value) => value === undefined || letter(value),
  }),
);
const place = { topic: text, partition: number, incarnation: text };
const task = { ...place, group: text };
const call = { process: text, call: number, atMs: number };
const change = shape({ store: text, puts: list(tuple(text, text)), deletes: list(text) });
const output = shape({ ...place, records });
const isOperation: Check = (value) => Object.hasOwn(INVOKED, String(value));

const INVOKED: Readonly<Record<Operation, Check>> = {
  append: shape({ ...call, ...place, producer: text, firstSequence: number, records }),
  acquire: shape({ ...call, ...task, generation: number }),
  commit: shape({
    ...call,
    ...task,
    nonce: text,
    sequence: number,
    offset: text,
    processed: number,
    outputs: list(output),
    state: list(change),
  }),
  state: shape({ ...call, ...task, store: text }),
  drop: shape({ ...call, ...task, store: text }),
};

const OK: Readonly<Record<Operation, Check>> = {
  append: shape({ ...call, appended: number }),
  acquire: shape({ ...call, nonce: text, sequence: number, offset: text, processed: number }),
  commit: shape({ ...call, result: (value) => value === "applied" || value === "alreadyApplied" }),
  state: shape({ ...call, isWhole: truth, entries: list(tuple(text, textOrNull)) }),
  drop: shape(call),
};

const ended = shape({ ...call, op: isOperation, error: text });

const LINES: Readonly<Record<HistoryLine["_tag"], Check>> = {
  invoke: (value) => byOperation(INVOKED, value),
  ok: (value) => byOperation(OK, value),
  fail: ended,
  info: ended,
  read: shape({
    process: text,
    atMs: number,
    askedMs: number,
    ...place,
    reader: number,
    after: text,
    records: logRecords,
  }),
  event: shape({
    process: text,
    atMs: number,
    event: text,
    task: textOrNull,
    offset: optionalText,
    records: optionalNumber,
    outputs: optionalNumber,
    lost: optionalNumber,
  }),
  fault: shape({ kind: text, victim: textOrNull, fromMs: number, untilMs: number }),
  loss: shape({ fromMs: number, untilMs: number }),
  trim: shape({ ...place, atMs: number, trimmed: number }),
  partition: shape({ ...place, appended: number, held: number }),
  log: shape({ ...place, records: logRecords }),
  position: shape({ ...task, sequence: number, offset: text, processed: number }),
  state: shape({ ...task, store: text, entries: list(tuple(text, text)) }),
  end: shape({ atMs: number }),
};

function byOperation(shapes: Readonly<Record<Operation, Check>>, value: unknown): boolean {
  const { op } = value as { readonly op?: unknown };
  return isOperation(op) && shapes[op as Operation](value);
}

/** Whether a parsed value is a line of a history. */
export function isLine(value: unknown): value is HistoryLine {
  const tag = typeof value === "object" && value !== null && "_tag" in value ? value._tag : null;
  return typeof tag === "string" && Object.hasOwn(LINES, tag) && LINES[tag as HistoryLine["_tag"]](value);
}
