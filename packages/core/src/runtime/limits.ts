/** Bounds of what one worker holds in memory. */
export interface Limits {
  /** Records that were read and are not committed yet, over all tasks. Default 16,384. */
  readonly maxRecords?: number;
  /** The bytes of these records and of the outputs that wait for a commit, over all tasks. Default 64 MiB. */
  readonly maxBytes?: number;
}

/** What one task may hold. */
export interface TaskLimits {
  readonly maxRecords: number;
  readonly maxBytes: number;
}

/** No task gets less: foreign operators may hold 256 records, and one record may take 1 MiB. */
const LEAST_RECORDS = 512;
const LEAST_BYTES = 1_048_576;

/** The worker's limits, shared out evenly among the tasks that it has at the moment. */
export class Share implements TaskLimits {
  /** How many tasks the worker has. */
  tasks = 1;
  private readonly total: TaskLimits;

  constructor({ maxRecords = 16_384, maxBytes = 67_108_864 }: Limits) {
    this.total = { maxRecords, maxBytes };
  }

  get maxRecords(): number {
    return Math.max(LEAST_RECORDS, Math.floor(this.total.maxRecords / Math.max(1, this.tasks)));
  }

  get maxBytes(): number {
    return Math.max(LEAST_BYTES, Math.floor(this.total.maxBytes / Math.max(1, this.tasks)));
  }
}
