/** An external sink as a task runs it, and what the tests see of it. */
import { type Clock, type MillraceError, type SinkCall, type SinkOptions, sink } from "@millrace/core";
import type { Failures, Verdict } from "../../src/topology/failure.ts";
import { unfold } from "../../src/topology/operator.ts";
import { type CurrentRecord, TopicRecord } from "../../src/topology/record.ts";
import { NO_UNIT, type Queue, type Stage, type StageEnv, scope, type Unit } from "../../src/topology/stage.ts";
import { settled } from "../support/collect.ts";

/** Time that moves when the test says so. */
interface StepClock extends Clock {
  /** Timers that have not fired. */
  readonly pending: number;
  advance(ms: number): Promise<void>;
}

/** A value with the key of its record. */
export interface Row {
  readonly key: string;
  readonly n: number;
}

/** A call that waits until the test ends it. */
interface OpenWrite {
  readonly values: readonly number[];
  readonly call: SinkCall;
  resolve(): Promise<void>;
  reject(reason: unknown): Promise<void>;
}

/** A unit that counts its holds; `held - parked` are those that a stage must give back. */
export interface NotingUnit extends Unit {
  readonly index: number;
  readonly held: number;
  readonly parked: number;
}

/** What becomes of values for which the sink fails, by their number; default: it throws, and so fails the task. */
export type Decide = (n: number, cause: unknown) => "skip" | "park" | "fail";

export interface SinkBench {
  readonly clock: StepClock;
  readonly stage: Stage<Row>;
  readonly queue: Queue;
  /** The calls that have not ended: one at most. */
  readonly open: OpenWrite[];
  /** The values of every call, in order. */
  readonly calls: (readonly number[])[];
  /** What has left, in order: `3` written, `skip 4`, `time 1000`, `release 0` of a unit. */
  readonly log: string[];
  /** What ended the task. */
  readonly failed: unknown[];
  readonly retried: (readonly [n: string, attempt: number])[];
  /** Pushes rows as one unit, and a watermark behind them when it has a time. */
  push(index: number, rows: readonly Row[], timeMs?: number): NotingUnit;
}

export interface BenchOptions extends SinkOptions<Row> {
  readonly decide?: Decide;
  /** Ends the calls instead of the test. */
  readonly write?: (values: readonly Row[], call: SinkCall, clock: StepClock) => Promise<unknown>;
}

export function sinkBench({ decide, write, ...options }: BenchOptions = {}): SinkBench {
  const clock = stepClock();
  const open: OpenWrite[] = [];
  const calls: (readonly number[])[] = [];
  const log: string[] = [];
  const failed: unknown[] = [];
  const retried: (readonly [string, number])[] = [];
  const queues: Queue[] = [];
  const waiting = (values: readonly Row[], call: SinkCall): Promise<void> =>
    new Promise((resolve, reject) => {
      const end = (how: () => void): Promise<void> => {
        open.splice(open.indexOf(opened), 1);
        how();
        return settled();
      };
      const opened: OpenWrite = {
        values: values.map(({ n }) => n),
        call,
        resolve: () => end(resolve),
        reject: (reason) => end(() => reject(reason)),
      };
      open.push(opened);
    });
  const fn = (values: readonly Row[], call: SinkCall): Promise<unknown> => {
    calls.push(values.map(({ n }) => n));
    return write === undefined ? waiting(values, call) : write(values, call, clock);
  };
  const [spec] = unfold(sink(fn, options));
  if (spec === undefined) {
    throw new Error("not an operator of ours");
  }
  const env: StageEnv = {
    node: "sink",
    clock,
    failure: (cause) => cause as MillraceError,
    failures: decide === undefined ? null : failuresOf(decide, log),
    fail: (error) => failed.push(error),
    again: () => {},
    store: null,
    updates: null,
    side: null,
    resumes: false,
    identity: "app.rows/0/1",
    queues: (queue) => queues.push(queue),
    retried: (record, attempt) => retried.push([record.offset, attempt]),
    late: () => {},
    task: { topic: "rows", partition: 0 },
    inTask: true,
  };
  const down: Stage<unknown> = {
    next: (value) => log.push(`${(value as Row).n}`),
    watermark: (timeMs) => log.push(`time ${timeMs}`),
    complete: () => log.push("complete"),
    stop: () => log.push("stop"),
  };
  const stage: Stage<Row> = spec.stage(down, env);
  const [queue] = queues;
  if (queue === undefined) {
    throw new Error("the sink is no queue");
  }
  const push = (index: number, rows: readonly Row[], timeMs?: number): NotingUnit => {
    const unit = notingUnit(index, log);
    inScope(unit, () => {
      for (const row of rows) {
        scope.record = recordOf(row);
        stage.next(row);
      }
      if (timeMs !== undefined) {
        stage.watermark(timeMs);
      }
    });
    return unit;
  };
  return { clock, stage, queue, open, calls, log, failed, retried, push };
}

function stepClock(): StepClock {
  let nowMs = 0;
  const timers = new Set<{ readonly dueMs: number; readonly callback: () => void }>();
  return {
    now: () => nowMs,
    after: (delayMs, callback) => {
      const timer = { dueMs: nowMs + delayMs, callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    get pending() {
      return timers.size;
    },
    advance: async (ms) => {
      const untilMs = nowMs + ms;
      for (;;) {
        await settled();
        const [next] = [...timers].toSorted((a, b) => a.dueMs - b.dueMs);
        if (next === undefined || next.dueMs > untilMs) {
          break;
        }
        timers.delete(next);
        nowMs = next.dueMs;
        next.callback();
      }
      nowMs = untilMs;
    },
  };
}

/** Rows of one key, with these numbers. */
export function rowsOf(...numbers: readonly number[]): Row[] {
  return numbers.map((n) => ({ key: "k", n }));
}

function recordOf({ key, n }: Row): CurrentRecord {
  const what = { offset: `${n}`, key, timestampMs: n, headers: {} };
  return new TopicRecord({ topic: "rows", partition: 0 }, what, Number.NEGATIVE_INFINITY);
}

function notingUnit(index: number, log: string[]): NotingUnit {
  const unit = {
    ...NO_UNIT,
    index,
    held: 0,
    parked: 0,
    retain: () => {
      unit.held += 1;
    },
    release: () => {
      unit.held -= 1;
      if (unit.held === 0) {
        log.push(`release ${index}`);
      }
    },
    park: () => {
      unit.held += 1;
      unit.parked += 1;
    },
  };
  return unit;
}

function inScope(unit: Unit, push: () => void): void {
  const before = { ...scope };
  Object.assign(scope, { unit, inTask: true });
  try {
    push();
  } finally {
    Object.assign(scope, before);
  }
}

/** Keeps the keys that are parked in memory, as the runtime's does in its store. */
function failuresOf(decide: Decide, log: string[]): Failures {
  const parked = new Set<string>();
  return {
    decideResult: () => {},
    admit: ({ key }) => (parked.has(key) ? { kind: "behind" } : null),
    decide: (cause, { record, attempts }): Verdict => {
      const decision = decide(Number(record.offset), cause);
      if (decision === "fail") {
        throw new Error(`decided to fail at ${record.offset} after ${attempts}`, { cause });
      }
      if (decision === "park") {
        parked.add(record.key);
        return { kind: "park", error: cause, attempts };
      }
      return { kind: "skip" };
    },
    settle: (value, verdict) => {
      if (verdict !== null) {
        log.push(`${verdict.kind} ${(value as Row).n}`);
      } else if (!scope.inTask || Number(scope.record.offset) !== (value as Row).n) {
        throw new Error("settled outside of its record");
      }
    },
  };
}
