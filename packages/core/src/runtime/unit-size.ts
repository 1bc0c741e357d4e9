/** A unit should take about this long, so that slow handlers still commit often. */
const TARGET_MS = 100;

/** How many records go into a unit: as many as settle in about 100 ms, 1 to `most`. */
export class UnitSize {
  private readonly most: number;
  private size: number;

  constructor(most: number) {
    this.most = most;
    this.size = Math.min(64, most);
  }

  get current(): number {
    return this.size;
  }

  /** A unit of `records` took `tookMs` from its first record until nothing held it any more. */
  settled(records: number, tookMs: number): void {
    if (tookMs > TARGET_MS) {
      this.size = Math.max(1, Math.floor(this.size / 2));
    } else if (tookMs < TARGET_MS / 2 && records >= this.size) {
      this.size = Math.min(this.most, this.size * 2);
    }
  }
}
