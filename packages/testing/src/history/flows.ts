import type { HistoryView } from "./history-view.ts";
import type { LogRecord } from "./lines.ts";
import type { PartitionView } from "./partition-view.ts";
import { type Flow, recordId } from "./verdict.ts";

/** What a record of the topic that a flow writes is compared by; `null`: it comes from elsewhere. */
export function outputId(flow: Flow, record: LogRecord): string | null {
  return flow.idOf === undefined ? recordId(record) : flow.idOf(record);
}

/** A partition that a flow reads, cut where its task is in the end. */
interface SourcePartition {
  readonly partition: PartitionView;
  readonly processed: readonly LogRecord[];
  readonly rest: readonly LogRecord[];
}

/**
 * The partitions that a flow reads, in order; or why it cannot be judged. `isSettled`: what the processed records lead to has
 * arrived, also through topics between.
 */
export type FlowSources =
  | { readonly sources: readonly SourcePartition[]; readonly isSettled: boolean; readonly reason: string | null }
  | { readonly sources: null; readonly reason: string };

/** See {@link FlowSources}. */
export function sourcesOf(view: HistoryView, { group, from, through = [], to }: Flow): FlowSources {
  const flow = `${from} → ${to} (${group})`;
  const partitions = view.topic(from);
  if (partitions.length === 0) {
    return { sources: null, reason: `${flow}: the end of ${from} is not in the history` };
  }
  const sources: SourcePartition[] = [];
  for (const partition of partitions) {
    const position = view.task({ ...partition.line, group })?.position ?? null;
    if (partition.all === null || position === null) {
      const what = position === null ? "how far the group is in it" : "what was trimmed from it";
      return { sources: null, reason: `${flow}: of ${partition.name}, ${what} is not in the history` };
    }
    const count = partition.rankOf(position.offset) ?? 0;
    sources.push({ partition, processed: partition.all.slice(0, count), rest: partition.all.slice(count) });
  }
  const behind = through.find((topic) => !isProcessed(view, group, topic));
  const reason = behind === undefined ? null : `${flow}: not all of ${behind} was processed, or nothing says so`;
  return { sources, isSettled: behind === undefined, reason };
}

/** Whether a group has processed all of a topic. */
function isProcessed(view: HistoryView, group: string, topic: string): boolean {
  const partitions = view.topic(topic);
  return (
    partitions.length > 0 &&
    partitions.every((partition) => {
      const position = view.task({ ...partition.line, group })?.position ?? null;
      return position !== null && partition.rankOf(position.offset) === partition.line.appended;
    })
  );
}

/** The records of the topic that a flow writes, by id; `isWhole`: none of them was trimmed unseen. */
export function outputsOf(
  view: HistoryView,
  flow: Flow,
): {
  readonly byId: ReadonlyMap<string, readonly { readonly partition: PartitionView; readonly record: LogRecord }[]>;
  readonly isWhole: boolean;
  readonly partitions: number;
} {
  const byId = new Map<string, { readonly partition: PartitionView; readonly record: LogRecord }[]>();
  const partitions = view.topic(flow.to);
  for (const partition of partitions) {
    for (const record of partition.all ?? partition.held) {
      const id = outputId(flow, record);
      if (id !== null) {
        const known = byId.get(id) ?? [];
        known.push({ partition, record });
        byId.set(id, known);
      }
    }
  }
  return { byId, isWhole: partitions.every(({ all }) => all !== null), partitions: partitions.length };
}
