import { checkHistory } from "./check-history.ts";
import type { HistoryLine, RecordText } from "./lines.ts";
import { partitionKey } from "./partition-view.ts";
import { CUTS, type Cut, withRecords } from "./reduce.ts";
import type { Expectations, Violation } from "./verdict.ts";

/** How a history is shortened. */
export interface ShortestOptions extends Omit<Expectations, "only"> {
  /** For how long (ms, about) parts are tried; what is left then is returned. Default 2,000. */
  readonly withinMs?: number;
}

const WITHIN_MS = 2_000;

/**
 * The shortest history found that shows a violation: processes, partitions, calls, keys and records are left out as long as the
 * invariant is violated with the same message. Nothing more can be left out of it, unless the time was over.
 *
 * It shows the violation, and nothing else: other invariants do not hold for what is left.
 *
 * @param lines the history in which the violation was found, with the same expectations
 */
export function shortest(
  lines: readonly HistoryLine[],
  violation: Violation,
  { withinMs = WITHIN_MS, ...expectations }: ShortestOptions = {},
): readonly HistoryLine[] {
  const deadlineMs = performance.now() + withinMs;
  const shows = (candidate: readonly HistoryLine[]): boolean =>
    checkHistory(candidate, { ...expectations, only: [violation.invariant] }).violations.some(
      ({ message }) => message === violation.message,
    );
  const isOver = (): boolean => performance.now() > deadlineMs;
  let current = startOf(lines, violation, shows);
  let size = Number.POSITIVE_INFINITY;
  while (sizeOf(current) < size && !isOver()) {
    size = sizeOf(current);
    for (const cut of CUTS) {
      current = reduced(current, cut, { shows, isOver });
    }
  }
  return current;
}

/** Often the lines that were given with the violation are enough; else all of them are there to begin with. */
function startOf(
  lines: readonly HistoryLine[],
  { excerpt }: Violation,
  shows: (candidate: readonly HistoryLine[]) => boolean,
): readonly HistoryLine[] {
  const some = [excerptIn(lines, excerpt, "excerpt"), excerptIn(lines, excerpt, "all ends")];
  return some.find(shows) ?? lines;
}

/** The lines of an excerpt in their places, with the ends of its partitions; or with everything that is said of the end. */
function excerptIn(
  lines: readonly HistoryLine[],
  excerpt: readonly HistoryLine[],
  ends: "excerpt" | "all ends",
): readonly HistoryLine[] {
  const shown = new Set(excerpt);
  const logs = excerpt.filter((line) => line._tag === "log");
  const places = new Set(logs.map(partitionKey));
  const kept = new Set<RecordText>(logs.flatMap(({ records }) => records));
  const isKept = (line: HistoryLine): boolean =>
    shown.has(line) ||
    (isEnd(line) && ends === "all ends") ||
    ((line._tag === "partition" || line._tag === "log") && places.has(partitionKey(line)));
  const some = lines.filter(isKept);
  return ends === "all ends" ? some : withRecords(some, (record) => !("offset" in record) || kept.has(record));
}

/** Whether a line says what there is in the end. */
function isEnd({ _tag }: HistoryLine): boolean {
  return _tag === "partition" || _tag === "log" || _tag === "position" || _tag === "state";
}

interface Trial {
  readonly shows: (candidate: readonly HistoryLine[]) => boolean;
  readonly isOver: () => boolean;
}

/**
 * Leaves out as many parts as it can, in ever smaller groups: Zeller and Hildebrandt, "Simplifying and isolating
 * failure-inducing input" (2002), by complements alone.
 */
function reduced(lines: readonly HistoryLine[], cut: Cut, { shows, isOver }: Trial): readonly HistoryLine[] {
  let current = lines;
  let parts = cut.parts(lines);
  for (let size = parts.length; size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < parts.length && !isOver(); ) {
      const kept = [...parts.slice(0, from), ...parts.slice(from + size)];
      const candidate = cut.keep(lines, new Set(kept));
      if (shows(candidate)) {
        parts = kept;
        current = candidate;
      } else {
        from += size;
      }
    }
  }
  return current;
}

/** How much there is to read. */
function sizeOf(lines: readonly HistoryLine[]): number {
  return lines.reduce((sum, line) => sum + 1 + recordsIn(line), 0);
}

function recordsIn(line: HistoryLine): number {
  const isAppend = line._tag === "invoke" && line.op === "append";
  return isAppend || line._tag === "log" || line._tag === "read" ? line.records.length : 0;
}
