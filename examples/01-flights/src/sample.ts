import type { TaskStatus } from "@millrace/core";
import { grouped } from "./format.ts";
import type { Sample } from "./progress.ts";
import { flights } from "./topics.ts";

/** How far the tasks are; `null` before the first look at their partitions. */
export function sampleOf(statuses: readonly TaskStatus[], total: number | undefined): Sample | null {
  if (statuses.length === 0 || statuses.some(({ lag }) => lag === null)) {
    return null;
  }
  const sources = statuses.filter(({ topic }) => topic === flights.name);
  const read = sum(sources, ({ processed }) => processed);
  const unread = sum(sources, ({ lag }) => lag ?? 0);
  const behind = sum(statuses, ({ lag }) => lag ?? 0);
  const at = Math.min(...sources.map(({ watermarkMs }) => watermarkMs));
  const day = Number.isFinite(at) ? `, at ${new Date(at).toISOString().slice(0, 10)}` : "";
  return { flights: read, total: total ?? read + unread, detail: `, lag ${grouped(behind)}${day}` };
}

function sum(statuses: readonly TaskStatus[], of: (status: TaskStatus) => number): number {
  return statuses.reduce((total, status) => total + of(status), 0);
}
