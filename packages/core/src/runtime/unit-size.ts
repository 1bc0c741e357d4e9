/** A unit should take about this long, so that slow handlers still commit often. */
const TARGET_MS = 100;

/**
 * How many records go into a unit: as many as are done in about 100 ms, 1 to `most`. Begins with 1, because units that are
 * too small merge into one commit, while units that are too large delay it.
 */
export class UnitSize {
  private readonly most: number;
  private size = 1;
  private lastSettledMs = Number.NEGATIVE_INFINITY;

  constructor(most: number) {
    this.most = most;
  }

  get current(): number {
    return this.size;
  }

  /** A unit of `records` that was opened at `openedMs` has settled at `nowMs`. Its own time begins when its turn came. */
  settled(records: number, openedMs: number, nowMs: number): void {
    const tookMs = nowMs - Math.max(openedMs, this.lastSettledMs);
    this.lastSettledMs = nowMs;
    if (tookMs > TARGET_MS) {
      this.size = Math.max(1, Math.floor(this.size / 2));
    } else if (tookMs < TARGET_MS / 2 && records >= this.size) {
      this.size = Math.min(this.most, this.size * 2);
    }
  }
}
