import { isName } from "@millrace/core";
import { Command, InvalidArgumentError, Option } from "commander";
import type { DataName } from "./data.ts";

/** Which part of the job this process does. */
type Mode = "all" | "produce" | "work" | "report";

/** What the command line asks for. */
export interface Options {
  readonly mode: Mode;
  readonly data: DataName;
  /** Use the first `rows` flights; `Infinity`: all. */
  readonly rows: number;
  /** Flights sent per second; `Infinity`: as fast as the store takes them. */
  readonly rate: number;
  /** `null`: in memory. */
  readonly redis: { readonly url: string; readonly namespace: string } | null;
  readonly partitions: number;
  readonly isUntilIdle: boolean;
  readonly isJson: boolean;
}

interface Raw {
  readonly data: DataName;
  readonly rows?: number;
  readonly rate?: number;
  readonly redis?: string;
  readonly namespace?: string;
  readonly partitions: number;
  readonly json?: true;
  readonly produce?: true;
  readonly work?: true;
  readonly report?: true;
  readonly untilIdle?: true;
}

const MAX_PARTITIONS = 4_096;

const AFTER_HELP = `
Without --produce, --work and --report, one process does all three. On Redis they can be processes of their own, which
run at the same time or one after the other; give all of them the same --data, --rows, --namespace and --partitions.
Any of them can be killed and started again: the result stays the same.

Results go to stdout, progress to stderr. Exit code: 0 done, 1 failed, 2 wrong usage, 130 or 143 interrupted.
`;

/**
 * Reads the command line. Where there is nothing to run (`--help`, wrong usage), it writes what there is to say and throws
 * commander's `CommanderError` with the exit code, 0 or 2.
 */
export function readOptions(args: readonly string[]): Options {
  const program = new Command("flights")
    .description("Delays of real flights by airport and day, and the ten worst airports of each day.")
    .addOption(new Option("--data <name>", "which flights").choices(["20k", "3m"]).default("20k"))
    .option("--rows <n>", "use the first n flights only", wholeFrom(1))
    .option("--json", "write results as JSON lines")
    .option("--redis <url>", "run on this Redis, as redis://127.0.0.1:6379, instead of in memory")
    .option("--namespace <name>", "begins every key in Redis; default: named after the data")
    .option("--partitions <n>", "partitions of the topics between the steps", wholeFrom(1, MAX_PARTITIONS), 4)
    .option("--rate <n>", "send at most n flights a second, to watch the job at work", wholeFrom(1))
    .addOption(new Option("--produce", "only send the flights").conflicts(["work", "report"]))
    .addOption(new Option("--work", "only process, until SIGTERM").conflicts(["produce", "report"]))
    .addOption(new Option("--report", "only read the results").conflicts(["produce", "work"]))
    .option("--until-idle", "with --work: end when everything that will ever come is processed")
    .addHelpText("after", AFTER_HELP)
    .allowExcessArguments(false)
    .showSuggestionAfterError(false)
    .exitOverride((error) => {
      throw Object.assign(error, { exitCode: error.exitCode === 0 ? 0 : 2 });
    });
  const raw = program.parse(args, { from: "user" }).opts<Raw>();
  const problem = findProblem(raw);
  if (problem !== null) {
    program.error(`error: ${problem}`);
  }
  const rows = raw.rows ?? Number.POSITIVE_INFINITY;
  return {
    mode: modeOf(raw),
    data: raw.data,
    rows,
    rate: raw.rate ?? Number.POSITIVE_INFINITY,
    redis: raw.redis === undefined ? null : { url: raw.redis, namespace: raw.namespace ?? namespaceOf(raw.data, rows) },
    partitions: raw.partitions,
    isUntilIdle: raw.untilIdle === true,
    isJson: raw.json === true,
  };
}

function modeOf({ produce, work, report }: Raw): Mode {
  if (produce) {
    return "produce";
  }
  if (work) {
    return "work";
  }
  return report ? "report" : "all";
}

/** What makes no sense together; `null` when all is well. No message repeats the URL, which may hold a password. */
function findProblem(raw: Raw): string | null {
  const mode = modeOf(raw);
  if (raw.redis === undefined) {
    if (mode !== "all") {
      return `--${mode} needs --redis <url>: what is in memory ends with its process`;
    }
    if (raw.namespace !== undefined) {
      return "--namespace needs --redis <url>";
    }
  } else if (!URL.canParse(raw.redis) || !/^rediss?:$/.test(new URL(raw.redis).protocol)) {
    return "--redis takes an address such as redis://127.0.0.1:6379";
  }
  if (raw.namespace !== undefined && !isName(raw.namespace)) {
    return `--namespace takes 1 to 200 letters, digits, ".", "_" and "-", beginning with a letter or a digit`;
  }
  if (raw.untilIdle && mode !== "work") {
    return "--until-idle needs --work";
  }
  return null;
}

/** Other flights live in another namespace, so that they cannot mix. */
function namespaceOf(data: DataName, rows: number): string {
  return Number.isFinite(rows) ? `flights-${data}-first-${rows}` : `flights-${data}`;
}

function wholeFrom(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (!/^\d+$/.test(text) || number < least || number > most) {
      const limit = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
      throw new InvalidArgumentError(`It must be a whole number ${limit}.`);
    }
    return number;
  };
}
