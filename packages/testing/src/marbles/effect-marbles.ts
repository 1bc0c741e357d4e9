import { isSign } from "./diagram.ts";
import { MarbleError } from "./marble-error.ts";
import { UNKNOWN } from "./topic-marbles.ts";

/** A side effect that was recorded. */
export interface ReadEffect {
  readonly atMs: number;
  readonly key: string;
  readonly symbol: string;
  readonly value: unknown;
}

/**
 * A recorder of side effects: what a pipeline does outside of topics, which a crash may have it do again. Call {@link record} where
 * the effect happens.
 */
export interface EffectMarbles<A> {
  /** Notes a side effect, at the time of the diagram's clock. Throws `MarbleError` unless `runMarbles` runs with this recorder. */
  readonly record: (value: A) => void;
  /**
   * Notes from now on, beginning anew. Throws `MarbleError` where it does already.
   * @internal
   */
  begin(now: () => number): void;
  /**
   * Ends the notes, and returns them.
   * @internal
   */
  end(): readonly ReadEffect[];
}

/**
 * Records side effects for the row `effects`. Each is drawn as the letter or digit that the function says; `keyOf` is the key that
 * `perKeyOrder` goes by, by default the letter itself.
 *
 * Record an effect before its handler waits for anything: a promise cannot be killed, so what a handler does after it has waited, it does
 * here also when its worker was killed meanwhile.
 *
 * @example
 * ```ts
 * const mails = effectMarbles((order: Order) => order.id);
 * const confirm = pipeline("confirm", stream(orders).pipe(sink(async (batch) => batch.forEach(mails.record))));
 * ```
 */
export function effectMarbles<A>(
  letterOf: (value: A) => string,
  keyOf: (value: A) => string = letterOf,
): EffectMarbles<A> {
  let now: (() => number) | null = null;
  let seen: ReadEffect[] = [];
  return {
    record: (value) => {
      if (now === null) {
        const message = "an effect was recorded while no diagram runs: give the recorder to runMarbles, as effects";
        throw new MarbleError("InvalidMarbles", message);
      }
      const symbol = letterOf(value);
      seen.push({ atMs: now(), key: keyOf(value), symbol: isSign(symbol) ? symbol : UNKNOWN, value });
    },
    begin: (clock) => {
      if (now !== null) {
        throw new MarbleError("InvalidMarbles", "a recorder of effects is for one run at a time: make one for each");
      }
      now = clock;
      seen = [];
    },
    end: () => {
      now = null;
      return seen;
    },
  };
}
