import { parseArgs } from "node:util";

/** What the command line asks for. */
export interface Options {
  /** The SQLite file; `null`: a new one among the temporary files. */
  readonly file: string | null;
  /** `null`: in memory. */
  readonly redis: { readonly url: string; readonly namespace: string } | null;
  /** Flights sent per second; `Infinity`: as fast as the store takes them. */
  readonly rate: number;
  readonly search: string;
  readonly isJson: boolean;
  readonly isHelp: boolean;
}

/** The command line makes no sense; the message says why. */
export class UsageError extends Error {}

export const HELP = `Indexes real flights into SQLite: a document for each route, as of its last flight.

  --file <path>        the SQLite file; default: a new one among the temporary files
  --redis <url>        run on this Redis, as redis://127.0.0.1:6379, instead of in memory; needs --file
  --namespace <name>   begins every key in Redis; default: route-index
  --rate <n>           send at most n flights a second, to watch it at work
  --search <words>     which documents to show; default: angeles
  --json               write all documents and the totals as JSON lines

Killed at any moment and started again with the same --file, it ends with the same documents.
`;

/** Reads the command line. Throws {@link UsageError}. */
export function readOptions(args: readonly string[]): Options {
  const raw = parsed(args);
  const problem = findProblem(raw);
  if (problem !== null) {
    throw new UsageError(problem);
  }
  const { file = null, redis, namespace = "route-index", rate, search = "angeles", json, help } = raw;
  return {
    file,
    redis: redis === undefined ? null : { url: redis, namespace },
    rate: rate === undefined ? Number.POSITIVE_INFINITY : Number(rate),
    search,
    isJson: json === true,
    isHelp: help === true,
  };
}

/** What makes no sense; `null` when all is well. No message repeats the URL, which may hold a password. */
function findProblem({ file, redis, namespace, rate, search }: ReturnType<typeof parsed>): string | null {
  if (redis === undefined) {
    return namespace === undefined ? findProblemOfValues(rate, search) : "--namespace needs --redis";
  }
  if (file === undefined) {
    return "--redis needs --file: Redis remembers what was indexed, so the index must stay, too";
  }
  if (!URL.canParse(redis) || !/^rediss?:$/.test(new URL(redis).protocol)) {
    return "--redis takes an address such as redis://127.0.0.1:6379";
  }
  return findProblemOfValues(rate, search);
}

function findProblemOfValues(rate: string | undefined, search: string | undefined): string | null {
  if (rate !== undefined && !/^[1-9]\d*$/.test(rate)) {
    return "--rate takes a whole number of at least 1";
  }
  return search === undefined || /^[\p{L}\p{N} ]+$/u.test(search) ? null : "--search takes words of letters and digits";
}

function parsed(args: readonly string[]) {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  const options = { file: text, redis: text, namespace: text, rate: text, search: text, json: flag, help: flag };
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw error instanceof TypeError ? new UsageError(error.message) : error;
  }
}
