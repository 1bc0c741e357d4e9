import { parseArgs } from "node:util";
import { type ContestName, contests } from "./contests.ts";
import { type TrialName, trials } from "./trials.ts";

/** What to run, and how large; `null`: each benchmark's own default. */
export interface BenchOptions {
  readonly names: readonly (ContestName | TrialName)[];
  readonly records: number | null;
  readonly rounds: number | null;
  readonly partitions: number | null;
  readonly workers: number | null;
  readonly rate: number | null;
  readonly seconds: number | null;
  readonly json: boolean;
}

export const HELP = `npm run bench [-- names and options]

beside hand-written loops on ioredis:
  produce        values to a topic
  consume        records decoded, validated and committed
  transform      records from topic to topic
operators, beside RxJS's:
  chain          what five operators cost, beside RxJS's
  handlers       mapOrdered beside concatMap, mergeMap and Readable.map
  heap           memory while a backlog drains through a slow handler, beside mergeMap
state:
  state          records/s of a keyed count and a tumbling window, and their round trips, beside hand-written loops
  take-over      time to the first record of a task with up to a million keys of state
against goals:
  assignor       how long a target takes to compute (10,000 tasks, 500 members)
  group          pauses at joins, leaves and kills of worker processes under load (1 minute)
  idle           what a group costs while nothing is to do
  settle         how long workers that join at once take to share the tasks
Without names: all, 25 minutes.

  --records N      records of each run: produce, consume, transform, heap (default 100000), chain (400000),
                   state (1000000); handlers: the most values of a run (100000); take-over: the most keys (1000000)
  --rounds N       rounds that count (default: 7, chain 9, handlers, assignor and group 5, take-over 11,
                   heap, state and settle 3)
  --partitions N   group (64), idle (64 and 1024), settle (256); tasks of assignor
  --workers N      group and idle (4), settle (16); members of assignor
  --rate N         group: records per second (2000)
  --seconds N      idle: how long (10)
  --json           one JSON document on stdout instead of tables
  --help           this text
`;

/** The options of the command line; `null` when help is wanted. Throws for what it does not know. */
export function parseOptions(args: readonly string[]): BenchOptions | null {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      records: { type: "string" },
      rounds: { type: "string" },
      partitions: { type: "string" },
      workers: { type: "string" },
      rate: { type: "string" },
      seconds: { type: "string" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    return null;
  }
  return {
    names: namesIn(positionals),
    records: sizeIn("records", values.records),
    rounds: sizeIn("rounds", values.rounds),
    partitions: sizeIn("partitions", values.partitions),
    workers: sizeIn("workers", values.workers),
    rate: sizeIn("rate", values.rate),
    seconds: sizeIn("seconds", values.seconds),
    json: values.json,
  };
}

/** In the order in which they are listed here, whatever the order on the command line. */
function namesIn(wanted: readonly string[]): BenchOptions["names"] {
  const known = Object.keys({ ...contests, ...trials }) as (ContestName | TrialName)[];
  const unknown = wanted.find((name) => !known.some((other) => other === name));
  if (unknown !== undefined) {
    throw new RangeError(`there is no benchmark "${unknown}", but ${known.join(", ")}`);
  }
  return wanted.length === 0 ? known : known.filter((name) => wanted.includes(name));
}

function sizeIn(name: string, text: string | undefined): number | null {
  return text === undefined ? null : atLeastOne(name, text);
}

function atLeastOne(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new RangeError(`--${name} must be a whole number from 1, not "${text}"`);
  }
  return value;
}
