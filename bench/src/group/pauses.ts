/** What a change of the members meant for the records, seen from the streams and from the members' events. */
import type { LoggedEvent } from "../cluster/ownership.ts";
import type { Change, Span } from "./changes.ts";
import type { Passage, Trace } from "./traces.ts";

/** A task that went from one worker to another. Moments are in ms after the change; `null`: no event tells. */
export interface Move {
  readonly partition: number;
  readonly from: string;
  readonly to: string;
  /** The old owner's last output. */
  readonly lastMs: number;
  /** The old owner heard of the target that takes the task away. */
  readonly toldMs: number | null;
  /** It has given the task back. */
  readonly givenMs: number | null;
  /** The new owner has acquired it. */
  readonly acquiredMs: number | null;
  /** The record that the new owner begins with was appended to the input. */
  readonly inputMs: number;
  /** Its output was: the first one of the new owner. */
  readonly firstMs: number;
  /** The gap between the two outputs without the regular one, which is that between the same two records in the input. */
  readonly pauseMs: number;
  /** The pause by the runtime's account. */
  readonly reportedMs: number | null;
}

/** The parts of a move's pause, in ms. */
export interface PauseParts {
  /** What was read is finished and committed, and given back. */
  readonly finishingMs: number | null;
  /** From then until the new owner has acquired the task. */
  readonly handingOverMs: number | null;
  /** From then, or from when there was something to read, until the first output. */
  readonly startingMs: number | null;
}

/** What a move's pause consists of. */
export function partsOf({ toldMs, givenMs, acquiredMs, inputMs, firstMs }: Move): PauseParts {
  return {
    finishingMs: between(toldMs, givenMs),
    handingOverMs: between(givenMs, acquiredMs),
    startingMs: between(acquiredMs === null ? null : Math.max(acquiredMs, inputMs), firstMs),
  };
}

/** How regularly tasks that stayed where they are went on, in ms. */
export interface Flow {
  /** Between an output and the next of its partition. */
  readonly gaps: readonly number[];
  /** Likewise without the regular gap: what {@link Move.pauseMs} is for a task that nobody moves. */
  readonly pauses: readonly number[];
  /** Between a record in the input and its output. */
  readonly delays: readonly number[];
}

/** The tasks that went to another worker during the change. */
export function movesIn(traces: readonly Trace[], change: Change, log: readonly LoggedEvent[]): readonly Move[] {
  const events = log.filter(({ atMs }) => atMs >= change.fromMs && atMs <= change.toMs);
  return traces.flatMap((trace, partition) =>
    pairsIn(trace, change)
      .filter(([last, first]) => last.worker !== first.worker)
      .map(([last, first]) => moveOf(partition, [last, first], { change, events })),
  );
}

/** The tasks that stayed during a span of time. */
export function flowIn(traces: readonly Trace[], span: Span): Flow {
  const pairs = traces
    .map((trace) => pairsIn(trace, span))
    .filter((pairsOfTask) => pairsOfTask.every(([last, next]) => last.worker === next.worker))
    .flat();
  return {
    gaps: pairs.map(([last, next]) => next.outMs - last.outMs),
    pauses: pairs.map(pauseOf),
    delays: pairs.map(([, next]) => next.outMs - next.inMs),
  };
}

/** Outputs that follow each other; the second one is in the span. */
function pairsIn(trace: Trace, { fromMs, toMs }: Span): readonly (readonly [Passage, Passage])[] {
  return trace.flatMap((passage, index) => {
    const last = trace[index - 1];
    const isIn = passage.outMs >= fromMs && passage.outMs <= toMs;
    return last === undefined || !isIn ? [] : [[last, passage] as const];
  });
}

function moveOf(
  partition: number,
  [last, first]: readonly [Passage, Passage],
  { change, events }: { readonly change: Change; readonly events: readonly LoggedEvent[] },
): Move {
  const { worker: from } = last;
  const { worker: to } = first;
  const ofTask = (tag: "Assigned" | "Revoked", member: string): LoggedEvent | undefined =>
    events.find((event) => event._tag === tag && event.member === member && event.partition === partition);
  const told = events.find(
    (event) => event._tag === "Started" && event.member === from && event.given.includes(partition),
  );
  const assigned = ofTask("Assigned", to);
  const after = (event: LoggedEvent | undefined): number | null =>
    event === undefined ? null : event.atMs - change.fromMs;
  return {
    partition,
    from,
    to,
    lastMs: last.outMs - change.fromMs,
    toldMs: after(told),
    givenMs: after(ofTask("Revoked", from)),
    acquiredMs: after(assigned),
    inputMs: first.inMs - change.fromMs,
    firstMs: first.outMs - change.fromMs,
    pauseMs: pauseOf([last, first]),
    reportedMs: assigned?._tag === "Assigned" ? assigned.pausedMs : null,
  };
}

function pauseOf([last, next]: readonly [Passage, Passage]): number {
  return Math.max(0, next.outMs - last.outMs - (next.inMs - last.inMs));
}

function between(fromMs: number | null, toMs: number | null): number | null {
  return fromMs === null || toMs === null ? null : toMs - fromMs;
}
