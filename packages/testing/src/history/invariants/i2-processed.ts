import { type FlowSources, outputsOf, sourcesOf } from "../flows.ts";
import type { HistoryView } from "../history-view.ts";
import type { HistoryLine, LogRecord, PositionLine } from "../lines.ts";
import type { PartitionView } from "../partition-view.ts";
import type { LogicalCommit, TaskView } from "../task-view.ts";
import type { Expectations, Findings, Flow } from "../verdict.ts";

/**
 * **I2**: every record that a group has processed has led to its outputs exactly once, or is a dead letter; one that it has not
 * processed has led to nothing. Where everything was to be processed, it was.
 *
 * Needs positions, the log in the end and a flow with `each`; for the last sentence `isDrained`. A record of which there is
 * a dead letter of the same group may have its outputs or not: it may have been redriven.
 *
 * Cannot see effects outside of the store. Outputs that two records have in common are counted, not told apart.
 */
export function judgeProcessed(view: HistoryView, expectations: Expectations, found: Findings): void {
  const { flows = [], isDrained = false } = expectations;
  if (isDrained) {
    judgeDrained(view, found);
  }
  const each = flows.filter((flow) => flow.each !== undefined);
  if (each.length === 0) {
    found.missing("no flow with `each` says what a record leads to");
  }
  for (const flow of each) {
    const from = sourcesOf(view, flow);
    if (from.reason !== null) {
      found.missing(from.reason);
    }
    if (from.sources !== null) {
      judgeFlow(view, { flow, from }, found);
    }
  }
}

function judgeDrained(view: HistoryView, found: Findings): void {
  for (const task of view.tasks) {
    const partition = view.partition(task.place);
    if (task.position === null || partition === null) {
      found.missing(`${task.name}: its position, or the end of its partition, is not in the history`);
    } else {
      found.judged();
      judgeLeft(task.name, task.position, partition, found);
    }
  }
}

function judgeLeft(name: string, position: PositionLine, partition: PartitionView, found: Findings): void {
  const rank = partition.rankOf(position.offset) ?? partition.trimmed;
  const left = partition.line.appended - rank;
  const next = partition.held[rank - partition.trimmed];
  if (left > 0) {
    found.violated(`${left} records of ${partition.name} were not processed by ${name}`, [
      partition.line,
      ...(next === undefined ? [] : [partition.lineOf(next)]),
      position,
    ]);
  }
}

/** What an id must be counted as: between these. */
interface Expected {
  least: number;
  most: number;
  readonly sources: { readonly partition: PartitionView; readonly record: LogRecord; readonly isProcessed: boolean }[];
}

function judgeFlow(
  view: HistoryView,
  { flow, from }: { readonly flow: Flow; readonly from: Exclude<FlowSources, { readonly sources: null }> },
  found: Findings,
): void {
  const outputs = outputsOf(view, flow);
  if (!outputs.isWhole) {
    found.missing(`${flow.to}: some of its records were trimmed, and nobody has read all of them`);
  }
  found.judged();
  for (const [id, { least, most, sources }] of expectedOf(view, flow, from)) {
    const there = outputs.byId.get(id) ?? [];
    const isLost = outputs.isWhole && there.length < least;
    if (isLost || there.length > most) {
      const names = sources.map((source) => nameOf(view, flow, source)).join(", ");
      const excerpt: HistoryLine[] = [
        ...sources.flatMap(({ partition, record }) => [
          partition.lineOf(record),
          ...coverLines(view, flow, partition, record),
        ]),
        ...there.map(({ partition, record }) => partition.lineOf(record)),
        ...positionsOf(view, flow, sources),
      ];
      found.violated(messageOf(names, flow, { there: there.length, least, most }), excerpt);
    }
  }
}

/** A record, and the commit that covers it. */
function nameOf(view: HistoryView, { group }: Flow, { partition, record }: Expected["sources"][number]): string {
  const cover = coverOf(view, group, partition, record);
  const by = cover === null ? "" : `, in commit ${cover.commit.sequence} by ${cover.commit.invoke.process}`;
  return `${partition.name} ${record.offset} (key ${record.key}${by})`;
}

function messageOf(
  names: string,
  { group, to }: Flow,
  { there, least, most }: { readonly there: number; readonly least: number; readonly most: number },
): string {
  if (most === 0) {
    return `${names} was not processed by ${group}, and what it leads to is in ${to}`;
  }
  return there < least
    ? `${names} was processed by ${group}, and what it leads to is in ${to} ${there} times, not ${least}`
    : `what ${names} leads to is in ${to} ${there} times, not ${most}`;
}

function expectedOf(
  view: HistoryView,
  flow: Flow,
  { sources, isSettled }: Exclude<FlowSources, { readonly sources: null }>,
): ReadonlyMap<string, Expected> {
  const letters = lettersOf(view, flow);
  const expected = new Map<string, Expected>();
  const add = (partition: PartitionView, record: LogRecord, isProcessed: boolean): void => {
    const isSure = isSettled && !letters.has(`${partition.name} ${record.offset}`);
    for (const id of flow.each?.(record, partition.line.partition) ?? []) {
      const of = expected.get(id) ?? { least: 0, most: 0, sources: [] };
      expected.set(id, of);
      of.least += isProcessed && isSure ? 1 : 0;
      of.most += isProcessed ? 1 : 0;
      of.sources.push({ partition, record, isProcessed });
    }
  };
  for (const { partition, processed, rest } of sources) {
    for (const record of processed) {
      add(partition, record, true);
    }
    for (const record of rest) {
      add(partition, record, false);
    }
  }
  return expected;
}

/** The records of which there are dead letters of the flow's group. */
function lettersOf(view: HistoryView, { group }: Flow): ReadonlySet<string> {
  const sources = view.partitions.flatMap(({ all, held }) => (all ?? held).flatMap(({ letter }) => letter ?? []));
  return new Set(
    sources
      .filter((letter) => letter.group === group)
      .map(({ topic, partition, offset }) => `${topic}/${partition} ${offset}`),
  );
}

/** The commit that covers a record. */
function coverOf(
  view: HistoryView,
  group: string,
  partition: PartitionView,
  record: LogRecord,
): { readonly task: TaskView; readonly commit: LogicalCommit } | null {
  const task = view.task({ ...partition.line, group });
  const rank = partition.rankOf(record.offset) ?? 0;
  const commit = task?.commits.find(
    ({ invoke, fate }) => fate === "effective" && (partition.rankOf(invoke.offset) ?? 0) >= rank,
  );
  return task === null || commit === undefined ? null : { task, commit };
}

function coverLines(
  view: HistoryView,
  { group }: Flow,
  partition: PartitionView,
  record: LogRecord,
): readonly HistoryLine[] {
  const cover = coverOf(view, group, partition, record);
  return cover === null ? [] : cover.task.linesOf(cover.commit);
}

function positionsOf(view: HistoryView, { group }: Flow, sources: Expected["sources"]): readonly HistoryLine[] {
  return [...new Set(sources.map(({ partition }) => partition))].flatMap(
    (partition) => view.task({ ...partition.line, group })?.position ?? [],
  );
}
