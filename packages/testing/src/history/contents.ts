import {
  type Adapter,
  BEFORE_FIRST,
  compareOffsets,
  MillraceError,
  type Offset,
  type PortError,
  type Ports,
  type ReadBudget,
  type StatePage,
  type StoredRecord,
  type TopicInfo,
} from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import type { HistoryLine, LetterSource, LogRecord, PartitionPlace } from "./lines.ts";

/** What of a store is to be written down. Names of topics that are not there are created by the asking, empty. */
export interface Touched {
  readonly topics: readonly string[];
  /** Groups, each with a topic that it reads. */
  readonly tasks: readonly { readonly group: string; readonly topic: string }[];
  /** Stores of such tasks. */
  readonly stores: readonly { readonly group: string; readonly topic: string; readonly store: string }[];
}

const PAGE: ReadBudget = { maxRecords: 1_000, maxBytes: 8 * 1024 * 1024 };
/** The header of a dead letter: `docs/spec/dead-letters.md`. */
const LETTER_HEADER = "millrace.dead-letter";

/** Every topic, task and store that the calls of a history name. */
export function touchedBy(lines: readonly HistoryLine[]): Touched {
  const calls = lines.filter((line) => line._tag === "invoke");
  const outputs = calls.flatMap((line) => (line.op === "commit" ? line.outputs : []));
  const reads = lines.filter((line) => line._tag === "read");
  const ofTasks = calls.filter((line) => line.op !== "append");
  return {
    topics: [...new Set([...calls, ...outputs, ...reads].map(({ topic }) => topic))],
    tasks: distinct(ofTasks.map(({ group, topic }) => ({ group, topic }))),
    stores: distinct(
      ofTasks.flatMap((line) => storesOf(line).map((store) => ({ group: line.group, topic: line.topic, store }))),
    ),
  };
}

/** Each of several values once. */
function distinct<A extends object>(values: readonly A[]): readonly A[] {
  return [...new Map(values.map((value) => [JSON.stringify(Object.values(value)), value])).values()];
}

function storesOf(
  line: Exclude<Extract<HistoryLine, { readonly _tag: "invoke" }>, { readonly op: "append" }>,
): readonly string[] {
  switch (line.op) {
    case "acquire":
      return [];
    case "commit":
      return line.state.map(({ store }) => store);
    case "drop":
    case "state":
      return [line.store];
  }
}

/**
 * What a store holds, as lines for the end of a history. Call it when nobody writes any more: it reads one thing after the
 * other. Rejects with `MillraceError` when the store cannot be read.
 *
 * @param adapter one without faults
 * @param touched usually {@link touchedBy} of what was recorded
 */
export async function contentsOf(adapter: Adapter, touched: Touched): Promise<readonly HistoryLine[]> {
  const ports = await answered(adapter.open());
  try {
    const lines: HistoryLine[] = [];
    const infos = new Map<string, TopicInfo>();
    for (const name of new Set([...touched.topics, ...touched.tasks.map(({ topic }) => topic)])) {
      const info = await answered(ports.log.ensureTopic({ name, partitions: null, defaultPartitions: 1 }));
      infos.set(name, info);
      lines.push(...(await partitionLines(ports, info)));
    }
    for (const { group, topic } of touched.tasks) {
      lines.push(...(await positionLines(ports, group, infos.get(topic))));
    }
    for (const { group, topic, store } of touched.stores) {
      lines.push(...(await stateLines(ports, { group, store }, infos.get(topic))));
    }
    return lines;
  } finally {
    await ports.close();
  }
}

async function partitionLines(ports: Ports, info: TopicInfo): Promise<readonly HistoryLine[]> {
  const { partitions } = await answered(ports.log.times(info));
  const lines: HistoryLine[] = [];
  for (const [partition, { end, appended }] of partitions.entries()) {
    const place = { topic: info.name, partition, incarnation: info.incarnation };
    const pages = await logPages(ports, info, { partition, end });
    const held = pages.reduce((sum, page) => sum + page.length, 0);
    lines.push({ _tag: "partition", ...place, appended, held }, ...pages.map((page) => logLine(place, page)));
  }
  return lines;
}

