/** What operators that call the user's code asynchronously let their calls take, repeat and share. */
import { MillraceError } from "../errors.ts";
import type { Duration } from "../kernel/duration.ts";
import { quote } from "../kernel/name.ts";
import type { RetrySchedule } from "../kernel/retry.ts";
import { checkOptions } from "../topology/options.ts";
import { durationOption } from "../topology/topic.ts";
import type { TimeLimit } from "./handler-call.ts";
import { type Limiter, Places } from "./limiter.ts";

const DEFAULT_SETTLE_MS = 5_000;
const DEFAULT_BACKOFF_MS = 100;
const DEFAULT_LONGEST_MS = 10_000;

/** When and how often a call that failed is repeated. */
export interface RetryOptions {
  /** Calls in all, the first one included. A whole number >= 1. */
  readonly attempts: number;
  /** The pause before the second call; each later one is twice as long, less up to a half at random. Default `"100 ms"`. */
  readonly backoff?: Duration;
  /** No pause is longer. Default `"10 s"`. */
  readonly longest?: Duration;
  /** Whether calling again is of use after this error. Default: always. */
  readonly when?: (error: unknown) => boolean;
}

/** How long a call may take, how often it is repeated, and with whom it shares its number of calls. */
export interface CallOptions {
  /**
   * After so long a call's signal aborts; longer than 0 s. What must not overlap with the call waits until its promise
   * settles. Resolved late, the result counts; rejected, the call has failed. Default: no limit.
   */
  readonly timeout?: Duration;
  /** For so long after the `timeout` the promise may take to settle; then the task stops. Default `"5 s"`. */
  readonly settle?: Duration;
  /** A failed call is repeated in its place: what must not overtake it waits. Default: never. */
  readonly retry?: RetryOptions;
  /** Shares a number of calls at once with other operators, tasks and pipelines: see {@link limiter}. */
  readonly limit?: Limiter;
}

/** The names of {@link CallOptions}. */
export const CALL_OPTIONS: readonly string[] = ["timeout", "settle", "retry", "limit"];

/** {@link CallOptions}, checked. */
export interface Calling {
  /** `null`: none. */
  readonly time: TimeLimit | null;
  /** `null`: a call is made once. */
  readonly retry: (RetrySchedule & { readonly when: (error: unknown) => boolean }) | null;
  readonly places: Places | null;
}

/** The checked options of an operator; it begins the messages. Throws `InvalidOption`. */
export function callingOf(operator: string, { timeout, settle, retry, limit }: CallOptions): Calling {
  const timeoutMs = durationOption(`${operator}: timeout`, timeout);
  const settleMs = durationOption(`${operator}: settle`, settle) ?? DEFAULT_SETTLE_MS;
  if (timeoutMs === 0) {
    throw new MillraceError("InvalidOption", `${operator}: timeout must be longer than 0 s`);
  }
  if (limit !== undefined && !(limit instanceof Places)) {
    throw new MillraceError("InvalidOption", `${operator}: limit must be made by limiter(max)`);
  }
  return {
    time: timeoutMs === null ? null : { timeoutMs, settleMs },
    retry: retry === undefined ? null : scheduleOf(operator, retry),
    places: limit ?? null,
  };
}

function scheduleOf(operator: string, options: RetryOptions): Calling["retry"] {
  checkOptions(`${operator}: retry`, options, ["attempts", "backoff", "longest", "when"]);
  const { attempts, backoff, longest, when = () => true } = options;
  if (typeof when !== "function") {
    throw new MillraceError("InvalidOption", `${operator}: retry.when must be a function, not ${quote(when)}`);
  }
  return {
    attempts: wholeOption(`${operator}: retry.attempts`, attempts),
    firstPauseMs: durationOption(`${operator}: retry.backoff`, backoff) ?? DEFAULT_BACKOFF_MS,
    longestPauseMs: durationOption(`${operator}: retry.longest`, longest) ?? DEFAULT_LONGEST_MS,
    when,
  };
}

/** The number itself; throws `InvalidOption` unless it is a whole number from 1 to `most`. */
export function wholeOption(what: string, number: number, most = Number.POSITIVE_INFINITY): number {
  if (!Number.isInteger(number) || number < 1 || number > most) {
    const range = Number.isFinite(most) ? `from 1 to ${most}` : ">= 1";
    throw new MillraceError("InvalidOption", `${what} must be a whole number ${range}, not ${quote(number)}`);
  }
  return number;
}
