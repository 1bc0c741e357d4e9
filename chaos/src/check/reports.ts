import type { History, Violation } from "../history.ts";
import { faultsAround, timeText } from "./excerpt.ts";

/** What no worker may report: nothing is lost in these runs, and no record is late. */
const NEVER = new Set(["Regressed", "Gap", "LateRecord", "Failed"]);

/**
 * - **no loss reported**: no worker says that the store lost something, that a record came late, or that a task failed.
 * - **no worker gives up**: processes end when they are told to, or at the end of the input.
 * - **completes**: the workers come to the end of the input when the faults are over.
 */
export function checkReports(history: History): readonly Violation[] {
  const reports = history.processes.flatMap(({ name, lines }) =>
    lines.flatMap((line): readonly Violation[] =>
      line._tag === "event" && NEVER.has(line.kind)
        ? [
            {
              invariant: "no loss reported",
              message: `${name} reported ${line.kind}`,
              excerpt: [
                ...faultsAround(history, line.atMs, line.atMs),
                `${timeText(line.atMs)} ${name}: ${line.kind} ${line.text}`,
              ],
            },
          ]
        : [],
    ),
  );
  const ends = history.processes.flatMap(({ name, problem, leftMs }): readonly Violation[] =>
    problem === null
      ? []
      : [
          {
            invariant: "no worker gives up",
            message: `${name} ended by itself`,
            excerpt: [...(leftMs === null ? [] : faultsAround(history, leftMs, leftMs)), problem],
          },
        ],
  );
  const { incomplete } = history;
  const unfinished =
    incomplete === null
      ? []
      : [{ invariant: "completes", message: "the workers did not come to the end", excerpt: [incomplete] }];
  return [...reports, ...ends, ...unfinished];
}
