/** The shared invariants (`@millrace/testing/history`), with what chaos knows of its pipeline. I10 is in `stalls.ts`. */
import {
  checkHistory,
  type Expectations,
  type HistoryLine,
  INVARIANTS,
  type LogRecord,
  printHistory,
  shortest,
} from "@millrace/testing/history";
import type { Violation } from "../history.ts";
import { GROUP, type Input, type Output, TOPICS, type Total, WINDOW_MS } from "../topics.ts";
import { grouped } from "./grouped.ts";

/** Of each invariant, for so many violations the shortest history is looked for. */
const SHORTENED = 2;

/** What the shared invariants say of a run. */
export interface Shared {
  readonly violations: readonly Violation[];
  /** What the history did not tell enough for. */
  readonly notJudged: readonly string[];
}

/**
 * I1 to I9 and I11, of calls and contents.
 *
 * @param isComplete whether the workers came to the end of the input
 */
export function checkShared(lines: readonly HistoryLine[], isComplete: boolean): Shared {
  const expectations = expectationsOf(lines, isComplete);
  const { violations, notJudged } = checkHistory(lines, expectations);
  const shown = [...grouped(violations, ({ invariant }) => invariant).values()].flatMap((of) =>
    of.map(({ invariant, message, excerpt }, at): Violation => {
      const history = at < SHORTENED ? shortest(lines, { invariant, message, excerpt }, expectations) : excerpt;
      return { invariant, message, excerpt: printHistory(history, { values: "text" }).split("\n") };
    }),
  );
  return { violations: shown, notJudged: notJudged.map(({ invariant, reason }) => `${invariant}: ${reason}`) };
}

function expectationsOf(lines: readonly HistoryLine[], isComplete: boolean): Expectations {
  const through = [...new Set(lines.flatMap((line) => ("topic" in line ? line.topic : [])))].filter((topic) =>
    topic.startsWith(`${GROUP}.`),
  );
  const copies = {
    group: GROUP,
    from: TOPICS.input,
    to: TOPICS.output,
    each: (record: LogRecord, partition: number) => {
      const { key, n } = JSON.parse(record.payload) as Input;
      return [`${key} ${n} ${partition} ${record.offset}`];
    },
    idOf: ({ payload }: LogRecord) => {
      const { key, n, from, offset } = JSON.parse(payload) as Output;
      return `${key} ${n} ${from} ${offset}`;
    },
  };
  const totals = {
    group: GROUP,
    from: TOPICS.input,
    to: TOPICS.totals,
    through,
    all: (partitions: readonly (readonly LogRecord[])[]) => totalsOf(partitions.flat()),
    idOf: ({ payload }: LogRecord) => idOfTotal(JSON.parse(payload) as Total),
  };
  return {
    // The last windows close at the end of the input only.
    flows: isComplete ? [copies, totals] : [copies],
    isDrained: isComplete,
    only: INVARIANTS.filter((invariant) => invariant !== "I10"),
  };
}

/** Every window of every group has one result, and it counts every record of the input once. */
function totalsOf(records: readonly LogRecord[]): readonly string[] {
  const inputs = records.map(({ payload }) => JSON.parse(payload) as Input);
  const windows = grouped(inputs, ({ group, at }) => `${group} ${Math.floor(at / WINDOW_MS) * WINDOW_MS}`);
  return [...windows].map(([window, of]) => `${window} ${of.length} ${of.reduce((sum, { n }) => sum + n, 0)}`);
}

function idOfTotal({ group, start, count, sum }: Total): string {
  return `${group} ${start} ${count} ${sum}`;
}
