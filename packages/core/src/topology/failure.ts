/** What an operator may do with values for which it fails. */
import type { Codec } from "../codec/codec.ts";
import { MillraceError } from "../errors.ts";
import { quote } from "../kernel/name.ts";
import type { Any } from "./any.ts";
import { checkOptions } from "./options.ts";
import type { CurrentRecord, RecordInfo } from "./record.ts";
import { checkName } from "./topic.ts";

/**
 * What becomes of a value for which an operator has failed:
 *
 * - `"fail"`: the task stops, what came before the record commits, and the task starts again after a pause, for as long as
 *   it takes. Nothing behind the record is processed meanwhile.
 * - `"quarantine"`: the task stops in front of the record until `app.resume` is called. Other partitions go on.
 * - `"skip"`: the value is dropped, and counted.
 * - `"deadLetter"`: the operator's input goes to the dead-letter topic, in the same commit; later records go on.
 * - `"park"`: so does every later value of its key at this operator, in order, until the letters are redriven or discarded:
 *   nothing of the key overtakes the value that failed. Other keys go on.
 */
export type FailureDecision = "fail" | "quarantine" | "skip" | "deadLetter" | "park";

/** A decision for all failures, or one for each: `error` is what the operator's function threw. */
export type OnError = FailureDecision | ((error: unknown, record: RecordInfo) => FailureDecision);

/** What happens when an operator fails. In a pipeline; on an ordinary Observable the error ends it as always. */
export interface FailureOptions<A> {
  /** Default: `"fail"`. */
  readonly onError?: OnError;
  /** Where dead letters go, and how. */
  readonly deadLetters?: DeadLetterOptions<A>;
  /**
   * Names the operator in dead letters, where redriving finds it by its name; it must stay the same over releases. Default:
   * derived from the topic, store or change of key in front, and from what kind of operator it is.
   */
  readonly name?: string;
}

export interface DeadLetterOptions<A> {
  /**
   * The topic, which gets as many partitions as the one that is read. Default: `<app>.<pipeline>.<topic that is read>.dead-letters`.
   */
  readonly topic?: string;
  /** How the operator's input is written. Default: the topic's codec as long as values are those of the topic, else JSON. */
  readonly codec?: Codec<A>;
}

/** {@link FailureOptions}, checked. */
export interface FailurePolicy {
  readonly onError: OnError;
  /** The decisions that it may come to. */
  readonly decisions: ReadonlySet<FailureDecision>;
  readonly topic: string | null;
  readonly codec: Codec<Any> | null;
  /** Whether values of one key come to the operator's function one after the other, so that it can park. */
  readonly mayPark: boolean;
}

/** What becomes of one value instead of being processed. */
export type Verdict =
  | { readonly kind: "skip" }
  | { readonly kind: "deadLetter" | "park"; readonly error: unknown; readonly attempts: number }
  /** Its key is parked: it becomes a letter behind the others. */
  | { readonly kind: "behind" }
  /** It is a letter that was redriven, and stays one; `error`: why, unless it waits for one in front of it. */
  | { readonly kind: "stays"; readonly error: { readonly cause: unknown } | null };

/**
 * What an operator with a policy asks about its values. Those of one key are admitted and decided about in order, each
 * before the next one is admitted; {@link Failures.settle} follows for all of them in their order.
 */
export interface Failures {
  /** `null`: the operator may process the value. Else what becomes of it instead; it must not be processed then. */
  admit(record: CurrentRecord): Verdict | null;
  /** The operator has failed for a value. Throws the error with which the task is to fail. */
  decide(cause: unknown, of: { readonly record: CurrentRecord; readonly attempts: number }): Verdict;
  /**
   * The operator has failed for a result that time has brought forth. There is no value that could become a letter, or whose key
   * could be parked. Returns where the result is to be left out; else throws the error with which the task is to fail.
   */
  decideResult(cause: unknown, record: CurrentRecord): void;
  /**
   * The value leaves the operator: processed (`null`; call it before the results are pushed on), or as the verdict says.
   * To be called within the value's record and unit, in the order of the input.
   */
  settle(value: unknown, verdict: Verdict | null): void;
}

export const DECISIONS: ReadonlySet<FailureDecision> = new Set<FailureDecision>([
  "fail",
  "quarantine",
  "skip",
  "deadLetter",
  "park",
]);

export function isDecision(value: unknown): value is FailureDecision {
  return (DECISIONS as ReadonlySet<unknown>).has(value);
}

/** The checked policy; `null` where failures stop the task. Throws `InvalidOption`, `InvalidName`. */
export function failurePolicy<A>(operator: string, options: FailureOptions<A>): FailurePolicy | null {
  const { onError = "fail", deadLetters } = options;
  if (deadLetters !== undefined) {
    checkOptions(`${operator}: deadLetters`, deadLetters, ["topic", "codec"]);
  }
  if (typeof onError !== "function" && !isDecision(onError)) {
    throw new MillraceError(
      "InvalidOption",
      `${operator}: onError must be "fail", "quarantine", "skip", "deadLetter", "park" or a function that returns one of them, not ${quote(onError)}`,
    );
  }
  if (deadLetters?.topic !== undefined) {
    checkName("dead-letter topic", deadLetters.topic);
  }
  if (onError === "fail") {
    return null;
  }
  return {
    onError,
    decisions: decisionsOf(onError),
    topic: deadLetters?.topic ?? null,
    codec: deadLetters?.codec ?? null,
    mayPark: true,
  };
}

/** Functions that never come to other decisions than these. */
const knownDecisions = new WeakMap<object, ReadonlySet<FailureDecision>>();

/** The function itself: it is known to come to no other decisions, so that what only these would need is not made. */
export function decidingAmong<F extends Extract<OnError, (...args: never) => unknown>>(
  decisions: Iterable<FailureDecision>,
  decide: F,
): F {
  knownDecisions.set(decide, new Set(decisions));
  return decide;
}

/** The decisions that an `onError` may come to: of a function, all, unless more is known. */
export function decisionsOf(onError: OnError): ReadonlySet<FailureDecision> {
  return typeof onError === "function" ? (knownDecisions.get(onError) ?? DECISIONS) : new Set([onError]);
}

/** Whether values may become dead letters. */
export function mayWriteLetters(policy: FailurePolicy | null): policy is FailurePolicy {
  return policy !== null && (policy.decisions.has("deadLetter") || policy.decisions.has("park"));
}

/** Whether somebody may have to ask the task to go on with what it left behind. */
export function mayLeaveBehind(policy: FailurePolicy): boolean {
  return policy.decisions.has("quarantine") || mayWriteLetters(policy);
}

/**
 * What the options say of an operator that has no name otherwise. Throws `InvalidName`, and `InvalidOption`, also for names
 * that are neither of {@link FailureOptions} nor `more`.
 */
export function failureParts<A>(
  operator: string,
  options: FailureOptions<A>,
  more: readonly string[] = [],
): { readonly name: string | null; readonly failure: FailurePolicy | null } {
  checkOptions(operator, options, ["onError", "deadLetters", "name", ...more]);
  if (options.name !== undefined) {
    checkName("operator", options.name);
  }
  return { name: options.name ?? null, failure: failurePolicy(operator, options) };
}
