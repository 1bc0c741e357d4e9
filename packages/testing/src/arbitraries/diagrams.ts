import { type Duration, MillraceError } from "@millrace/core";
import * as fc from "fast-check";
import { isSign, type MarbleEvent } from "../marbles/diagram.ts";
import { parseDiagram } from "../marbles/parse.ts";
import { printDiagram } from "../marbles/print.ts";
import { type FaultOptions, faultSchedules } from "./faults.ts";
import { checkOptions, durationMs } from "./options.ts";
import { ownerRow } from "./owner-row.ts";

/** A diagram for `runMarbles`, which counterexamples show as it is. */
export interface GeneratedDiagram {
  /** A row `records p0` and a row `owner p0`. */
  readonly text: string;
  /** What is sent, as a row in which columns mean nothing: its letters in their order, or `-` where there are none. */
  readonly sent: string;
}

/** What diagrams may hold. */
export interface DiagramOptions extends Omit<FaultOptions<"crash" | "stop">, "workers" | "step"> {
  /** The letters and digits that are sent, in this order, some or all: `"abcdef"`. */
  readonly letters: string;
  /** The workers that take turns, one letter or digit each. Default `["A", "B"]`. */
  readonly workers?: readonly string[];
  /** How long a column is, as given to `runMarbles`. */
  readonly column: Duration;
  /** For how long nothing happens behind `within`, so that the last take-over ends in the diagram. Default `"3 s"`. */
  readonly quiet?: Duration;
}

const OPTIONS = [
  "letters",
  "workers",
  "column",
  "quiet",
  "within",
  "kinds",
  "most",
  "alive",
  "recovers",
] satisfies (keyof DiagramOptions)[];

/**
 * Diagrams of one partition, in which records come while workers crash and leave: run them with `owners: "asked"`, and say what must
 * be true of all. Shrinks towards fewer records and faults, in the first columns. Throws `InvalidOption`, as `faultSchedules` does.
 *
 * @example
 * ```ts
 * const diagrams = diagramsOf({ letters: "abcdef", column: "100 ms", within: "3 s" });
 * await fc.assert(
 *   fc.asyncProperty(diagrams, async ({ text, sent }) => {
 *     const run = await runMarbles(copy, text, { column: "100 ms", owners: "asked", in: marblesOf(input), out: marblesOf(output) });
 *     run.expectOut(sent).perKeyOrder();
 *   }),
 * );
 * ```
 */
export function diagramsOf(options: DiagramOptions): fc.Arbitrary<GeneratedDiagram> {
  checkOptions("diagramsOf", options, OPTIONS);
  const { letters, column, quiet = "3 s", workers = ["A", "B"], ...faults } = options;
  const columnMs = durationMs("diagramsOf: column", column);
  check(typeof letters === "string", "letters are a text");
  const signs = letters.split("");
  check(columnMs > 0, "column must be above 0 ms");
  check(signs.every(isSign), "letters are letters and digits");
  check(workers.every(isSign), "a worker is one letter or digit");
  const busy = Math.ceil(durationMs("diagramsOf: within", options.within) / columnMs);
  const columns = busy + Math.ceil(durationMs("diagramsOf: quiet", quiet) / columnMs);
  const schedules = faultSchedules({ ...faults, workers, step: column });
  const sent = fc.array(fc.integer({ min: 1, max: Math.max(1, busy) }), { maxLength: signs.length });
  return fc.tuple(sent, schedules).map(([places, schedule]) => {
    const events = places
      .toSorted((a, b) => a - b)
      .map((place, index): MarbleEvent => ({ column: place, symbol: signs[index] ?? "" }));
    const owner = ownerRow(schedule, { column, columns: columns + OWNER_SLACK });
    return generated(events, owner);
  });
}

function check(isTrue: boolean, problem: string): void {
  if (!isTrue) {
    throw new MillraceError("InvalidOption", `diagramsOf: ${problem}`);
  }
}

/** What happens at once takes columns of its own in an owner row. */
const OWNER_SLACK = 10;

function generated(events: readonly MarbleEvent[], owner: string): GeneratedDiagram {
  const { diagram } = parseDiagram(`owner p0  ${owner}`, { topics: [] });
  const records = { kind: "records", topic: null, partition: 0, events } as const;
  const text = printDiagram({ columns: diagram.columns, rows: [records, ...diagram.rows] });
  const made = { text, sent: events.map(({ symbol }) => symbol).join("") || "-" };
  // For counterexamples only: it must not count when diagrams are compared.
  return Object.defineProperty(made, fc.toStringMethod, { enumerable: false, value: () => `\n${text}\n` });
}
