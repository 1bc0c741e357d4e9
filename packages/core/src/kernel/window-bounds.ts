/**
 * Bounds of windows in event time. A window is `[start, end)`: a record at `end` belongs to the next one. Starts are
 * multiples of the size, counted from the Unix epoch, so they are the same on every worker and in every run.
 */

/** Start (ms) of the tumbling window of `sizeMs` (> 0) that holds `timestampMs`. Times before 1970 are allowed. */
export function tumblingStart(timestampMs: number, sizeMs: number): number {
  return Math.floor(timestampMs / sizeMs) * sizeMs;
}

/** Whether a window that ends at `endMs` takes no record any more once event time has reached `watermarkMs`. */
export function isClosed(endMs: number, graceMs: number, watermarkMs: number): boolean {
  return endMs + graceMs <= watermarkMs;
}
