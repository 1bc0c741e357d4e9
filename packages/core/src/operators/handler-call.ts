/** One call of a user's handler, with its time limit. */
import { MillraceError } from "../errors.ts";
import type { Clock } from "../ports/clock.ts";

/** How long a call may take. */
export interface TimeLimit {
  /** In ms: then the call's signal aborts. */
  readonly timeoutMs: number;
  /** In ms: for so long after that the promise may take to settle. */
  readonly settleMs: number;
}

/** A handler that did not come to an end although its signal had aborted: nobody knows what it still does. */
export class Hanging extends MillraceError {
  constructor({ timeoutMs, settleMs }: TimeLimit) {
    super(
      "HandlerTimeout",
      `its promise had not settled ${settleMs} ms after the timeout of ${timeoutMs} ms had aborted its signal: make the handler heed the signal`,
    );
  }
}

/**
 * Calls `run` with a signal that aborts after the time limit, or when `given` does. Resolves and rejects as the promise does,
 * also when it settles late: what was done is done. A promise that rejects after the time limit counts as timed out; one
 * that does not settle rejects with {@link Hanging}.
 */
export async function callWithin<B>(
  run: (signal: AbortSignal) => PromiseLike<B>,
  limit: TimeLimit,
  by: { readonly clock: Clock; readonly given: AbortSignal },
): Promise<B> {
  const { clock, given } = by;
  const own = new AbortController();
  let cancel = (): void => {};
  const giveUp = (): void => {
    // Nobody waits for it any more.
    cancel();
    own.abort(given.reason);
  };
  given.addEventListener("abort", giveUp, { once: true });
  const hanging = new Promise<never>((_resolve, reject) => {
    cancel = clock.after(limit.timeoutMs, () => {
      own.abort(new MillraceError("HandlerTimeout", `it took longer than ${limit.timeoutMs} ms`));
      cancel = clock.after(limit.settleMs, () => reject(new Hanging(limit)));
    });
  });
  try {
    return await Promise.race([run(own.signal), hanging]);
  } catch (cause) {
    if (own.signal.aborted && !given.aborted && !(cause instanceof Hanging)) {
      throw own.signal.reason;
    }
    throw cause;
  } finally {
    cancel();
    given.removeEventListener("abort", giveUp);
  }
}
