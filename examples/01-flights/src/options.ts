import { type Duration, isName, type MemberOptions, parseDuration } from "@millrace/core";
import { Command, InvalidArgumentError, Option } from "commander";
import * as E from "fp-ts/lib/Either.js";
import type { DataName } from "./data.ts";

/** Which part of the job this process does. */
type Mode = "all" | "produce" | "work" | "report" | "status";

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
  /** How this process takes part in the groups. */
  readonly member: MemberOptions;
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
  readonly id?: string;
  readonly session?: Duration;
  readonly partitions: number;
  readonly json?: true;
  readonly produce?: true;
  readonly work?: true;
  readonly report?: true;
  readonly status?: true;
  readonly untilIdle?: true;
}

const MAX_PARTITIONS = 4_096;
/** Of a process that does everything: started again, it takes its place back at once. */
const ID_OF_ALL = "npm-start";
/** Shorter than Millrace's default, so that the others soon go on with the tasks of a worker that was killed. */
const SESSION: Duration = "3 s";
const LEAST_SESSION_MS = 1_000;

const AFTER_HELP = `
Without --produce, --work, --report and --status, one process does all there is to do. On Redis the parts can be processes
of their own, which run at the same time or one after the other; give all of them the same --data, --rows, --namespace and
--partitions. Several --work processes share the work. Any of them can be killed and started again: the result stays the
same.

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
    .option("--namespace <name>", "begins every key in Redis; default: named after the data", nameFrom)
    .option("--partitions <n>", "partitions of the topics between the steps", wholeFrom(1, MAX_PARTITIONS), 4)
    .option("--rate <n>", "send at most n flights a second, to watch the job at work", wholeFrom(1))
    .addOption(new Option("--produce", "only send the flights").conflicts(["work", "report", "status"]))
    .addOption(new Option("--work", "only process, until SIGTERM").conflicts(["produce", "report", "status"]))
    .addOption(new Option("--report", "only read the results").conflicts(["produce", "work", "status"]))
    .addOption(new Option("--status", "only show the workers and their tasks").conflicts(["produce", "work", "report"]))
    .option("--until-idle", "with --work: end when everything that will ever come is processed")
    .option(
      "--id <name>",
      `the worker's name, by which it takes its place back; default: random, or "${ID_OF_ALL}"`,
      nameFrom,
    )
    .option(
      "--session <duration>",
      `a worker that is silent for so long loses its tasks; default: "${SESSION}"`,
      sessionFrom,
    )
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
  const mode = modeOf(raw);
  const rows = raw.rows ?? Number.POSITIVE_INFINITY;
  return {
    mode,
    data: raw.data,
    rows,
    rate: raw.rate ?? Number.POSITIVE_INFINITY,
    redis: raw.redis === undefined ? null : { url: raw.redis, namespace: raw.namespace ?? namespaceOf(raw.data, rows) },
    member: memberOf(raw, mode),
    partitions: raw.partitions,
    isUntilIdle: raw.untilIdle === true,
    isJson: raw.json === true,
  };
}

function modeOf(raw: Raw): Mode {
  const modes = ["produce", "work", "report", "status"] as const;
  return modes.find((mode) => raw[mode]) ?? "all";
}

function memberOf({ redis, id, session = SESSION }: Raw, mode: Mode): MemberOptions {
  const name = id ?? (mode === "all" && redis !== undefined ? ID_OF_ALL : undefined);
  return name === undefined ? { session } : { id: name, session };
}

/** What makes no sense together; `null` when all is well. No message repeats the URL, which may hold a password. */
function findProblem(raw: Raw): string | null {
  const mode = modeOf(raw);
  if (raw.redis === undefined) {
    if (mode !== "all") {
      return `--${mode} needs --redis <url>: what is in memory ends with its process`;
    }
    const alone = (["namespace", "id", "session"] as const).find((option) => raw[option] !== undefined);
    if (alone !== undefined) {
      return `--${alone} needs --redis <url>`;
    }
  } else if (!URL.canParse(raw.redis) || !/^rediss?:$/.test(new URL(raw.redis).protocol)) {
    return "--redis takes an address such as redis://127.0.0.1:6379";
  }
  return findMisplaced(raw, mode);
}

function findMisplaced(raw: Raw, mode: Mode): string | null {
  if (raw.untilIdle && mode !== "work") {
    return "--until-idle needs --work";
  }
  const ofWorkers = (["id", "session"] as const).find((option) => raw[option] !== undefined);
  if (ofWorkers !== undefined && mode !== "work" && mode !== "all") {
    return `--${ofWorkers} is for workers: it does not go with --${mode}`;
  }
  return null;
}

/** Other flights live in another namespace, so that they cannot mix. */
function namespaceOf(data: DataName, rows: number): string {
  return Number.isFinite(rows) ? `flights-${data}-first-${rows}` : `flights-${data}`;
}

function nameFrom(text: string): string {
  if (!isName(text)) {
    throw new InvalidArgumentError(
      'It takes 1 to 200 letters, digits, ".", "_" and "-", beginning with a letter or a digit.',
    );
  }
  return text;
}

function sessionFrom(text: string): Duration {
  const parsed = parseDuration(text);
  if (E.isLeft(parsed)) {
    throw new InvalidArgumentError(`${parsed.left.message}.`);
  }
  if (parsed.right < LEAST_SESSION_MS) {
    throw new InvalidArgumentError(`It must be at least ${LEAST_SESSION_MS / 1_000} s.`);
  }
  return `${parsed.right} ms`;
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
