/** A small history without a fault in it, and how to spoil it. */
import type {
  Fault,
  History,
  InputRecord,
  OutputRecord,
  ProcessHistory,
  WorkerLine,
} from "../../../chaos/src/history.ts";

/** When everything begins; a multiple of the window. */
const START_MS = 1_800_000_000_000;
const EVERY_MS = 100;
const LATENCY_MS = 20;
const RECORDS = 20;
/** From this record on the second worker has the partition that the first one had. */
const HANDED_OVER_AT = 10;
const BETWEEN = "chaos.work.window.repartition";

/** A time so long after the start. */
export function at(ms: number): number {
  return START_MS + ms;
}

/** The offset of what was appended so long after the start. */
export function offsetAt(ms: number): string {
  return `${at(ms)}-0/0`;
}

/** The n-th record of the input; all have one key. */
export function inputRecord(n: number): InputRecord {
  const ms = n * EVERY_MS;
  return { partition: 0, offset: offsetAt(ms), atMs: at(ms), key: "a", group: "g", n, timeMs: at(ms) };
}

/** The copy of the n-th record. */
function outputRecord(n: number, change: Partial<OutputRecord> = {}): OutputRecord {
  const ms = n * EVERY_MS + LATENCY_MS;
  const stay = stayAt(n);
  return {
    partition: 0,
    offset: offsetAt(ms),
    atMs: at(ms),
    key: "a",
    n,
    from: 0,
    source: offsetAt(n * EVERY_MS),
    stay,
    ...change,
  };
}

/** A commit of the n-th record, or of so many records up to it. */
function commitLine(n: number, change: { readonly atMs?: number; readonly records?: number } = {}): WorkerLine {
  const atMs = at(n * EVERY_MS + LATENCY_MS + 1);
  return { _tag: "commit", atMs, task: "input/0", offset: offsetAt(n * EVERY_MS), records: 1, ...change };
}

/** A fault of a worker that holds the partition. */
export function fault(kind: string, fromMs: number, toMs: number, change: Partial<Fault> = {}): Fault {
  return { kind, atMs: at(fromMs), untilMs: at(toMs), victim: "w1.1", tasks: ["input/0"], isOutage: false, ...change };
}

function stayAt(n: number): string {
  return n < HANDED_OVER_AT ? "w1.1#1" : "w2.1#1";
}

function numbers(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

function worker(name: string, from: number, to: number, leftMs: number | null): ProcessHistory {
  const lines: WorkerLine[] = [
    { _tag: "running", atMs: at(-500) },
    {
      _tag: "stay",
      atMs: at(from * EVERY_MS + 1),
      stay: `${name}#1`,
      task: "input/0",
      offset: offsetAt(from * EVERY_MS),
    },
    ...numbers(from, to).map((n) => commitLine(n)),
    ...numbers(from, to).map(
      (n): WorkerLine => ({
        _tag: "commit",
        atMs: at(n * EVERY_MS + 50),
        task: `${BETWEEN}/0`,
        offset: offsetAt(n * EVERY_MS + LATENCY_MS),
        records: 1,
      }),
    ),
  ];
  return { name, lines, problem: null, leftMs };
}

/** One key, two workers, one hand-over; changed as the test wants it. */
export function history(change: Partial<History> = {}): History {
  const input = numbers(0, RECORDS).map(inputRecord);
  return {
    lines: [],
    sessionMs: 1_000,
    inputTopic: "input",
    sent: input.map(({ key, n }) => ({ key, n, isAcked: true })),
    input,
    output: input.map(({ n }) => outputRecord(n)),
    between: input.map(({ n }) => ({
      topic: BETWEEN,
      partition: 0,
      offset: offsetAt(n * EVERY_MS + LATENCY_MS),
      atMs: at(n * EVERY_MS + LATENCY_MS),
    })),
    totals: [
      { partition: 0, offset: offsetAt(1_100), group: "g", start: at(0), count: 10, sum: 45 },
      { partition: 0, offset: offsetAt(2_100), group: "g", start: at(1_000), count: 10, sum: 145 },
    ],
    processes: [worker("w1.1", 0, HANDED_OVER_AT, at(1_000)), worker("w2.1", HANDED_OVER_AT, RECORDS, null)],
    faults: [fault("stop", 960, 960)],
    hiccups: [],
    starved: [],
    slowServer: [],
    endMs: at(3_000),
    incomplete: null,
    ...change,
  };
}

/** The same history with more lines of one of its processes. */
export function withLines(base: History, name: string, lines: readonly WorkerLine[]): History {
  const processes = base.processes.map((one) =>
    one.name === name ? { ...one, lines: [...one.lines, ...lines] } : one,
  );
  return { ...base, processes };
}

/** The same history, in which everything from a record on is committed later. */
export function delayed(base: History, fromN: number, byMs: number): History {
  const output = base.output.map((record) => {
    const atMs = record.n < fromN ? record.atMs : Math.max(record.atMs, at(fromN * EVERY_MS) + byMs);
    return { ...record, atMs, offset: `${atMs}-${record.n}/0` };
  });
  return { ...base, output, endMs: Math.max(base.endMs, at(fromN * EVERY_MS) + byMs) };
}
