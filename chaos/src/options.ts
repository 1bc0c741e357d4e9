import { Command, InvalidArgumentError, Option } from "commander";
import { GUARDS, type Guard } from "./guards.ts";

/** What the command line asks for. */
export interface Options {
  readonly minutes: number;
  /** Ends a round after so many faults, if that comes first. */
  readonly maxFaults: number;
  readonly seed: number;
  readonly workers: number;
  readonly partitions: number;
  readonly sessionMs: number;
  readonly gapMs: number;
  readonly rate: number;
  readonly keys: number;
  readonly without: Guard | null;
  readonly keepsHistory: boolean;
  /** Where the shared histories of all rounds go; `null`: nowhere. */
  readonly historyDir: string | null;
  /** Checks this shared history again, and runs nothing. */
  readonly checkFile: string | null;
  readonly isDurable: boolean;
  readonly isJson: boolean;
}

interface Raw {
  readonly minutes: number;
  readonly faults?: number;
  readonly seed?: number;
  readonly workers: number;
  readonly partitions: number;
  readonly session: number;
  readonly gap: number;
  readonly rate: number;
  readonly keys: number;
  readonly without?: Guard;
  readonly keep?: true;
  readonly history?: string;
  readonly check?: string;
  readonly durable?: boolean;
  readonly json?: true;
}

/** Long enough for a server that is killed and loads its file. */
const DURABLE_FROM_MINUTES = 1;

const AFTER_HELP = `
Runs longer than 3 minutes are split into rounds of about 2, each with a server of its own and the next seed. A seed repeats
the choice of faults, not the moments exactly. Exit code: 0 no violation, 1 violations or a failure, 2 wrong usage.
`;

/**
 * Reads the command line. Where there is nothing to run (`--help`, wrong usage), it writes what there is to say and throws
 * commander's `CommanderError` with the exit code, 0 or 2.
 */
export function readOptions(args: readonly string[]): Options {
  const program = new Command("chaos")
    .description("Kills, freezes and cuts off workers that share a group on a real Redis, then checks what they did.")
    .option("--minutes <n>", "how long there are faults", number(0.05), 2)
    .option("--faults <n>", "end after so many faults, if that comes first", whole(1))
    .option("--seed <n>", "which faults come when; default: a random one", whole(0))
    .option("--workers <n>", "workers at the start; 2 to 5 later", whole(2, 5), 3)
    .option("--partitions <n>", "partitions of input and output", whole(1, 256), 16)
    .option("--session <duration>", "session timeout, such as 1s or 500ms", duration, 1_000)
    .option("--gap <duration>", "mean time between faults", duration, 2_000)
    .option("--rate <n>", "values a second", whole(1, 5_000), 500)
    .option("--keys <n>", "different keys", whole(1, 10_000), 100)
    .addOption(new Option("--without <guard>", "take a safeguard out of the product").choices(Object.keys(GUARDS)))
    .option("--durable", "also kill -9 the server, which has an append-only file; default from 1 minute on")
    .option("--no-durable", "leave the server alone")
    .option("--keep", "keep the directory with the history; it is kept anyway when there are violations")
    .option("--history <dir>", "leave what was asked of Redis as JSON lines in this directory, a file for each round")
    .option("--check <file>", "check such a file again, and run nothing")
    .option("--json", "write the summary as JSON to stdout")
    .addHelpText("after", AFTER_HELP)
    .allowExcessArguments(false)
    .showSuggestionAfterError(false)
    .exitOverride((error) => {
      throw Object.assign(error, { exitCode: error.exitCode === 0 ? 0 : 2 });
    });
  const raw = program.parse(args, { from: "user" }).opts<Raw>();
  const { minutes, workers, partitions, rate, keys } = raw;
  return {
    minutes,
    workers,
    partitions,
    rate,
    keys,
    maxFaults: raw.faults ?? Number.POSITIVE_INFINITY,
    seed: raw.seed ?? Math.floor(Math.random() * 2 ** 31),
    sessionMs: raw.session,
    gapMs: raw.gap,
    without: raw.without ?? null,
    keepsHistory: raw.keep === true,
    historyDir: raw.history ?? null,
    checkFile: raw.check ?? null,
    isDurable: raw.durable ?? (minutes >= DURABLE_FROM_MINUTES && raw.without === undefined),
    isJson: raw.json === true,
  };
}

function number(min: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isFinite(value) || value < min) {
      throw new InvalidArgumentError(`It must be a number from ${min}.`);
    }
    return value;
  };
}

function whole(min: number, max = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < min || value > max) {
      throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
    }
    return value;
  };
}

function duration(text: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?) ?(ms|s)$/.exec(text) ?? [];
  const ms = Number(amount) * (unit === "s" ? 1_000 : 1);
  if (amount === undefined || ms < 1) {
    throw new InvalidArgumentError("It must be a duration of at least 1ms, such as 1s.");
  }
  return ms;
}
