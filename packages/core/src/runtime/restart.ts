import { DecodeError, HandlerError, MillraceError, type MillraceErrorTag } from "../errors.ts";
import type { Duration } from "../kernel/duration.ts";
import { quote } from "../kernel/name.ts";
import { compareOffsets, type Offset } from "../kernel/offset.ts";
import { pauseBefore, type RetrySchedule } from "../kernel/retry.ts";
import { checkOptions } from "../topology/options.ts";
import { durationOption } from "../topology/topic.ts";

/** How tasks start again whose operators have failed. */
export interface RestartOptions {
  /**
   * How often in a row a task starts again that makes no progress; then its pipeline stops on this worker, and `done` rejects.
   * A whole number >= 0, or `Infinity`, the default: one bad record then stops its own partition only.
   */
  readonly attempts?: number;
  /** The pause before the first restart; each later one is twice as long, less up to a half at random. Default `"250 ms"`. */
  readonly backoff?: Duration;
  /** No pause is longer. Default `"30 s"`. */
  readonly longest?: Duration;
}

/** {@link RestartOptions}, checked. Throws `InvalidOption`. */
export function restartSchedule(options: RestartOptions): RetrySchedule {
  checkOptions("restart", options, ["attempts", "backoff", "longest"]);
  const { attempts = Number.POSITIVE_INFINITY, backoff, longest } = options;
  if (!(attempts === Number.POSITIVE_INFINITY || (Number.isInteger(attempts) && attempts >= 0))) {
    const text = `restart: attempts must be a whole number >= 0 or Infinity, not ${quote(attempts)}`;
    throw new MillraceError("InvalidOption", text);
  }
  return {
    // The first start is none of the restarts.
    attempts: attempts + 1,
    firstPauseMs: durationOption("restart: backoff", backoff) ?? 250,
    longestPauseMs: durationOption("restart: longest", longest) ?? 30_000,
  };
}

/** Failures of the plan itself: every start would only repeat them, on every worker. */
const FOR_GOOD: ReadonlySet<MillraceErrorTag> = new Set([
  "NativeOperatorError",
  "InvalidOperator",
  "InvalidPipeline",
  "InvalidOption",
  "StateMismatch",
]);

/** Whether a task that failed so may fare better when it starts again: an operator's function, or a codec, has failed. */
function mayRestart(error: unknown): boolean {
  if (error instanceof HandlerError) {
    return !(error.cause instanceof MillraceError && FOR_GOOD.has(error.cause._tag));
  }
  return error instanceof MillraceError && error._tag === "DecodeError";
}

/** How often one task has started again without any progress. */
export class Restarts {
  private readonly schedule: RetrySchedule;
  private made = 0;
  private lastAt: Offset | null = null;

  constructor(schedule: RetrySchedule) {
    this.schedule = schedule;
  }

  get count(): number {
    return this.made;
  }

  /** Whether another failure at the same place would be the last. */
  get isUsedUp(): boolean {
    return this.made + 1 >= this.schedule.attempts;
  }

  /**
   * Counts a restart, and returns the pause (ms) in front of it; `null`: there is none. `from`: where the task has failed, or
   * had begun. An entry that does not decode says itself where it lies.
   */
  pauseBeforeNext(error: unknown, from: Offset): number | null {
    const at = error instanceof DecodeError ? (error.offset as Offset) : from;
    if (this.lastAt !== null && compareOffsets(at, this.lastAt) > 0) {
      this.made = 0;
    }
    this.lastAt = at;
    const pauseMs = mayRestart(error) ? pauseBefore(this.made + 2, this.schedule, Math.random()) : null;
    this.made += 1;
    return pauseMs;
  }
}
