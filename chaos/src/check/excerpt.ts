import type { Fault, History, InputRecord } from "../history.ts";

/** Faults so long before something are worth showing beside it. */
const BEFORE_MS = 4_000;

/** A time of day, to the millisecond. */
export function timeText(atMs: number): string {
  return new Date(atMs).toISOString().slice(11, 23);
}

/** An entry of the input as a line. */
export function inputLine({ atMs, partition, offset, key, n }: InputRecord): string {
  return `${timeText(atMs)} input/${partition} ${offset}: ${key} n=${n}`;
}

/** A fault as a line. */
function faultLine({ kind, atMs, untilMs, victim }: Fault): string {
  const lasts = untilMs > atMs ? ` until ${timeText(untilMs)}` : "";
  return `${timeText(atMs)} FAULT ${kind}${victim === null ? "" : ` ${victim}`}${lasts}`;
}

/** The faults that were at work between two times or shortly before. */
export function faultsAround({ faults }: History, fromMs: number, toMs: number): readonly string[] {
  return faults
    .filter(({ atMs, untilMs }) => atMs <= toMs && untilMs >= fromMs - BEFORE_MS)
    .toSorted((a, b) => a.atMs - b.atMs)
    .map(faultLine);
}

/** Lines in the order of the time that they begin with. */
export function inOrder(lines: readonly string[]): readonly string[] {
  return [...new Set(lines)].toSorted((a, b) => (a < b ? -1 : Number(a > b)));
}
