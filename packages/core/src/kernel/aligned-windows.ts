/**
 * Windows that lie where the epoch puts them: bounds do not depend on records, so they are the same on every worker and in
 * every run. A window is `[start, end)`: a record at `end` belongs to the next one.
 */

/** How windows follow each other. */
export interface Alignment {
  /** Length of a window, in whole ms, > 0. */
  readonly sizeMs: number;
  /** Distance of two starts, in whole ms, > 0. As long as a window: tumbling. Shorter: windows overlap. Longer: gaps. */
  readonly everyMs: number;
  /** One of the starts, ms since the Unix epoch, of any sign. */
  readonly offsetMs: number;
}

/**
 * The starts of all windows that hold a time, ascending. `timestampMs` is a whole number of ms since the Unix epoch, up to
 * 8.64e15 in size, where results are exact.
 *
 * Windows before 1970 have negative starts, and every time is in `sizeMs / everyMs` windows. Kafka Streams has no window that
 * starts before 1970, so that its first hopping windows miss some: see the spec of event time.
 */
export function alignedStarts(timestampMs: number, { sizeMs, everyMs, offsetMs }: Alignment): readonly number[] {
  // Remainders are exact; quotients and differences of large numbers may not be.
  const into = modulo(timestampMs, everyMs) - modulo(offsetMs, everyMs);
  const starts: number[] = [];
  for (let age = into < 0 ? into + everyMs : into; age < sizeMs; age += everyMs) {
    // Adding 0 turns -0 into 0.
    starts.push(timestampMs - age + 0);
  }
  return starts.toReversed();
}

/**
 * Whether a window that ends at `endMs` (exclusive) takes no record any more once event time has reached `watermarkMs`.
 * `waitMs` (>= 0) is for how long after its end it still does. A watermark of -Infinity closes nothing, Infinity everything.
 */
export function isClosed(endMs: number, waitMs: number, watermarkMs: number): boolean {
  return endMs + waitMs <= watermarkMs;
}

/** The remainder that is never negative. */
function modulo(value: number, by: number): number {
  const rest = value % by;
  return rest < 0 ? rest + by : rest;
}
