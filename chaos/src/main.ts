/** `npm run chaos`: see `options.ts`. */
import { createWriteStream } from "node:fs";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { parseHistory, writeLine } from "@millrace/testing/history";
import { CommanderError } from "commander";
import { checkShared } from "./check/shared.ts";
import { check } from "./check.ts";
import type { History } from "./history.ts";
import { type Options, readOptions } from "./options.ts";
import { reportText, type Summary, summarise, violationLines } from "./report.ts";
import { runRound } from "./round.ts";

const LONGEST_ROUND_MINUTES = 3;
const ROUND_MINUTES = 2;
const SIGNAL_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

const interrupt = new AbortController();
for (const [signal, code] of Object.entries(SIGNAL_CODES)) {
  process.once(signal, () => {
    process.exitCode = code;
    interrupt.abort();
  });
}

/** Runs all rounds; returns whether nothing was violated. */
async function chaos(options: Options): Promise<boolean> {
  const { minutes, seed, isJson } = options;
  const rounds = minutes > LONGEST_ROUND_MINUTES ? Math.ceil(minutes / ROUND_MINUTES) : 1;
  const summaries: Summary[] = [];
  for (let round = 0; round < rounds; round += 1) {
    interrupt.signal.throwIfAborted();
    summaries.push(await oneRound({ ...options, seed: seed + round, minutes: minutes / rounds }));
  }
  if (isJson) {
    process.stdout.write(`${JSON.stringify(summaries)}\n`);
  } else if (rounds > 1) {
    process.stdout.write(totals(summaries));
  }
  return summaries.every(({ violations }) => Object.keys(violations).length === 0);
}

async function oneRound(options: Options): Promise<Summary> {
  const { seed, minutes, keepsHistory, isJson } = options;
  const print = (text: string): boolean => (isJson ? process.stderr : process.stdout).write(`${text}\n`);
  const dir = await mkdtemp(join(tmpdir(), "millrace-chaos-"));
  let isKept = keepsHistory;
  print(`chaos --seed ${seed} --minutes ${minutes}${options.without === null ? "" : ` --without ${options.without}`}`);
  try {
    const history = await runRound({
      ...options,
      dir,
      forMs: minutes * 60_000,
      signal: interrupt.signal,
      onProgress: print,
    });
    requireRemoval(history, options);
    if (options.historyDir !== null) {
      await mkdir(options.historyDir, { recursive: true });
      await writeCalls(join(options.historyDir, `seed-${seed}.jsonl`), history);
    }
    const verdict = check(history);
    const summary = summarise(seed, history, verdict);
    print(reportText(summary, verdict));
    isKept ||= verdict.violations.length > 0 && options.without === null;
    if (isKept) {
      await writeHistory(join(dir, "history.jsonl"), history);
      await writeCalls(join(dir, "calls.jsonl"), history);
      print(`the history is kept in ${dir}`);
    }
    return summary;
  } finally {
    await rm(isKept ? join(dir, "redis") : dir, { recursive: true, force: true });
  }
}

/** A safeguard that is still there would make the run say that nobody needs it. */
function requireRemoval({ processes }: History, { without }: Options): void {
  const wrong = processes.filter(
    ({ lines }) => lines.length > 0 && lines.some(({ _tag }) => _tag === "without") !== (without !== null),
  );
  if (wrong.length > 0) {
    throw new Error(`${wrong[0]?.name} ran ${without === null ? "without a safeguard" : `with the guard ${without}`}`);
  }
}

/** Checks a shared history again, as one of a run that came to its end; returns whether nothing was violated. */
async function recheck(file: string): Promise<boolean> {
  const { violations, notJudged } = checkShared(parseHistory(await readFile(file, "utf8")), true);
  const lines = [
    `${file}: ${violations.length} violations`,
    ...notJudged.map((reason) => `  not judged     ${reason}`),
    ...violationLines(violations),
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
  return violations.length === 0;
}

/** The shared part: what was asked of Redis, and what lies there in the end. */
async function writeCalls(path: string, { lines }: History): Promise<void> {
  const file = createWriteStream(path);
  for (const line of lines) {
    file.write(`${writeLine(line, { values: "text" })}\n`);
  }
  file.end();
  await finished(file);
}

/** What chaos knows besides. */
async function writeHistory(path: string, history: History): Promise<void> {
  const file = createWriteStream(path);
  for (const [kind, values] of Object.entries(history).filter(([name]) => name !== "lines")) {
    for (const value of Array.isArray(values) ? values : [values]) {
      file.write(`${JSON.stringify({ kind, value: value as unknown })}\n`);
    }
  }
  file.end();
  await finished(file);
}

function totals(summaries: readonly Summary[]): string {
  const sum = (of: (summary: Summary) => number): number =>
    summaries.reduce((total, summary) => total + of(summary), 0);
  const numbers = (counts: Readonly<Record<string, number>>): number =>
    Object.values(counts).reduce((a, b) => a + b, 0);
  const longest = Math.max(...summaries.map(({ longestStallMs }) => longestStallMs));
  const bad = summaries.filter(({ violations }) => numbers(violations) > 0).map(({ seed }) => seed);
  return [
    `${summaries.length} rounds: ${sum(({ faults }) => numbers(faults))} faults, ${sum(({ produced }) => produced)} records produced`,
    `longest stall ${longest} ms, ${sum(({ violations }) => numbers(violations))} violations${bad.length > 0 ? ` (seeds ${bad.join(", ")})` : ""}\n`,
  ].join("\n");
}

try {
  const options = readOptions(process.argv.slice(2));
  const isClean = await (options.checkFile === null ? chaos(options) : recheck(options.checkFile));
  process.exitCode ??= isClean ? 0 : 1;
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode; // commander has said it
  } else if (!interrupt.signal.aborted) {
    process.stderr.write(`chaos: ${error instanceof Error ? error.stack : String(error)}\n`);
    process.exitCode = 1;
  }
}
// Whatever else would keep this process alive was ended.
process.exit();
