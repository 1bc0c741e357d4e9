import type { RedisBinary } from "./redis-server.ts";

/** What a trial is run with; `null`: its own default. */
export interface TrialSetting {
  readonly binary: RedisBinary;
  /** Records, or values, of each run. */
  readonly records: number | null;
  readonly rounds: number | null;
  readonly partitions: number | null;
  readonly workers: number | null;
  /** Records per second. */
  readonly rate: number | null;
  readonly seconds: number | null;
}

/** A goal, and whether it was met. */
export interface Verdict {
  readonly goal: string;
  readonly isMet: boolean;
}

/** One line of a table. */
export interface Row {
  readonly what: string;
  readonly cells: readonly string[];
  readonly verdict?: Verdict;
}

/** What a trial has found. */
export interface Report {
  /** What was tried, in a line. */
  readonly title: string;
  /** The heads of the cells. */
  readonly head: readonly string[];
  readonly rows: readonly Row[];
  /** The same for programs: plain JSON. */
  readonly figures: Readonly<Record<string, unknown>>;
}

/** A benchmark without a rival: it has goals instead. Rejects when what it ran was not correct. */
export type Trial = (setting: TrialSetting) => Promise<Report>;

/** The verdicts of a report, for programs. */
export function verdictsOf({ rows }: Report): readonly (Verdict & { readonly what: string })[] {
  return rows.flatMap(({ what, verdict }) => (verdict === undefined ? [] : [{ what: what.trim(), ...verdict }]));
}
