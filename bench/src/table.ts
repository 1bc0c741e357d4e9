import type { Contest } from "./contender.ts";
import type { SideSummary, Summary } from "./summary.ts";
import type { Report, Row } from "./trial.ts";

const HEAD = ["", "records/s", "min–max", "CPU µs/record: Node", "Redis"];
const WIDTHS = [50, 11, 21, 21, 7];
const TRIAL_WIDTHS = [50, 11, 11, 11, 11, 20, 7];
/** Cells between the first column and the goal. */
const TRIAL_CELLS = 4;

/** The head of the contests' table. */
export function tableHead(): string {
  return line(HEAD, WIDTHS);
}

/** Three lines of a contest: both sides, and how they compare. */
export function tableRows({ title, rival }: Contest, { millrace, ioredis, ratio }: Summary): string {
  const lines = [
    line([`${title}: Millrace`, ...cellsOf(millrace)], WIDTHS),
    line([`  ioredis, ${rival}`, ...cellsOf(ioredis)], WIDTHS),
    line(["  ratio", `${ratio.toFixed(2)}×`], WIDTHS),
  ];
  return lines.join("\n");
}

/** The table of a trial. */
export function trialTable({ title, head, rows }: Report): string {
  const lines = [title, line(trialCells("", head, ["goal", ""]), TRIAL_WIDTHS), ...rows.map(trialRow)];
  return lines.join("\n");
}

function trialRow({ what, cells, verdict }: Row): string {
  const goal = verdict === undefined ? [] : [verdict.goal, verdict.isMet ? "met" : "MISSED"];
  return line(trialCells(what, cells, goal), TRIAL_WIDTHS);
}

function trialCells(what: string, cells: readonly string[], goal: readonly string[]): readonly string[] {
  return [what, ...Array.from({ length: TRIAL_CELLS }, (_, index) => cells[index] ?? ""), ...goal];
}

function cellsOf({ recordsPerSecond: { median, min, max }, nodeCpuUs, redisCpuUs }: SideSummary): string[] {
  return [whole(median), `${whole(min)}–${whole(max)}`, nodeCpuUs.toFixed(2), redisCpuUs.toFixed(2)];
}

function whole(value: number): string {
  return Math.round(value).toLocaleString("en");
}

function line([first = "", ...rest]: readonly string[], widths: readonly number[]): string {
  const cells = rest.map((cell, index) => cell.padStart(widths[index + 1] ?? 0));
  return [first.padEnd(widths[0] ?? 0), ...cells].join(" ").trimEnd();
}
