import { readFileSync } from "node:fs";
import type { Interval } from "./history.ts";

const EVERY_MS = 50;
/** Waits that are shorter are part of any machine's life. */
const LEAST_MS = 5;

/**
 * Notes how long processes of the run were ready to run and got no CPU: of each look, the longest wait of any of them, since
 * a hand-over goes through several. Linux tells (`/proc/<pid>/schedstat`, the second number); elsewhere nothing is found.
 */
export function watchCpuWait(
  pids: () => readonly (number | undefined)[],
  now: () => number,
): Disposable & { readonly found: readonly Interval[] } {
  const found: Interval[] = [];
  let before: ReadonlyMap<number, number> = new Map();
  let lastMs = now();
  const look = (): void => {
    const waits = new Map(pids().flatMap((pid) => waitOf(pid)));
    const atMs = now();
    const longestMs = Math.max(0, ...[...waits].map(([pid, waitMs]) => waitMs - (before.get(pid) ?? waitMs)));
    if (longestMs >= LEAST_MS) {
      found.push({ fromMs: Math.max(lastMs, atMs - longestMs), toMs: atMs });
    }
    before = waits;
    lastMs = atMs;
  };
  const timer = setInterval(look, EVERY_MS);
  return { found, [Symbol.dispose]: () => clearInterval(timer) };
}

/** In ms, since the process began. */
function waitOf(pid: number | undefined): readonly (readonly [pid: number, waitMs: number])[] {
  if (pid === undefined) {
    return [];
  }
  try {
    const [, waitNs] = readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ");
    return [[pid, Number(waitNs) / 1_000_000]];
  } catch {
    return []; // it has ended, or this is no Linux
  }
}