async function logPages(
  ports: Ports,
  info: TopicInfo,
  { partition, end }: { readonly partition: number; readonly end: Offset },
): Promise<readonly (readonly StoredRecord[])[]> {
  const pages: (readonly StoredRecord[])[] = [];
  const reader = ports.log.reader(info, partition, BEFORE_FIRST);
  try {
    for (let last: Offset = BEFORE_FIRST; compareOffsets(last, end) < 0; ) {
      const { records } = await answered(() => reader.next(PAGE));
      const next = records.at(-1);
      if (next === undefined) {
        break; // trimmed up to its end
      }
      pages.push(records);
      last = next.offset;
    }
  } finally {
    reader.close();
  }
  return pages;
}

function logLine(place: PartitionPlace, records: readonly StoredRecord[]): HistoryLine {
  return { _tag: "log", ...place, records: records.map(logRecord) };
}

function logRecord({ offset, key, payload, timestampMs, headers }: StoredRecord): LogRecord {
  const letter = letterIn(headers[LETTER_HEADER]);
  return { offset, key, payload, timestampMs, ...(letter === null ? {} : { letter }) };
}

/** Where a dead letter comes from; `null` for a record that is none. */
function letterIn(header: string | undefined): LetterSource | null {
  if (header === undefined) {
    return null;
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(header);
  } catch {
    return null; // a header of that name that Millrace did not write
  }
  const { group, topic, partition, offset } = (parsed ?? {}) as Partial<Record<keyof LetterSource, unknown>>;
  return typeof group === "string" &&
    typeof topic === "string" &&
    typeof partition === "number" &&
    typeof offset === "string"
    ? { group, topic, partition, offset }
    : null;
}

function partitionsOf({ partitions }: TopicInfo): readonly number[] {
  return Array.from({ length: partitions }, (_, partition) => partition);
}

async function positionLines(
  ports: Ports,
  group: string,
  topic: TopicInfo | undefined,
): Promise<readonly HistoryLine[]> {
  if (topic === undefined) {
    return [];
  }
  const refs = partitionsOf(topic).map((partition) => ({ group, topic, partition }));
  const positions = await answered(ports.tasks.positions(refs));
  return positions.map(({ sequence, offset, processed }, partition) => ({
    _tag: "position",
    group,
    topic: topic.name,
    partition,
    incarnation: topic.incarnation,
    sequence,
    offset,
    processed,
  }));
}

async function stateLines(
  ports: Ports,
  { group, store }: { readonly group: string; readonly store: string },
  topic: TopicInfo | undefined,
): Promise<readonly HistoryLine[]> {
  const lines: HistoryLine[] = [];
  for (const partition of topic === undefined ? [] : partitionsOf(topic)) {
    if (topic !== undefined) {
      const entries = await storeEntries(ports, { group, topic, partition }, store);
      const { name, incarnation } = topic;
      lines.push({ _tag: "state", group, topic: name, partition, incarnation, store, entries });
    }
  }
  return lines;
}

async function storeEntries(
  ports: Ports,
  task: { readonly group: string; readonly topic: TopicInfo; readonly partition: number },
  store: string,
): Promise<readonly (readonly [string, string])[]> {
  // A key may come twice.
  const entries = new Map<string, string>();
  let cursor: string | null = null;
  do {
    const page: StatePage = await answered(ports.state.scan(task, store, cursor));
    for (const [key, value] of page.entries) {
      entries.set(key, value);
    }
    cursor = page.cursor;
  } while (cursor !== null);
  return [...entries];
}

async function answered<A>(call: () => Promise<E.Either<PortError, A>>): Promise<A> {
  const result = await call();
  if (E.isLeft(result)) {
    throw new MillraceError(result.left);
  }
  return result.right;
}
