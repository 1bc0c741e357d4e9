import { outputId } from "../flows.ts";
import { addTo, grouped } from "../grouped.ts";
import type { HistoryView } from "../history-view.ts";
import type { LogRecord } from "../lines.ts";
import type { Match } from "../log-matches.ts";
import { inLogOrder, type PartitionView } from "../partition-view.ts";
import type { Expectations, Findings, Flow } from "../verdict.ts";
import { nameOf, type Written } from "../written.ts";

/**
 * **I3**: order. In each partition the records of one producer lie in the order in which it numbered them, and those of one task in
 * the order of its commits; with a flow, what the records of one key led to lies in their order in the log, and in one
 * partition for each key of the outputs.
 *
 * Needs the calls of writers and the log in the end; for keys a flow with `each`. Of records that say the same, the first to be
 * written is taken for the first in the log; those that two writers wrote to one partition are left out.
 *
 * Cannot see the order in which handlers were called.
 */
export function judgeOrder(view: HistoryView, expectations: Expectations, found: Findings): void {
  const placed = view.matches.flatMap(placedIn);
  for (const ofPartition of grouped(placed, ({ partition }) => partition).values()) {
    for (const stream of grouped(ofPartition, ({ written }) => written.writer).values()) {
      found.judged();
      judgeStream(stream, found);
    }
  }
  if (!found.isJudged) {
    found.missing("no record of a recorded writer is in a partition of which the end is known");
  }
  const flows = (expectations.flows ?? []).filter(({ each }) => each !== undefined);
  if (flows.length === 0) {
    found.missing("no flow with `each` says which outputs a record leads to: order along keys is not judged");
  }
  for (const flow of flows) {
    judgeFlow(view, flow, found);
  }
}

/** A record that was to be written, and where it lies. */
interface Placed {
  readonly partition: PartitionView;
  readonly written: Written;
  readonly record: LogRecord;
}

/** What one writer wrote to one partition, in its order there. */
function judgeStream(stream: readonly Placed[], found: Findings): void {
  let before: Placed | null = null;
  for (const placed of stream.toSorted((a, b) => a.written.at - b.written.at)) {
    if (before !== null && inLogOrder(placed.record.offset, before.record.offset) < 0) {
      const { partition } = placed;
      const message = `in ${partition.name}, ${nameOf(placed.written)} lies in front of ${nameOf(before.written)}`;
      found.violated(message, [
        ...before.written.lines(),
        ...placed.written.lines(),
        partition.lineOf(placed.record),
        partition.lineOf(before.record),
      ]);
    }
    before = placed;
  }
}

/** The places of records, where all that say the same are of one writer. */
function placedIn({ partition, found, written }: Match): readonly Placed[] {
  const possible = written.filter(({ certainty }) => certainty !== "failed");
  const isKnown = possible.length === found.length && written.every(({ writer }) => writer === written[0]?.writer);
  return isKnown
    ? possible.flatMap((of, nth) => {
        const record = found[nth];
        return record === undefined ? [] : [{ partition, written: of, record }];
      })
    : [];
}

/** A record, and the place of the one that it comes from in its partition. */
interface Origin {
  readonly record: LogRecord;
  readonly partition: PartitionView;
  readonly rank: number;
}

/** What a record led to. */
interface Led {
  readonly origin: Origin;
  readonly output: LogRecord;
}

function judgeFlow(view: HistoryView, flow: Flow, found: Findings): void {
  const origins = originsOf(view, flow);
  const home = new Map<string, PartitionView>();
  for (const partition of view.topic(flow.to)) {
    found.judged();
    const led = (partition.all ?? partition.held).flatMap((output): readonly Led[] => {
      const id = outputId(flow, output);
      const origin = id === null ? undefined : origins.get(id)?.shift();
      return origin === undefined ? [] : [{ origin, output }];
    });
    for (const { output } of led) {
      judgeHome({ partition, output }, home, found);
    }
    for (const ofKey of grouped(led, ({ origin }) => `${origin.partition.name} ${origin.record.key}`).values()) {
      judgeKey(partition, ofKey, found);
    }
  }
}

function judgeKey(partition: PartitionView, led: readonly Led[], found: Findings): void {
  for (const [at, { origin, output }] of led.entries()) {
    const before = led[at - 1];
    if (before !== undefined && before.origin.rank > origin.rank) {
      const message = `in ${partition.name}, what ${originText(origin)} led to comes behind what ${originText(before.origin)} led to (key ${origin.record.key})`;
      found.violated(message, [
        origin.partition.lineOf(origin.record),
        origin.partition.lineOf(before.origin.record),
        partition.lineOf(before.output),
        partition.lineOf(output),
      ]);
    }
  }
}

function originText({ partition, record }: Origin): string {
  return `${partition.name} ${record.offset}`;
}

function judgeHome(
  { partition, output }: { readonly partition: PartitionView; readonly output: LogRecord },
  home: Map<string, PartitionView>,
  found: Findings,
): void {
  const known = home.get(output.key) ?? partition;
  home.set(output.key, known);
  if (known !== partition && output.key !== "") {
    const other = (known.all ?? known.held).find(({ key }) => key === output.key);
    found.violated(`key ${output.key} is in ${known.name} and in ${partition.name}`, [
      ...(other === undefined ? [] : [known.lineOf(other)]),
      partition.lineOf(output),
    ]);
  }
}

/** By the id of an output: the records that lead to it, in log order. */
function originsOf(view: HistoryView, flow: Flow): ReadonlyMap<string, Origin[]> {
  const origins = new Map<string, Origin[]>();
  for (const partition of view.topic(flow.from)) {
    for (const record of partition.all ?? partition.held) {
      const origin = { record, partition, rank: partition.rankOf(record.offset) ?? 0 };
      for (const id of flow.each?.(record, partition.line.partition) ?? []) {
        addTo(origins, id, origin);
      }
    }
  }
  return origins;
}
