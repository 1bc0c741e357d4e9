/** How a worker process is told what to do: as JSON, its only argument. */
export interface WorkerConfig {
  /** The process, `<member>.<number>`. */
  readonly name: string;
  /** Its name in the group. */
  readonly member: string;
  readonly url: string;
  readonly partitions: number;
  readonly sessionMs: number;
  /** Most of the handler's calls take next to no time, one in five up to so long. */
  readonly slowMs: number;
  /** The file that it writes its history to. */
  readonly file: string;
  /** The file that it writes its part of the shared history to: what it asks of Redis, and what it is told. */
  readonly callsFile: string;
  /** See `clock.ts`. */
  readonly offsetMs: number;
}

/** The worker could not reach the store when it started; the only failure that is none. */
export const EXIT_UNAVAILABLE = 75;
