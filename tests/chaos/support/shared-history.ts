/** A history of the shared kind, as chaos leaves it: one worker that has processed everything. */
import type { HistoryLine, LogRecord } from "@millrace/testing/history";
import { GROUP, type Input, type Output, TOPICS, type Total } from "../../../chaos/src/topics.ts";

export const BETWEEN = `${GROUP}.input.window.repartition`;
const NAMES = [TOPICS.input, TOPICS.output, BETWEEN, TOPICS.totals] as const;
export const RECORDS = 6;

/** What lies in each topic in the end; each has one partition. */
export type Contents = Readonly<Record<(typeof NAMES)[number], readonly LogRecord[]>>;

function record(key: string, value: object, ms: number): LogRecord {
  return { key, payload: JSON.stringify(value), offset: `${ms}-0/0`, timestampMs: ms };
}

function input(n: number): LogRecord {
  const value: Input = { key: "a", group: "g", n, at: n * 400 };
  return record("a", value, n + 1);
}

/** The copy of the n-th record of the input. */
export function output(n: number, change: Partial<Output> = {}): LogRecord {
  const value: Output = { key: "a", n, from: 0, offset: input(n).offset, stay: "w1#1", ...change };
  return record("a", value, 100 + n);
}

/** The result of the window that begins at `start`, with these records. */
export function total(start: number, numbers: readonly number[], change: Partial<Total> = {}): LogRecord {
  const sum = numbers.reduce((all, n) => all + n, 0);
  const value: Total = { group: "g", start, count: numbers.length, sum, ...change };
  return record("g", value, 300 + start);
}

/** Of the records. */
export const numbers = Array.from({ length: RECORDS }, (_, n) => n);

/** What is right. */
export const good: Contents = {
  input: numbers.map(input),
  output: numbers.map((n) => output(n)),
  [BETWEEN]: numbers.map((n) => ({ ...input(n), key: "g", offset: `${200 + n}-0/0` })),
  totals: [total(0, [0, 1, 2]), total(1_000, [3, 4]), total(2_000, [5])],
};

const place = (topic: string) => ({ topic, partition: 0, incarnation: "i" });

/** One worker that has processed all in one commit of each task; the calls are those of `good`, whatever lies there. */
export function linesOf(contents: Contents): readonly HistoryLine[] {
  const call = (process: string, number: number, atMs: number) => ({ process, call: number, atMs });
  const send = { producer: "p", firstSequence: 0, records: good.input };
  const step = (from: typeof TOPICS.input | typeof BETWEEN, outputs: readonly (typeof NAMES)[number][], at: number) => {
    const task = { ...place(from), group: GROUP };
    const start = { nonce: from, sequence: 0, offset: "0-0/0", processed: 0 };
    const end = { offset: good[from].at(-1)?.offset ?? "", processed: RECORDS };
    const writes = outputs.map((to) => ({ ...place(to), records: good[to] }));
    const commit = { ...task, nonce: from, sequence: 0, ...end, outputs: writes, state: [] };
    const told = { event: "Committed", task: `${GROUP}/${from}/0`, offset: end.offset, records: RECORDS };
    return [
      { _tag: "invoke", op: "acquire", ...call("w1", at, at), ...task, generation: 1 },
      { _tag: "ok", op: "acquire", ...call("w1", at, at), ...start },
      { _tag: "invoke", op: "commit", ...call("w1", at + 1, at), ...commit },
      { _tag: "ok", op: "commit", ...call("w1", at + 1, at), result: "applied" },
      { _tag: "event", process: "w1", atMs: at, ...told, outputs: outputs.flatMap((to) => good[to]).length },
      { _tag: "position", ...task, sequence: 1, ...end },
    ] satisfies HistoryLine[];
  };
  return [
    { _tag: "invoke", op: "append", ...call("load", 1, 0), ...place(TOPICS.input), ...send },
    { _tag: "ok", op: "append", ...call("load", 1, 0), appended: RECORDS },
    ...step(TOPICS.input, [TOPICS.output, BETWEEN], 10),
    ...step(BETWEEN, [TOPICS.totals], 20),
    ...NAMES.flatMap((topic): readonly HistoryLine[] => [
      { _tag: "partition", ...place(topic), appended: contents[topic].length, held: contents[topic].length },
      { _tag: "log", ...place(topic), records: contents[topic] },
    ]),
  ];
}
