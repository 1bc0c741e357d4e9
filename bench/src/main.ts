/** Measures Millrace: beside hand-written ioredis loops that do the same, and against goals. */
import { cpus, loadavg } from "node:os";
import { type ContestName, contests } from "./contests.ts";
import { type BenchOptions, HELP, parseOptions } from "./options.ts";
import { makeOrders, PARTITIONS } from "./orders.ts";
import { findRedisBinary } from "./redis-server.ts";
import { type RoundsOptions, runRounds } from "./rounds.ts";
import { type Summary, summarise } from "./summary.ts";
import { tableHead, tableRows, trialTable } from "./table.ts";
import { type TrialSetting, verdictsOf } from "./trial.ts";
import { type TrialName, trials } from "./trials.ts";

const CONTEST_RECORDS = 100_000;
const CONTEST_ROUNDS = 7;
const recordBytes = JSON.stringify(makeOrders(1)[0]).length;

type Print = (text: string) => void;

async function bench(options: BenchOptions): Promise<void> {
  const { names, json } = options;
  const print: Print = (text) => {
    if (!json) {
      process.stdout.write(`${text}\n`);
    }
  };
  const binary = await findRedisBinary();
  print(
    `Node ${process.versions.node}, Redis ${binary.version}, ${cpus().length} CPUs, load average ${loadavg()[0]?.toFixed(1)}`,
  );
  const records = options.records ?? CONTEST_RECORDS;
  const rounds = options.rounds ?? CONTEST_ROUNDS;
  const contestants = names.filter((name) => name in contests) as ContestName[];
  const tried = names.filter((name) => name in trials) as TrialName[];
  const summaries = await runContests(contestants, { binary, records, rounds }, print);
  const reports = await runTrials(tried, { ...options, binary }, print);
  if (json) {
    const contestSetting = contestants.length === 0 ? {} : { records, recordBytes, partitions: PARTITIONS, rounds };
    process.stdout.write(`${JSON.stringify({ ...contestSetting, benchmarks: { ...summaries, ...reports } })}\n`);
  }
}

async function runContests(
  names: readonly ContestName[],
  setting: RoundsOptions,
  print: Print,
): Promise<Partial<Record<ContestName, Summary>>> {
  const { records, rounds } = setting;
  const summaries: Partial<Record<ContestName, Summary>> = {};
  if (names.length > 0) {
    print(
      `\n${records} records of ${recordBytes} bytes, ${PARTITIONS} partitions, ${rounds} rounds, medians\n${tableHead()}`,
    );
  }
  for (const name of names) {
    const summary = summarise(await runRounds(name, setting), records);
    summaries[name] = summary;
    print(tableRows(contests[name], summary));
  }
  return summaries;
}

async function runTrials(
  names: readonly TrialName[],
  setting: TrialSetting,
  print: Print,
): Promise<Partial<Record<TrialName, unknown>>> {
  const reports: Partial<Record<TrialName, unknown>> = {};
  for (const name of names) {
    const report = await trials[name](setting);
    reports[name] = { ...report.figures, goals: verdictsOf(report) };
    print(`\n${trialTable(report)}`);
  }
  return reports;
}

// The servers are killed when this process exits, which a signal alone does not make it do in order.
process.once("SIGINT", () => process.exit(130));
process.once("SIGTERM", () => process.exit(143));

try {
  const options = parseOptions(process.argv.slice(2));
  if (options === null) {
    process.stdout.write(HELP);
  } else {
    await bench(options);
  }
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
