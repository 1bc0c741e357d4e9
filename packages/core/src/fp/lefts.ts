/**
 * What becomes of the Lefts of one operator. An operator of the fp door is the one of the plain door with a function that
 * throws for a `Left`, and with a policy that asks `onLeft` about it. Which errors stand for Lefts is remembered, so that
 * nothing else that is thrown, not even a {@link LeftError} of another operator, is taken for one.
 */
import { MillraceError } from "../errors.ts";
import { quote } from "../kernel/name.ts";
import {
  DECISIONS,
  decidingAmong,
  decisionsOf,
  type FailureDecision,
  failurePolicy,
  isDecision,
  type OnError,
} from "../topology/failure.ts";
import type { RecordInfo } from "../topology/record.ts";
import { LeftError } from "./left-error.ts";

/** What may become of a value for which a function answers `Left`: `"retry"` calls the function again in its place. */
export type LeftDecision = FailureDecision | "retry";

/** A decision for all Lefts, or one for each. A function that throws, or answers something else, fails the task. */
export type OnLeft<E, D extends LeftDecision = FailureDecision> = D | ((left: E, record: RecordInfo) => D);

/**
 * What becomes of values for which an operator of the fp door fails. In a pipeline; on an ordinary Observable a `Left` ends
 * it with a {@link LeftError}, and a defect with what was thrown.
 */
export interface LeftOptions<E, D extends LeftDecision = FailureDecision> {
  /** What becomes of a value for which the function answers `Left`. Default: `"fail"`. */
  readonly onLeft?: OnLeft<E, D>;
  /**
   * What becomes of a value for which the function throws or rejects instead of answering: a defect. Never asked about a
   * `Left`. Default: `"fail"`.
   */
  readonly onError?: OnError;
}

/** {@link LeftOptions} of any operator, and whether its calls may be repeated. */
interface LeftPolicy<E> {
  readonly onLeft: OnLeft<E, LeftDecision> | undefined;
  readonly onError: OnError | undefined;
  /** What becomes of a value whose last attempt `onLeft` wants repeated. */
  readonly onExhausted: FailureDecision | undefined;
  /** `null`: nothing is repeated. */
  readonly retry: { readonly repeatsDefects: boolean } | null;
}

const CHOICES = '"fail", "quarantine", "skip", "deadLetter", "park"';

/** A `Left` that its error stands for. */
interface KnownLeft<E> {
  readonly left: E;
  readonly record: RecordInfo;
  /** `null`: nobody has asked yet. */
  decision: LeftDecision | null;
}

/** The Lefts of one operator: makes their errors, and answers the plain operator's questions about these. */
export class Lefts<E> {
  /** What the plain operator is told as its `onError`; one decision where all are the same, which costs nothing. */
  readonly onError: OnError;
  private readonly operator: string;
  private readonly onLeft: OnLeft<E, LeftDecision>;
  private readonly onExhausted: FailureDecision;
  private readonly mayRepeat: boolean;
  private readonly known = new WeakMap<object, KnownLeft<E>>();

  /** Throws `InvalidOption`. */
  constructor(operator: string, policy: LeftPolicy<E>) {
    const { onLeft = "fail", onError = "fail", onExhausted = "fail", retry } = policy;
    checkOnLeft(operator, onLeft);
    checkRetry(operator, policy);
    // For its check.
    failurePolicy(operator, { onError });
    this.operator = operator;
    this.onLeft = onLeft;
    this.onExhausted = onExhausted;
    this.mayRepeat = retry !== null;
    const always = onLeft === "retry" ? onExhausted : onLeft;
    const ofLefts = typeof always === "function" ? DECISIONS : [always];
    this.onError =
      always === onError
        ? onError
        : decidingAmong(new Set([...ofLefts, ...decisionsOf(onError), onExhausted]), (error, record) =>
            this.decisionOn(error, record, onError),
          );
  }

  /** The error to throw for a `Left`. `signal`: that of the call. */
  errorOf(left: E, record: RecordInfo, signal?: AbortSignal): LeftError<E> {
    const error = new LeftError(left);
    const known: KnownLeft<E> = { left, record, decision: null };
    this.known.set(error, known);
    // A call that fails after its timeout fails with that; the function has answered all the same.
    if (signal?.reason instanceof MillraceError) {
      this.known.set(signal.reason, known);
    }
    return error;
  }

  /**
   * Whether the call that has ended with this error is to be repeated; `null` for a defect. Throws what `onLeft` throws, and
   * `InvalidOption` when it answers with no decision.
   */
  repeats(error: unknown): boolean | null {
    const decision = this.decided(error);
    return decision === null ? null : decision === "retry";
  }

  private decisionOn(error: unknown, record: RecordInfo, onDefect: OnError): FailureDecision {
    const decision = this.decided(error);
    if (decision === null) {
      return typeof onDefect === "function" ? onDefect(error, record) : onDefect;
    }
    return decision === "retry" ? this.onExhausted : decision;
  }

  private decided(error: unknown): LeftDecision | null {
    const known = typeof error === "object" && error !== null ? this.known.get(error) : undefined;
    if (known === undefined) {
      return null;
    }
    known.decision ??= this.decide(known);
    return known.decision;
  }

  private decide({ left, record }: KnownLeft<E>): LeftDecision {
    const decision: unknown = typeof this.onLeft === "function" ? this.onLeft(left, record) : this.onLeft;
    if (decision === "retry" && !this.mayRepeat) {
      throw invalid(this.operator, 'onLeft answered "retry", and there is no retry: { attempts } that says how often');
    }
    if (decision !== "retry" && !isDecision(decision)) {
      throw invalid(this.operator, `onLeft must answer ${CHOICES} or "retry", not ${quote(decision)}`);
    }
    return decision;
  }
}

function checkOnLeft(operator: string, onLeft: unknown): void {
  if (typeof onLeft !== "function" && onLeft !== "retry" && !isDecision(onLeft)) {
    const choices = `${CHOICES}, "retry" or a function that returns one of them`;
    throw invalid(operator, `onLeft must be ${choices}, not ${quote(onLeft)}`);
  }
}

function checkRetry(operator: string, { onLeft, onExhausted, retry }: LeftPolicy<never>): void {
  if (onExhausted !== undefined && !isDecision(onExhausted)) {
    throw invalid(operator, `onExhausted must be ${CHOICES}, not ${quote(onExhausted)}`);
  }
  if (retry === null) {
    if (onLeft === "retry" || onExhausted !== undefined) {
      const option = onLeft === "retry" ? 'onLeft: "retry"' : "onExhausted";
      throw invalid(operator, `${option} needs retry: { attempts } that says how often`);
    }
  } else if (onLeft !== "retry" && typeof onLeft !== "function" && !retry.repeatsDefects) {
    throw invalid(operator, 'retry would repeat nothing: say onLeft: "retry" for Lefts, or retry.when for defects');
  }
}

function invalid(operator: string, message: string): MillraceError {
  return new MillraceError("InvalidOption", `${operator}: ${message}`);
}

/** Lets plans show the user's function instead of the one that calls it. */
export function named<F extends (...args: never) => unknown>(name: string, f: F): F {
  return Object.defineProperty(f, "name", { value: name });
}
