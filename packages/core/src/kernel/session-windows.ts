/**
 * Sessions of one key: records of which each is at most a gap away from the next one.
 *
 * Invariant: the open sessions of a list are more than a gap apart. So the sessions that a record joins are those within a
 * gap of the record itself.
 */
import type { Added, KeyWindow, WindowOps } from "./key-windows.ts";

/** When records belong together, and what is over. */
export interface SessionRule {
  /** The largest distance (ms, > 0) of two records that follow each other in a session. */
  readonly gapMs: number;
  /** Whether a session that ends at `endMs` (exclusive) takes no record any more. Never true and then false again. */
  readonly isClosed: (endMs: number) => boolean;
}

/**
 * Adds a record to the sessions of its key. Sessions within the gap become one: their states, by start, are merged into
 * `init()`, and the record is added last, as in Kafka Streams.
 *
 * A record is late iff the session that it would be part of is closed. A closed session is never merged, also while it is
 * still in the list: Kafka merges it as long as its store keeps it, which makes results depend on retention.
 */
export function addToSessions<S>(
  windows: readonly KeyWindow<S>[],
  timestampMs: number,
  rule: SessionRule,
  ops: WindowOps<S>,
): Added<S> {
  const { gapMs, isClosed } = rule;
  const joined = windows.filter(
    ({ start, end }) => !isClosed(end) && start - gapMs <= timestampMs && timestampMs <= end - 1 + gapMs,
  );
  const start = joined.reduce((first, window) => Math.min(first, window.start), timestampMs);
  const lastMs = joined.reduce((last, window) => Math.max(last, window.lastMs), timestampMs);
  const end = lastMs + 1;
  if (isClosed(end)) {
    return { windows, changed: [], removed: [], missed: 1 };
  }
  const merged: KeyWindow<S> = {
    start,
    end,
    lastMs,
    revision: joined.reduce((revision, window) => Math.max(revision, window.revision), 0) + 1,
    isFinal: false,
    state: ops.add(joined.reduce((state, window) => ops.merge(state, window.state), ops.init())),
  };
  const others = windows.filter((window) => !joined.includes(window));
  return {
    windows: [...others, merged].toSorted((a, b) => a.start - b.start),
    changed: [merged],
    removed: joined.filter((window) => window.start !== start || window.end !== end),
    missed: 0,
  };
}
