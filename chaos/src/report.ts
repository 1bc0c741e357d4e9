import { timeText } from "./check/excerpt.ts";
import { grouped } from "./check/grouped.ts";
import type { Excused } from "./check/stalls.ts";
import type { Verdict } from "./check.ts";
import type { History, Violation } from "./history.ts";

/** What is said of a run. */
export interface Summary {
  readonly seed: number;
  /** How many faults of each kind there were. */
  readonly faults: Readonly<Record<string, number>>;
  readonly produced: number;
  readonly output: number;
  readonly windows: number;
  readonly processes: number;
  /** Stays of which records are in the output: acquisitions that led to something. */
  readonly stays: number;
  /** The longest time that counts as a stall, ms, and the whole of that stall. */
  readonly longestStallMs: number;
  readonly longestStallRawMs: number;
  /** Stalls that were allowed only because of a fault on the way. */
  readonly forgivenStalls: number;
  /** What counted for no stall. */
  readonly excused: Excused;
  /** How often each invariant was violated. */
  readonly violations: Readonly<Record<string, number>>;
}

/** Of each invariant, so many violations are shown. */
const SHOWN = 2;
const LINES_SHOWN = 25;

/** The figures of a run. */
export function summarise(seed: number, history: History, verdict: Verdict): Summary {
  const { longestStall } = verdict;
  return {
    seed,
    faults: countBy(history.faults, ({ kind }) => kind),
    produced: history.sent.length,
    output: history.output.length,
    windows: history.totals.length,
    processes: history.processes.length,
    stays: new Set(history.output.map(({ stay }) => stay)).size,
    longestStallMs: Math.round(longestStall?.countedMs ?? 0),
    longestStallRawMs: longestStall === null ? 0 : Math.round(longestStall.toMs - longestStall.fromMs),
    forgivenStalls: verdict.forgivenStalls,
    excused: verdict.excused,
    violations: countBy(verdict.violations, ({ invariant }) => invariant),
  };
}

/** The table of a run, and what shows its violations. */
export function reportText(summary: Summary, { violations, notJudged, longestStall }: Verdict): string {
  const { faults, produced, output, windows, processes, stays } = summary;
  const { outageMs, slowServerMs, starvedMs, nobodyMs, hiccupMs } = summary.excused;
  const total = Object.values(faults).reduce((sum, number) => sum + number, 0);
  const kinds = Object.entries(faults)
    .toSorted(([, a], [, b]) => b - a)
    .map(([kind, number]) => `    ${String(number).padStart(5)}  ${kind}`);
  const stall =
    longestStall === null
      ? "none"
      : `${summary.longestStallMs} ms, ${longestStall.task} from ${timeText(longestStall.fromMs)} (${summary.longestStallRawMs} ms in all, ${longestStall.restarts} faults in between)`;
  return [
    "",
    `seed ${summary.seed}: ${total} faults`,
    ...kinds,
    `  records        ${produced} produced, ${output} in the output, ${windows} windows`,
    `  workers        ${processes} processes, ${stays} stays with output`,
    `  longest stall  ${stall}`,
    `  longer stalls  ${summary.forgivenStalls}, allowed because of a fault that hit whoever was to end them`,
    `  not counted    ${outageMs} ms server away, ${slowServerMs} ms server slow, ${nobodyMs} ms no worker able,`,
    `                 ${starvedMs} ms waiting for a CPU, ${hiccupMs} ms driver not scheduled; some of it at the same time`,
    `  violations     ${violations.length}`,
    ...notJudged.map((reason) => `  not judged     ${reason}`),
    ...violationLines(violations),
    "",
  ].join("\n");
}

/** The excerpts of violations, the shortest first. */
export function violationLines(violations: readonly Violation[]): readonly string[] {
  const lines: string[] = [];
  for (const [invariant, of] of grouped(violations, (violation) => violation.invariant)) {
    lines.push("", `  ${invariant}: ${of.length}`);
    const shortest = of.toSorted((a, b) => a.excerpt.length - b.excerpt.length).slice(0, SHOWN);
    for (const { message, excerpt } of shortest) {
      lines.push(`    ${message}`, ...excerpt.slice(0, LINES_SHOWN).map((line) => `      ${line}`));
    }
  }
  return lines;
}

function countBy<A>(values: readonly A[], by: (value: A) => string): Readonly<Record<string, number>> {
  return Object.fromEntries([...grouped(values, by)].map(([key, of]) => [key, of.length]));
}
