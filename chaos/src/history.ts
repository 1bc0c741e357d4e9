/**
 * What is known of a run when it is over. Times are ms since the Unix epoch by one clock (see `clock.ts`), except those of
 * entries, which are Redis's: the same machine's time of day.
 */

import type { HistoryLine } from "@millrace/testing/history";

/** A value that the producer was asked to send. */
export interface SentRecord {
  readonly key: string;
  readonly n: number;
  /** Whether the producer said that it is stored. Where it did not, the value may be stored or not. */
  readonly isAcked: boolean;
}

/** An entry of the input topic. */
export interface InputRecord {
  readonly partition: number;
  readonly offset: string;
  /** When it was appended. */
  readonly atMs: number;
  readonly key: string;
  readonly group: string;
  readonly n: number;
  /** Event time. */
  readonly timeMs: number;
}

/** An entry of the output topic. */
export interface OutputRecord {
  readonly partition: number;
  readonly offset: string;
  /** When it was committed. */
  readonly atMs: number;
  readonly key: string;
  readonly n: number;
  /** The input partition and offset that it is a copy of. */
  readonly from: number;
  readonly source: string;
  /** The stay that made it: one acquisition of one task by one process. */
  readonly stay: string;
}

/** An entry of a topic between two steps of the pipeline. */
export interface BetweenRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly atMs: number;
}

/** An entry of the totals: a window's result. */
export interface TotalRecord {
  readonly partition: number;
  readonly offset: string;
  readonly group: string;
  readonly start: number;
  readonly count: number;
  readonly sum: number;
}

/** What a worker writes down about itself. Tasks are `<topic>/<partition>`. */
export type WorkerLine =
  /** It is a member of the group. */
  | { readonly _tag: "running"; readonly atMs: number }
  /** Its handler was called for the first time in this stay. */
  | {
      readonly _tag: "stay";
      readonly atMs: number;
      readonly stay: string;
      readonly task: string;
      readonly offset: string;
    }
  /** A commit was accepted. */
  | {
      readonly _tag: "commit";
      readonly atMs: number;
      readonly task: string;
      readonly offset: string;
      readonly records: number;
    }
  /** Anything else that the app reported, and what the process says of its end. */
  | { readonly _tag: "event"; readonly atMs: number; readonly kind: string; readonly text: string }
  /** A safeguard was taken out of the product. */
  | { readonly _tag: "without"; readonly atMs: number; readonly guard: string; readonly lines: number };

/** The beginning of a stay in a task whose handler is part of the test. */
export type Stay = Extract<WorkerLine, { readonly _tag: "stay" }>;

/** An accepted commit of records, as the worker understood it. */
export interface Accepted {
  readonly process: string;
  /** The stay in which it was made; `null` where that is unknown. */
  readonly stay: Stay | null;
  readonly atMs: number;
  readonly task: string;
  readonly offset: string;
  readonly records: number;
}

/** One worker process. */
export interface ProcessHistory {
  /** `<member>.<number>`: a member that comes back is another process. */
  readonly name: string;
  readonly lines: readonly WorkerLine[];
  /** Why its end is none that the driver caused or that the end of the input explains; `null` when it is one of those. */
  readonly problem: string | null;
  /** When it was killed, told to stop, or ended; `null` when that never happened. */
  readonly leftMs: number | null;
}

/** Something that was done to the system. */
export interface Fault {
  readonly kind: string;
  readonly atMs: number;
  /** When it was over; `atMs` where it takes no time. */
  readonly untilMs: number;
  /** The process; `null` for a fault of the server. */
  readonly victim: string | null;
  /**
   * The tasks that the fault may delay: those that the victim held or was to have, and those that nobody able to work held
   * at that moment. `null`: all of them.
   */
  readonly tasks: readonly string[] | null;
  /** Whether nobody could reach the server meanwhile. */
  readonly isOutage: boolean;
}

/** A time span. */
export interface Interval {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Everything about a run. */
export interface History {
  /** What all processes asked of Redis and were told, and what lies there in the end: see `@millrace/testing/history`. */
  readonly lines: readonly HistoryLine[];
  readonly sessionMs: number;
  readonly inputTopic: string;
  readonly sent: readonly SentRecord[];
  /** Partition by partition, in log order; so are all others. */
  readonly input: readonly InputRecord[];
  readonly output: readonly OutputRecord[];
  readonly between: readonly BetweenRecord[];
  readonly totals: readonly TotalRecord[];
  readonly processes: readonly ProcessHistory[];
  readonly faults: readonly Fault[];
  /** When the driver itself, and with it every connection of a worker, was not scheduled. */
  readonly hiccups: readonly Interval[];
  /** When a process of the run that was able to work was ready to run, and others had the CPUs. */
  readonly starved: readonly Interval[];
  /** When the server left a small write of the driver unanswered for long, outages included. */
  readonly slowServer: readonly Interval[];
  /** When the history was read. */
  readonly endMs: number;
  /** Why the workers did not come to the end of the input; `null` when they did. */
  readonly incomplete: string | null;
}

/** A broken promise. */
export interface Violation {
  readonly invariant: string;
  readonly message: string;
  /** The lines of the history that show it. */
  readonly excerpt: readonly string[];
}
