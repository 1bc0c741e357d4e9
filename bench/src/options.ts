import { parseArgs } from "node:util";

export interface BenchOptions {
  readonly records: number;
  readonly rounds: number;
  readonly json: boolean;
}

export const HELP = `npm run bench [-- options]

  --records N   records of each run (default 100000)
  --rounds N    runs of each side that count (default 7)
  --json        one JSON document on stdout instead of the table
  --help        this text
`;

/** The options of the command line; `null` when help is wanted. Throws for what it does not know. */
export function parseOptions(args: readonly string[]): BenchOptions | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      records: { type: "string", default: "100000" },
      rounds: { type: "string", default: "7" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const { json, help } = values;
  return help
    ? null
    : { json, records: atLeastOne("records", values.records), rounds: atLeastOne("rounds", values.rounds) };
}

function atLeastOne(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new RangeError(`--${name} must be a whole number from 1, not "${text}"`);
  }
  return value;
}
