import * as E from "fp-ts/lib/Either.js";
import { backoffMs } from "../kernel/backoff.ts";
import { type Clock, sleep } from "../ports/clock.ts";
import type { PortError } from "../ports/port-error.ts";

/** How a call to a store is repeated. */
export interface RetryOptions {
  readonly clock: Clock;
  /** Ends the repetition: the last failure is returned. */
  readonly signal: AbortSignal;
  /** Told of every failure that is followed by another attempt. */
  readonly stalled: (error: PortError) => void;
}

/** Repeats a call, with growing pauses, until it succeeds, fails for good, or the signal aborts. */
export async function retrying<Err extends PortError, A>(
  call: () => Promise<E.Either<Err, A>>,
  options: RetryOptions,
): Promise<E.Either<Err, A>> {
  for (let attempt = 1; ; attempt++) {
    const result = await call();
    if (E.isRight(result) || !result.left.retriable || options.signal.aborted) {
      return result;
    }
    options.stalled(result.left);
    await sleep(options.clock, backoffMs(attempt, Math.random()), options.signal);
  }
}
