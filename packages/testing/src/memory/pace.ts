import { setImmediate } from "node:timers";

/** About 4 ms of work. */
const WORK_PER_TURN = 4096;

/**
 * Lets timers and I/O of the process have their turn.
 *
 * Nothing in memory ever waits for I/O, so a loop of reads and commits would run in microtasks alone, and a timer or a
 * signal would not be served until the data ran out. The turns are counted, not timed, so that a test repeats exactly.
 */
export class Pace {
  #work = 0;

  /** Counts a call and the records that it carried; now and then, something to await before the call returns. */
  spend(records: number): Promise<void> | undefined {
    this.#work += 1 + records;
    if (this.#work < WORK_PER_TURN) {
      return undefined;
    }
    this.#work = 0;
    return new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}
