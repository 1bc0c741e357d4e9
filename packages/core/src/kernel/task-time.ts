/**
 * Event time of one task: how far it has come, and what it may promise.
 *
 * A watermark `w` promises that no record older than `w` is still expected. Every time is milliseconds since the Unix
 * epoch. Invariants: (T1) a task's watermark never moves back; (T2) it never passes what an active writer of the task's
 * topic has promised; (T3) a writer's promise counts only once the task has read everything that was in its partition
 * when the promise was fetched; (T4) without idle time, it is a function of the log alone, not of when or in which
 * portions the log was read.
 */
import { compareOffsets, type Offset } from "./offset.ts";

/** The writers' table and the end of one partition, fetched together. */
export interface TimeSnapshot {
  /** Watermark (ms) of each active task that writes the topic. */
  readonly writers: Readonly<Record<string, number>>;
  /** The last record of the partition when the table was fetched. */
  readonly end: Offset;
  /** Whether producers have ended: none of their records lies behind `end`. */
  readonly sealed: boolean;
}

/** What a task knows about event time. Immutable. */
export interface TaskTime {
  /** Largest event time (ms) of a producer's record; `null` before the first one. */
  readonly maxEventTimeMs: number | null;
  /** The task's watermark (ms). */
  readonly watermarkMs: number;
  /** The newest snapshot that counts; `null` before the first one. */
  readonly applied: TimeSnapshot | null;
  /** Fetched, but records up to its end are still to be read. */
  readonly pending: TimeSnapshot | null;
  /** Fetched while another snapshot was pending: takes its place afterwards. */
  readonly newest: TimeSnapshot | null;
}

/** A task that has read nothing. */
export const START_OF_TIME: TaskTime = {
  maxEventTimeMs: null,
  watermarkMs: Number.NEGATIVE_INFINITY,
  applied: null,
  pending: null,
  newest: null,
};

/**
 * A snapshot was fetched. A pending one is kept, so that a partition which grows faster than it is read still gets
 * somewhere.
 */
export function fetched(time: TaskTime, snapshot: TimeSnapshot): TaskTime {
  return time.pending === null ? { ...time, pending: snapshot } : { ...time, newest: snapshot };
}

/** Everything up to `position` has been read: applies what was waiting for that (T3). */
export function reached(time: TaskTime, position: Offset): TaskTime {
  let current = time;
  while (current.pending !== null && compareOffsets(position, current.pending.end) >= 0) {
    current = { ...current, applied: current.pending, pending: current.newest, newest: null };
  }
  return current;
}

/** How a topic's event time is to be read. */
export interface TimePolicy {
  /** How far (ms, >= 0) a producer's records may trail the newest one of their partition. */
  readonly outOfOrdernessMs: number;
  /** After how long (ms) without a record a partition that was read to its end moves on by itself; `null`: never. */
  readonly idleAfterMs: number | null;
}

/**
 * The task with its watermark moved to what is known now (T1, T2). `idleMs`: for how long the end of the partition has
 * been seen without a new record, 0 while records are read.
 */
export function advance(time: TaskTime, policy: TimePolicy, idleMs: number): TaskTime {
  const watermarkMs = Math.max(time.watermarkMs, promised(time, policy, idleMs));
  return watermarkMs === time.watermarkMs ? time : { ...time, watermarkMs };
}

function promised(time: TaskTime, policy: TimePolicy, idleMs: number): number {
  const known = time.applied ?? knownInAdvance(time);
  if (known === null) {
    return Number.NEGATIVE_INFINITY;
  }
  const bounds = Object.values(known.writers);
  if (!known.sealed && time.maxEventTimeMs !== null) {
    const moved = policy.idleAfterMs !== null && idleMs >= policy.idleAfterMs ? idleMs : 0;
    bounds.push(time.maxEventTimeMs - policy.outOfOrdernessMs + moved);
  }
  if (bounds.length > 0) {
    return Math.min(...bounds);
  }
  return known.sealed ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
}

/**
 * What is known before the first snapshot counts. Where no task writes the topic, producers' records alone carry its time:
 * a backlog of them need not be read to its end before windows close, or all of its windows would be open at once.
 */
function knownInAdvance({ pending, newest }: TaskTime): Pick<TimeSnapshot, "writers" | "sealed"> | null {
  const latest = newest ?? pending;
  return latest !== null && Object.keys(latest.writers).length === 0 ? { writers: {}, sealed: false } : null;
}

/**
 * Whether the task has nothing to say about event time: it read its partition to the end, waited, and never saw a record.
 * Such a task must not hold back the readers of its outputs.
 */
export function isInactive(time: TaskTime, policy: TimePolicy, idleMs: number): boolean {
  return (
    time.watermarkMs === Number.NEGATIVE_INFINITY &&
    time.maxEventTimeMs === null &&
    time.applied !== null &&
    Object.keys(time.applied.writers).length === 0 &&
    policy.idleAfterMs !== null &&
    idleMs >= policy.idleAfterMs
  );
}

/** What is stored with a commit, as JSON text. */
export function encodeTime(time: TaskTime): string {
  const { maxEventTimeMs, watermarkMs } = time;
  return JSON.stringify({
    max: maxEventTimeMs,
    watermark: Number.isFinite(watermarkMs) ? watermarkMs : String(watermarkMs),
  });
}

/** The reverse of {@link encodeTime}; `null` when the text is not of that form. */
export function decodeTime(text: string | null): TaskTime | null {
  if (text === null) {
    return START_OF_TIME;
  }
  try {
    const stored: unknown = JSON.parse(text);
    if (typeof stored !== "object" || stored === null || !("max" in stored) || !("watermark" in stored)) {
      return null;
    }
    const { max, watermark } = stored;
    const watermarkMs = watermark === "-Infinity" || watermark === "Infinity" ? Number(watermark) : watermark;
    if ((max !== null && typeof max !== "number") || typeof watermarkMs !== "number") {
      return null;
    }
    return { ...START_OF_TIME, maxEventTimeMs: max, watermarkMs };
  } catch {
    return null;
  }
}
