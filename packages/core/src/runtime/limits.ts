import { MillraceError } from "../errors.ts";
import { quote } from "../kernel/name.ts";

/** Bounds of what one worker holds in memory. */
export interface Limits {
  /** Records that were read and are not committed yet, over all tasks. Default 16,384. */
  readonly maxRecords?: number;
  /** The bytes of these records and of the outputs that wait for a commit, over all tasks. Default 64 MiB. */
  readonly maxBytes?: number;
  /**
   * About how many bytes of operators' state are held in memory, over all tasks; the rest is read from the store when it is needed.
   * Default 64 MiB. What is not committed yet is held in any case.
   */
  readonly maxStateBytes?: number;
}

/** What one task may hold. */
export interface TaskLimits {
  readonly maxRecords: number;
  readonly maxBytes: number;
  readonly maxStateBytes: number;
}

/** No task gets less: foreign operators may hold 256 records, and one record may take 1 MiB. */
const LEAST_RECORDS = 512;
const LEAST_BYTES = 1_048_576;

/** The worker's limits, shared out evenly among the tasks of all pipelines that it has at the moment. */
export class Share implements TaskLimits {
  private readonly total: TaskLimits;
  private readonly tasks = new Map<string, number>();

  /** Throws `InvalidOption` unless the limits are numbers above 0. */
  constructor({ maxRecords = 16_384, maxBytes = 67_108_864, maxStateBytes = 67_108_864 }: Limits) {
    this.total = {
      maxRecords: positive("maxRecords", maxRecords),
      maxBytes: positive("maxBytes", maxBytes),
      maxStateBytes: positive("maxStateBytes", maxStateBytes),
    };
  }

  get maxRecords(): number {
    return Math.max(LEAST_RECORDS, Math.floor(this.total.maxRecords / this.count));
  }

  get maxBytes(): number {
    return Math.max(LEAST_BYTES, Math.floor(this.total.maxBytes / this.count));
  }

  get maxStateBytes(): number {
    return Math.floor(this.total.maxStateBytes / this.count);
  }

  /** The worker has so many tasks of a group. */
  set(group: string, tasks: number): void {
    this.tasks.set(group, tasks);
  }

  private get count(): number {
    return Math.max(
      1,
      [...this.tasks.values()].reduce((sum, tasks) => sum + tasks, 0),
    );
  }
}

function positive(what: string, limit: number): number {
  if (!(typeof limit === "number" && limit > 0)) {
    throw new MillraceError("InvalidOption", `limits: ${what} must be a number above 0, not ${quote(limit)}`);
  }
  return limit;
}
