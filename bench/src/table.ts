import type { Benchmark } from "./contender.ts";
import type { SideSummary, Summary } from "./summary.ts";

const HEAD = ["", "records/s", "min–max", "CPU µs/record: Node", "Redis"];
const WIDTHS = [50, 11, 21, 21, 7];

/** The head of the table. */
export function tableHead(): string {
  return line(HEAD);
}

/** Three lines of a benchmark: both sides, and how they compare. */
export function tableRows({ title, rival }: Benchmark, { millrace, ioredis, ratio }: Summary): string {
  const lines = [
    line([`${title}: Millrace`, ...cellsOf(millrace)]),
    line([`  ioredis, ${rival}`, ...cellsOf(ioredis)]),
    line(["  ratio", `${ratio.toFixed(2)}×`]),
  ];
  return lines.join("\n");
}

function cellsOf({ recordsPerSecond: { median, min, max }, nodeCpuUs, redisCpuUs }: SideSummary): string[] {
  return [whole(median), `${whole(min)}–${whole(max)}`, nodeCpuUs.toFixed(2), redisCpuUs.toFixed(2)];
}

function whole(value: number): string {
  return Math.round(value).toLocaleString("en");
}

function line([first = "", ...rest]: readonly string[]): string {
  const cells = rest.map((cell, index) => cell.padStart(WIDTHS[index + 1] ?? 0));
  return [first.padEnd(WIDTHS[0] ?? 0), ...cells].join(" ").trimEnd();
}
