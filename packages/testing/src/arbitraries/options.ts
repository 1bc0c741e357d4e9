import { type Duration, MillraceError, parseDuration } from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import { optionProblem } from "../driver/option-names.ts";

/** A duration in ms; throws `InvalidOption` when it does not parse. */
export function durationMs(what: string, duration: Duration): number {
  const parsed = parseDuration(duration);
  if (E.isLeft(parsed)) {
    throw new MillraceError("InvalidOption", `${what}: ${parsed.left.message}`);
  }
  return parsed.right;
}

/** A share; throws `InvalidOption` unless it is from 0 to 1. */
export function checkShare(what: string, share: number): void {
  if (!(share >= 0 && share <= 1)) {
    throw new MillraceError("InvalidOption", `${what}: a share is from 0 to 1, not ${String(share)}`);
  }
}

/** Throws `InvalidOption` unless the options are an object without other names than these. */
export function checkOptions(what: string, options: unknown, known: readonly string[]): void {
  const problem = optionProblem(options, known);
  if (problem !== null) {
    throw new MillraceError("InvalidOption", `${what}: ${problem}`);
  }
}
