/**
 * Sliding windows of one key, in the sense of Kafka Streams (KIP-450): all windows `[start, start + size]`, both included, that
 * hold different sets of records. A record at `t` has two: the one that ends at it, `[t - size, t]`, and, where records lie in
 * it, the one that begins right behind it, `[t + 1, t + 1 + size]`. Every set is that of one of these.
 *
 * A new window begins with the state of an older one that holds the same records, so no record is looked at twice.
 * Invariant: of every record that a later window may hold, the list has both windows, also if they were closed when the record
 * came. Those are nobody's result, but the states of later windows are made of them.
 */
import type { Added, KeyWindow, WindowOps } from "./key-windows.ts";

/** How long sliding windows are, and what is over. */
export interface SlidingRule {
  /** The largest distance (ms, >= 0) of two records in a window. */
  readonly sizeMs: number;
  /** Whether a window that ends at `endMs` (exclusive) takes no record any more. Never true and then false again. */
  readonly isClosed: (endMs: number) => boolean;
}

/**
 * A final window that ends at `endMs` (exclusive) may be forgotten once a window that ends at the returned time would be closed,
 * and not before: the window right behind its last instant, which ends then, may have to be made until that time.
 */
export function slidingKeepUntil(endMs: number, sizeMs: number): number {
  return endMs + sizeMs + 1;
}

/**
 * Adds a record to the sliding windows of its key. Bounds are half-open: `[t - size, t]` has the end `t + 1`. Final windows
 * that may be forgotten are left out of the list that is returned.
 *
 * Lateness is judged for each window. `missed` counts the windows that were results before, would hold the record and are
 * closed, and its own window `[t - size, t]` if that is closed; it is 1 where even `[t, t + size]` would be closed. A record
 * that no open window takes changes nothing. The others are **accepted**. The results are both windows of each accepted record,
 * unless closed before they were called for, and each holds all accepted records in its bounds that came before it was closed.
 * (In Kafka a window may lack records whose own window was closed when they came, and a record that no window takes may
 * still make a window.)
 *
 * A window that is closed, but not final yet, keeps its state, which is to be its result. When others may need that state with
 * the record, it gets a final twin: a window with the same bounds behind it in the list.
 */
export function addToSliding<S>(
  windows: readonly KeyWindow<S>[],
  timestampMs: number,
  rule: SlidingRule,
  ops: WindowOps<S>,
): Added<S> {
  const { sizeMs, isClosed } = rule;
  if (isClosed(timestampMs + sizeMs + 1)) {
    return { windows, changed: [], removed: [], missed: 1 };
  }
  // Of twins the second one.
  const bases = new Map(windows.map((window) => [window.start, window]));
  const isBase = (window: KeyWindow<S>): boolean => bases.get(window.start) === window;
  const kept = windows.filter(
    (window) => !window.isFinal || (isBase(window) && !isClosed(slidingKeepUntil(window.end, sizeMs))),
  );
  const known = kept.filter(isBase);
  const touched = [
    ...known.filter((window) => holds(window, timestampMs)),
    ...newWindows(known, { timestampMs, sizeMs, empty: ops.init() }),
  ];
  const isOver = (window: KeyWindow<S>): boolean => window.isFinal || isClosed(window.end);
  const after = touched.map((window): KeyWindow<S> => {
    const { start, end, lastMs, revision, state } = window;
    const isIn = holds(window, timestampMs);
    const isFinal = isOver(window);
    return {
      start,
      end,
      lastMs: isIn ? Math.max(lastMs, timestampMs) : lastMs,
      revision: isFinal ? revision : revision + 1,
      isFinal,
      state: isIn ? ops.add(state) : state,
    };
  });
  const missed = after.filter(
    ({ start, revision, isFinal }) => isFinal && (revision > 0 || start === timestampMs - sizeMs),
  ).length;
  if (!after.some((window) => !window.isFinal && holds(window, timestampMs))) {
    return { windows, changed: [], removed: [], missed };
  }
  const replaced = new Set(touched.filter((window) => !isPending(window, isOver)));
  return {
    windows: [...kept.filter((window) => !replaced.has(window)), ...after].toSorted((a, b) => a.start - b.start),
    changed: after.filter((window) => !window.isFinal).toSorted((a, b) => a.start - b.start),
    removed: [],
    missed,
  };
}

/** The windows that a record calls for, as they are without it: with the records that came before. */
function newWindows<S>(
  known: readonly KeyWindow<S>[],
  { timestampMs, sizeMs, empty }: { readonly timestampMs: number; readonly sizeMs: number; readonly empty: S },
): readonly KeyWindow<S>[] {
  const unchanged = { revision: 0, isFinal: false };
  const created: KeyWindow<S>[] = [];
  const create = (start: number, base: KeyWindow<S> | null): void => {
    if (![known, created].some((windows) => windows.some((window) => window.start === start))) {
      const { lastMs, state } = base ?? { lastMs: Number.NEGATIVE_INFINITY, state: empty };
      created.push({ start, end: start + sizeMs + 1, lastMs, state, ...unchanged });
    }
  };
  const ownStart = timestampMs - sizeMs;
  // Nothing that this one holds is in front of the new window: it would have a window right behind it, in between.
  const inFront = known.findLast((window) => window.end <= timestampMs);
  create(ownStart, inFront !== undefined && inFront.lastMs >= ownStart ? inFront : null);
  // For the same reason, what this one holds is all behind the record.
  const around = known.findLast((window) => holds(window, timestampMs));
  if (around !== undefined && around.lastMs > timestampMs) {
    create(timestampMs + 1, around);
  }
  const previousMs = known.reduce(
    (last, { lastMs }) => (lastMs < timestampMs ? Math.max(last, lastMs) : last),
    Number.NEGATIVE_INFINITY,
  );
  if (previousMs + 1 + sizeMs >= timestampMs) {
    // Any other record in it would have called for it.
    create(previousMs + 1, null);
  }
  return created;
}

/** Closed, but its result is not out. */
function isPending<S>(window: KeyWindow<S>, isOver: (window: KeyWindow<S>) => boolean): boolean {
  return !window.isFinal && window.revision > 0 && isOver(window);
}

function holds({ start, end }: KeyWindow<unknown>, timestampMs: number): boolean {
  return start <= timestampMs && timestampMs < end;
}
