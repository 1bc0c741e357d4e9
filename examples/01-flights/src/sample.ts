import type { TaskStatus } from "@millrace/core";
import type { Happened } from "./events.ts";
import { grouped, tasks } from "./format.ts";
import type { Sample } from "./progress.ts";
import { flights } from "./topics.ts";

/**
 * How far the tasks of this worker are; `null` while that is not known. Without a task that reads flights, or behind the
 * end of it all, what this process has done counts.
 *
 * @param total flights there will be; without it, those that are there count
 */
export function sampleOf(
  statuses: readonly TaskStatus[],
  { happened, total }: { readonly happened: Happened; readonly total?: number },
): Sample | null {
  const { processed: counted } = happened;
  if (statuses.some(({ lag }) => lag === null) || (statuses.length === 0 && counted === 0)) {
    return null;
  }
  const behind = grouped(sum(statuses, ({ lag }) => lag ?? 0));
  const detail = statuses.length === 0 ? "" : `, ${tasks(statuses.length)}, lag ${behind}`;
  const sources = statuses.filter(({ topic }) => topic === flights.name);
  if (sources.length === 0) {
    return { flights: counted, total: counted, counted, detail };
  }
  const read = sum(sources, ({ processed }) => processed);
  const there = read + sum(sources, ({ lag }) => lag ?? 0);
  const at = Math.min(...sources.map(({ watermarkMs }) => watermarkMs));
  const day = Number.isFinite(at) ? `, at ${new Date(at).toISOString().slice(0, 10)}` : "";
  const hasAll = sources.length === flights.partitions;
  return { flights: read, total: hasAll ? (total ?? there) : there, counted, detail: `${detail}${day}` };
}

function sum(statuses: readonly TaskStatus[], of: (status: TaskStatus) => number): number {
  return statuses.reduce((total, status) => total + of(status), 0);
}
