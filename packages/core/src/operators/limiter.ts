import { MillraceError } from "../errors.ts";
import { quote } from "../kernel/name.ts";

/** A number of calls that may run at once, shared by whoever is given it: operators, partitions, pipelines of a process. */
export interface Limiter {
  readonly max: number;
}

/**
 * Makes a {@link Limiter}: `mapOrdered(f, { limit })` with one limiter for several operators protects what they all call.
 * Whoever waits longest is next. Calls of a task that is given up do not count any more. Throws `InvalidOption` unless `max` is a whole number >= 1.
 *
 * @example
 * ```ts
 * const database = limiter(20);
 * mapOrdered(load, { limit: database });
 * ```
 */
export function limiter(max: number): Limiter {
  if (!Number.isInteger(max) || max < 1) {
    throw new MillraceError("InvalidOption", `limiter: max must be a whole number >= 1, not ${quote(max)}`);
  }
  return new Places(max);
}

/** The places of a limiter. */
export class Places implements Limiter {
  readonly max: number;
  private taken = 0;
  /** Those who found no place; each is woken once, in the order in which they came. */
  private readonly waiting = new Set<() => void>();

  constructor(max: number) {
    this.max = max;
  }

  /** Takes a place. Where there is none, returns `false` and calls `wake` once when there may be one. */
  take(wake: () => void): boolean {
    if (this.taken >= this.max) {
      this.waiting.add(wake);
      return false;
    }
    this.taken += 1;
    // Whoever was served is not to be woken for nothing: that wake-up would be lost to the others.
    this.waiting.delete(wake);
    return true;
  }

  /** Gives a place back. */
  free(): void {
    this.taken -= 1;
    this.wakeNext();
  }

  /** Takes back the wish to be woken; a wake-up that this one may have had goes to the next. */
  leave(wake: () => void): void {
    this.waiting.delete(wake);
    this.wakeNext();
  }

  private wakeNext(): void {
    const [next] = this.waiting;
    if (next !== undefined && this.taken < this.max) {
      this.waiting.delete(next);
      next();
    }
  }
}
