import { type Either, isLeft } from "fp-ts/lib/Either.js";
import type { OperatorFunction } from "rxjs";
import { map } from "../operators/map.ts";
import type { FailureOptions } from "../topology/failure.ts";
import type { RecordInfo } from "../topology/record.ts";
import { type LeftOptions, Lefts, named } from "./lefts.ts";

/** What becomes of values for which the function fails; where dead letters go; the operator's name in them. */
export interface MapEitherKOptions<A, E> extends Omit<FailureOptions<A>, "onError">, LeftOptions<E> {}

/**
 * Each value as the `Right` of `f`, synchronously and in order. `map` of the plain door for functions that answer with an
 * `Either`; plans show it as `map`.
 *
 * A `Left` is a failure that `f` knows: `onLeft` decides, typed, and by default the task fails. What `f` throws is a defect:
 * `onError` decides. On an ordinary Observable a `Left` ends it with a `LeftError`, and `onLeft` is not asked. Throws
 * `InvalidOption` for options that make no sense.
 *
 * @example
 * ```ts
 * stream(orders).pipe(mapEitherK((order) => priced(order), { onLeft: (error) => (error._tag === "Free" ? "skip" : "deadLetter") }), …)
 * ```
 */
export function mapEitherK<A, E, B>(
  f: (value: A, record: RecordInfo) => Either<E, B>,
  options: MapEitherKOptions<A, E> = {},
): OperatorFunction<A, B> {
  const { onLeft, onError, ...others } = options;
  const lefts = new Lefts<E>("mapEitherK", { onLeft, onError, onExhausted: undefined, retry: null });
  const rightOf = (value: A, record: RecordInfo): B => {
    const answer = f(value, record);
    if (isLeft(answer)) {
      throw lefts.errorOf(answer.left, record);
    }
    return answer.right;
  };
  return map(named(f.name, rightOf), { ...others, onError: lefts.onError });
}
