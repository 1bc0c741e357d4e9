/**
 * For how long a partition is known to have had no new record. Only time in which the end of the log was seen counts: not
 * while the store does not answer, nor while records wait to be read.
 */
export class QuietTime {
  /** When the end was first seen with nothing new behind it; `null`: it has not been. */
  private sinceMs: number | null = null;
  private untilMs = Number.NEGATIVE_INFINITY;

  /** In ms. */
  get ms(): number {
    return this.sinceMs === null ? 0 : Math.max(0, this.untilMs - this.sinceMs);
  }

  /** A read that was asked for at `askedMs` has answered at `nowMs`. */
  read(batch: { readonly isEmpty: boolean; readonly atEnd: boolean }, askedMs: number, nowMs: number): void {
    if (!batch.isEmpty) {
      this.sinceMs = null;
    }
    if (batch.atEnd) {
      this.sinceMs ??= nowMs;
    }
    this.untilMs = batch.atEnd ? askedMs : Number.NEGATIVE_INFINITY;
  }

  /** A read has failed: what came meanwhile is not known. */
  failed(): void {
    this.untilMs = Number.NEGATIVE_INFINITY;
  }
}
