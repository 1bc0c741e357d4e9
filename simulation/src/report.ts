import { printVerdict } from "@millrace/testing/history";
import type { Outcome } from "./run.ts";
import type { Scenario } from "./scenario.ts";
import type { Tally } from "./tally.ts";

/** What many runs have come to, for people. */
export function summary(tally: Tally, tookMs: number): string {
  const { schedules, simulatedMs, steps, longestMs, counts, failures } = tally;
  const seconds = tookMs / 1_000;
  const lines = [
    `${number(schedules)} schedules in ${seconds.toFixed(1)} s (${number(Math.round(schedules / seconds))} a second): ` +
      `${number(Math.round(simulatedMs / 3_600_000))} hours of simulated time, ${number(steps)} steps`,
    `longest way from the last fault to the end of the work: ${(longestMs / 1_000).toFixed(1)} s of simulated time`,
    ...["workload", "fault", "event"].map((what) => countsOf(counts, what)),
    failures.length === 0 ? "no violations" : `${failures.length} schedules with violations`,
  ];
  return lines.join("\n");
}

/** A scenario that has broken a promise: what it was, what was broken, and what the programs have said. */
export function failure(scenario: Scenario, outcome: Outcome): string {
  const { violations, events, errors, verdict, history, expectations } = outcome;
  const { faults, ...rest } = scenario;
  const seconds = (ms: number): string => `${(ms / 1_000).toFixed(3).padStart(8)} s`;
  return [
    `scenario: ${JSON.stringify(rest)}`,
    ...faults.map(({ kind, atMs, forMs, victim }) => `  ${seconds(atMs)} ${kind} for ${forMs} ms, worker ${victim}`),
    ...violations.map((violation) => `  broken: ${violation}`),
    ...(verdict?.violations.length ? [printVerdict(history, verdict, expectations)] : []),
    "what the programs have said:",
    ...events.map(({ atMs, process, event: { _tag, ...what } }) => {
      const text = JSON.stringify(what, (_name, value: unknown) => (value instanceof Error ? value.message : value));
      return `  ${seconds(atMs)} ${process} ${_tag} ${text}`;
    }),
    ...errors.map((error) => `  ${error}`),
  ].join("\n");
}

function countsOf(counts: Readonly<Record<string, number>>, what: string): string {
  const own = Object.entries(counts).filter(([name]) => name.startsWith(`${what} `));
  const texts = own
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, times]) => `${name.slice(what.length + 1)} ${number(times)}`);
  return `${what}s: ${texts.join(", ")}`;
}

function number(value: number): string {
  return value.toLocaleString("en-US");
}
