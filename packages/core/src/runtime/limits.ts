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

/** The worker's limits shared out evenly among its tasks. */
export function shareOut(limits: Limits, tasks: number): TaskLimits {
  const { maxRecords = 16_384, maxBytes = 67_108_864 } = limits;
  return {
    maxRecords: Math.max(LEAST_RECORDS, Math.floor(maxRecords / Math.max(1, tasks))),
    maxBytes: Math.max(LEAST_BYTES, Math.floor(maxBytes / Math.max(1, tasks))),
  };
}
