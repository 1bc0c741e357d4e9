/** Lefts and defects of operators that may repeat their calls. */
import { MillraceError } from "../errors.ts";
import { quote } from "../kernel/name.ts";
import type { RetryOptions } from "../operators/call-options.ts";
import type { FailureDecision, OnError } from "../topology/failure.ts";
import { type LeftDecision, type LeftOptions, Lefts, type OnLeft } from "./lefts.ts";

/** When and how often a function is called again that has answered `Left` or has failed. */
export interface RetryTEOptions extends Omit<RetryOptions, "when"> {
  /**
   * Whether calling again is of use after a defect: what the function threw, or a timeout. Never asked about a `Left`: there
   * `onLeft` says `"retry"`. Default: never.
   */
  readonly when?: (defect: unknown) => boolean;
}

/** Calls are not repeated, and `"retry"` is no decision. */
interface WithoutRetry<E> extends LeftOptions<E> {
  readonly retry?: never;
  readonly onExhausted?: never;
}

/** Calls may be repeated in their place: what must not overtake them waits. */
interface WithRetry<E> extends LeftOptions<E, LeftDecision> {
  readonly retry: RetryTEOptions;
  /** What becomes of a value whose last attempt was a `Left` that `onLeft` wants repeated. Default: `"fail"`. */
  readonly onExhausted?: FailureDecision;
}

/** What becomes of values for which an operator fails that may try again. */
export type RepeatableOptions<E> = WithoutRetry<E> | WithRetry<E>;

/** {@link RepeatableOptions}, for operators that take them from among others. */
interface RepeatableParts<E> {
  readonly onLeft: OnLeft<E, LeftDecision> | undefined;
  readonly onError: OnError | undefined;
  readonly onExhausted: FailureDecision | undefined;
  readonly retry: RetryTEOptions | undefined;
}

/** The operator's Lefts, and what the plain operator is told of them. Throws `InvalidOption`. */
export function repeatable<E>(
  operator: string,
  { onLeft, onError, onExhausted, retry }: RepeatableParts<E>,
): { readonly lefts: Lefts<E>; readonly plain: { readonly onError: OnError; readonly retry?: RetryOptions } } {
  const repeats = retry === undefined ? null : { repeatsDefects: retry.when !== undefined };
  const lefts = new Lefts<E>(operator, { onLeft, onError, onExhausted, retry: repeats });
  if (retry === undefined) {
    return { lefts, plain: { onError: lefts.onError } };
  }
  const { when = () => false } = retry;
  if (typeof when !== "function") {
    throw new MillraceError("InvalidOption", `${operator}: retry.when must be a function, not ${quote(when)}`);
  }
  const schedule = { ...retry, when: (error: unknown) => lefts.repeats(error) ?? when(error) };
  return { lefts, plain: { onError: lefts.onError, retry: schedule } };
}
