import { grouped } from "./grouped.ts";
import type { LogRecord } from "./lines.ts";
import { type PartitionView, partitionKey } from "./partition-view.ts";
import { recordId } from "./verdict.ts";
import type { Written } from "./written.ts";

/** Records that say the same: how often they are in a partition, and who asked for them. */
export interface Match {
  readonly partition: PartitionView;
  readonly found: readonly LogRecord[];
  readonly written: readonly Written[];
}

const NOTHING: readonly never[] = [];

/** For each partition of which the end is known: what is there, and what was to be, by what the records say. */
export function matchesIn(partitions: readonly PartitionView[], all: readonly Written[]): readonly Match[] {
  const written = grouped(all, (of) => of.partition);
  return partitions.flatMap((partition) => {
    const byId = grouped(written.get(partitionKey(partition.line)) ?? NOTHING, ({ id }) => id);
    const found = grouped(partition.all ?? partition.held, recordId);
    const matches: Match[] = [];
    for (const [id, of] of byId) {
      matches.push({ partition, found: found.get(id) ?? NOTHING, written: of });
      found.delete(id);
    }
    for (const of of found.values()) {
      matches.push({ partition, found: of, written: NOTHING });
    }
    return matches;
  });
}

/** How many of them are certain to have been written. */
export function certainIn(written: readonly Written[]): number {
  return written.filter(({ certainty }) => certainty === "certain").length;
}

/** How many of them may have been written. */
export function possibleIn(written: readonly Written[]): number {
  return written.filter(({ certainty }) => certainty !== "failed").length;
}
