import type { OperatorFunction } from "rxjs";
import { MillraceError } from "../errors.ts";
import type { Duration } from "../kernel/duration.ts";
import { quote } from "../kernel/name.ts";
import { operatorSpec } from "../topology/node.ts";
import { operator } from "../topology/operator.ts";
import type { RecordInfo } from "../topology/record.ts";
import { durationOption } from "../topology/topic.ts";
import type { Handler } from "./handler.ts";
import { type Limiter, Places } from "./limiter.ts";
import { type Handling, MapOrderedStage } from "./map-ordered-stage.ts";

/** When and how often a handler that failed is called again. */
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

/** How handlers run beside each other, and what happens when one is late or fails. */
export interface MapOrderedOptions<A> {
  /** Handlers that run at once, in each task. A whole number >= 1; default 16. */
  readonly concurrency?: number;
  /**
   * Which handlers may not overlap: those of one key (the default), of one result of a function, or `"none"`: all may.
   * Records of a topic without a key all have the key `""`: one lane, unless another is said.
   */
  readonly lane?: "key" | "none" | ((value: A, record: RecordInfo) => string);
  /**
   * After so long a call's signal aborts. Its lane stays taken until its promise settles, so that calls of one lane never
   * overlap. Resolved late, the result counts; rejected, the call has failed. Default: no limit.
   */
  readonly timeout?: Duration;
  /** For so long after the `timeout` the promise may take to settle; then the task stops. Default `"5 s"`. */
  readonly settle?: Duration;
  /** A failed call is repeated in its place: later values of its lane wait, and so do all later results. Default: never. */
  readonly retry?: RetryOptions;
  /** Shares a number of calls at once with other operators, tasks and pipelines: see {@link limiter}. */
  readonly limit?: Limiter;
}

/**
 * Each value as the promise of `f` resolves, in the order of the input. Handlers of one key never overlap; those of
 * different keys run beside each other, up to `concurrency`, and later values wait for earlier results before they leave.
 *
 * A record is acknowledged when its result has left downstream and was committed. A handler that fails is called again as
 * `retry` says; when that is used up, the task stops, and what came before the record commits. After a crash, handlers of
 * records that were not committed run again: side effects are at-least-once, and `call.idempotencyKey` lets the other side
 * recognise them. In a task the number of waiting values is bounded by the worker's limits; on an ordinary Observable by
 * nothing.
 *
 * Throws `InvalidOption` for options that make no sense.
 *
 * @example
 * ```ts
 * mapOrdered((order, record, { signal }) => enrich(order, signal), {
 *   concurrency: 32,
 *   timeout: "2 s",
 *   retry: { attempts: 5, when: (error) => error instanceof TypeError },
 * })
 * ```
 */
export function mapOrdered<A, B>(f: Handler<A, B>, options: MapOrderedOptions<A> = {}): OperatorFunction<A, B> {
  const handling = handlingOf(f, options);
  const { concurrency } = handling;
  const { lane = "key" } = options;
  const detail = [f.name, `concurrency ${concurrency}`, `lane ${typeof lane === "string" ? lane : "by function"}`];
  return operator(
    operatorSpec({
      kind: "mapOrdered",
      detail: detail.filter((part) => part !== "").join(", "),
      holds: true,
      stage: (down, env) => new MapOrderedStage<A, B>(handling, down, env),
    }),
  );
}

function handlingOf<A, B>(f: Handler<A, B>, options: MapOrderedOptions<A>): Handling<A, B> {
  const { concurrency = 16, lane = "key", timeout, settle, retry, limit } = options;
  const timeoutMs = durationOption("mapOrdered: timeout", timeout);
  const settleMs = durationOption("mapOrdered: settle", settle) ?? 5_000;
  if (lane !== "key" && lane !== "none" && typeof lane !== "function") {
    throw new MillraceError(
      "InvalidOption",
      `mapOrdered: lane must be "key", "none" or a function, not ${quote(lane)}`,
    );
  }
  if (timeoutMs === 0) {
    throw new MillraceError("InvalidOption", "mapOrdered: timeout must be longer than 0 s");
  }
  if (limit !== undefined && !(limit instanceof Places)) {
    throw new MillraceError("InvalidOption", "mapOrdered: limit must be made by limiter(max)");
  }
  return {
    f,
    concurrency: whole("concurrency", concurrency),
    laneOf: lane === "none" ? null : lane === "key" ? (_value, record) => record.key : lane,
    time: timeoutMs === null ? null : { timeoutMs, settleMs },
    retry: retry === undefined ? null : scheduleOf(retry),
    places: limit ?? null,
  };
}

function scheduleOf({ attempts, backoff, longest, when = () => true }: RetryOptions): Handling<never, never>["retry"] {
  if (typeof when !== "function") {
    throw new MillraceError("InvalidOption", `mapOrdered: retry.when must be a function, not ${quote(when)}`);
  }
  return {
    attempts: whole("retry.attempts", attempts),
    firstPauseMs: durationOption("mapOrdered: retry.backoff", backoff) ?? 100,
    longestPauseMs: durationOption("mapOrdered: retry.longest", longest) ?? 10_000,
    when,
  };
}

function whole(what: string, number: number): number {
  if (!Number.isInteger(number) || number < 1) {
    throw new MillraceError("InvalidOption", `mapOrdered: ${what} must be a whole number >= 1, not ${quote(number)}`);
  }
  return number;
}
