/**
 * For how long a partition is known to have had no new record. `docs/spec/event-time.md` has the reasons.
 *
 * Two clocks count. What passed before this owner came is the store's word: it counts once the end of the log was seen with
 * nothing new behind the position, and not at all when a record came first. From then on it is the time that reads have waited
 * at the end, by the worker's clock; not the time between reads, nor that of reads which failed. A read waits for about a
 * second, so what counts of one is bounded: a clock that jumps, or a worker that was suspended, adds no more than that.
 */

/** More (ms) than a read waits for. */
const LONGEST_WAIT_MS = 2_000;

export class QuietTime {
  private knownMs: number;
  /** How long the last read waited at the end; counts when the next one has found nothing, either. */
  private waitedMs = 0;
  private isAtEnd = false;
  /** No read has told anything yet. */
  private isFresh = true;

  /** @param carriedMs for how long nothing new was processed, as the store said at the acquisition */
  constructor(carriedMs: number) {
    this.knownMs = Math.max(0, carriedMs);
  }

  /** In ms, never negative; 0 while it is not known whether anything new lies in the log. */
  get ms(): number {
    return this.isAtEnd ? this.knownMs : 0;
  }

  /** The store was seen to have nothing behind the position. Tells nothing new once a read was answered. */
  sawEnd(): void {
    this.isAtEnd ||= this.isFresh;
  }

  /** A read that was asked for at `askedMs` has answered at `nowMs`. */
  read(batch: { readonly isEmpty: boolean; readonly atEnd: boolean }, askedMs: number, nowMs: number): void {
    this.isFresh = false;
    this.isAtEnd = batch.atEnd;
    this.knownMs = batch.isEmpty ? this.knownMs + (batch.atEnd ? this.waitedMs : 0) : 0;
    this.waitedMs = batch.isEmpty && batch.atEnd ? Math.min(Math.max(0, nowMs - askedMs), LONGEST_WAIT_MS) : 0;
  }

  /** A read has failed: what came meanwhile is not known. */
  failed(): void {
    this.isFresh = false;
    this.isAtEnd = false;
    this.waitedMs = 0;
  }
}
