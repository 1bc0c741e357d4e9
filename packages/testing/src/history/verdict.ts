import type { HistoryLine, LogRecord } from "./lines.ts";

/** What is judged. `form`: that the history is one at all, such as that every outcome has a beginning. */
export type Invariant = "form" | "I1" | "I2" | "I3" | "I4" | "I5" | "I6" | "I7" | "I8" | "I9" | "I10" | "I11";

/** A broken promise. */
export interface Violation {
  readonly invariant: Invariant;
  /** What is wrong, with identifiers. Two violations with the same message are the same. */
  readonly message: string;
  /** The lines that show it, in order. */
  readonly excerpt: readonly HistoryLine[];
}

/** Why an invariant was not judged, or not everywhere. */
export interface NotJudged {
  readonly invariant: Invariant;
  readonly reason: string;
}

/** What a history shows. */
export interface Verdict {
  /** At most 100 of each invariant. */
  readonly violations: readonly Violation[];
  /** The invariants for which the history and the expectations have said enough, at least in places. */
  readonly judged: readonly Invariant[];
  /** What could not be judged, and what for: an invariant may be here and in {@link judged}. */
  readonly notJudged: readonly NotJudged[];
}

/**
 * What one topic leads to in another one, through a group. Outputs are compared by an id, a text that {@link idOf} makes of them.
 */
export interface Flow {
  readonly group: string;
  /** The topic that is read. */
  readonly from: string;
  /** The topic that is written; nothing else writes records with these ids to it. */
  readonly to: string;
  /** The ids of what one record leads to, for pipelines that treat each record by itself. */
  readonly each?: (record: LogRecord, partition: number) => readonly string[];
  /** The ids of what all processed records lead to; one list for each partition, in log order. For I6 only. */
  readonly all?: (partitions: readonly (readonly LogRecord[])[]) => readonly string[];
  /** The id of a record of `to`; `null`: it does not come from this flow. Default {@link recordId}. */
  readonly idOf?: (record: LogRecord) => string | null;
  /** Topics between the two, read by the same group; then the flow is judged where all of it was processed. */
  readonly through?: readonly string[];
}

/** What the processed records of a partition leave in a store of their task. */
export interface ExpectedState {
  readonly group: string;
  /** The topic that is read. */
  readonly topic: string;
  readonly store: string;
  readonly expect: (records: readonly LogRecord[], partition: number) => ReadonlyMap<string, string>;
}

/** What a history is compared with. Without any of it, all that needs no knowledge of the pipelines is judged. */
export interface Expectations {
  readonly flows?: readonly Flow[];
  readonly states?: readonly ExpectedState[];
  /** Whether everything that was appended was to be processed in the end. Default `false`. */
  readonly isDrained?: boolean;
  readonly bounds?: {
    /** For so long (ms) a task may stand still while records wait and no fault is at work. */
    readonly stallMs: number;
  };
  /** Judges only these. Default all. */
  readonly only?: readonly Invariant[];
}

/** What of a record is compared by default: key and payload. */
export function recordId({ key, payload }: { readonly key: string; readonly payload: string }): string {
  return `${key.length}:${key}${payload}`;
}

/** A flow that copies every record, key and payload, as it is. */
export function copies(of: Pick<Flow, "group" | "from" | "to" | "through">): Flow {
  return { ...of, each: (record) => [recordId(record)] };
}

/** What one invariant finds. */
export class Findings {
  readonly violations: Violation[] = [];
  readonly reasons = new Set<string>();
  isJudged = false;
  readonly #invariant: Invariant;

  constructor(invariant: Invariant) {
    this.#invariant = invariant;
  }

  /** Something was there to be judged. */
  judged(): void {
    this.isJudged = true;
  }

  /** Something could not be judged. */
  missing(reason: string): void {
    this.reasons.add(reason);
  }

  violated(message: string, excerpt: readonly HistoryLine[]): void {
    this.isJudged = true;
    if (this.violations.length < MOST_VIOLATIONS && !this.violations.some((other) => other.message === message)) {
      this.violations.push({ invariant: this.#invariant, message, excerpt });
    }
  }
}

const MOST_VIOLATIONS = 100;
