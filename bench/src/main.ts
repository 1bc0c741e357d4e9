/** Measures Millrace beside hand-written ioredis loops that do the same. */
import { cpus } from "node:os";
import { type BenchmarkName, benchmarks } from "./benchmarks.ts";
import { type BenchOptions, HELP, parseOptions } from "./options.ts";
import { makeOrders, PARTITIONS } from "./orders.ts";
import { findRedisBinary } from "./redis-server.ts";
import { runRounds } from "./rounds.ts";
import { type Summary, summarise } from "./summary.ts";
import { tableHead, tableRows } from "./table.ts";

async function bench({ records, rounds, json }: BenchOptions): Promise<void> {
  const print = (text: string): boolean => json || process.stdout.write(`${text}\n`);
  const binary = await findRedisBinary();
  const recordBytes = JSON.stringify(makeOrders(1)[0]).length;
  print(`${records} records of ${recordBytes} bytes, ${PARTITIONS} partitions, ${rounds} rounds, medians`);
  print(`Node ${process.versions.node}, Redis ${binary.version}, ${cpus().length} CPUs\n\n${tableHead()}`);
  const summaries: Partial<Record<BenchmarkName, Summary>> = {};
  for (const name of Object.keys(benchmarks) as BenchmarkName[]) {
    const summary = summarise(await runRounds(name, { binary, records, rounds }), records);
    summaries[name] = summary;
    print(tableRows(benchmarks[name], summary));
  }
  if (json) {
    process.stdout.write(
      `${JSON.stringify({ records, recordBytes, partitions: PARTITIONS, rounds, benchmarks: summaries })}\n`,
    );
  }
}

// The server is killed when this process exits, which a signal alone does not make it do in order.
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
