import { isLeft } from "fp-ts/lib/Either.js";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import type { OperatorFunction } from "rxjs";
import { MillraceError } from "../errors.ts";
import type { Call } from "../operators/handler.ts";
import { type MapOrderedOptions, mapOrdered } from "../operators/map-ordered.ts";
import type { RecordInfo } from "../topology/record.ts";
import { named } from "./lefts.ts";
import { type RepeatableOptions, repeatable } from "./retry-te.ts";

/** How functions run beside each other, and what happens when one is late, answers `Left` or fails. */
export type MapOrderedTEOptions<A, E> = Omit<MapOrderedOptions<A>, "onError" | "retry"> & RepeatableOptions<E>;

/**
 * Each value as the `Right` of `f`, in the order of the input: `mapOrdered` of the plain door for functions that answer with
 * a `TaskEither`, with the same order, lanes, limits and guarantees. Plans, idempotency keys and dead letters know it as
 * `mapOrdered`, so that a program may change doors.
 *
 * A `Left` is a failure that `f` knows: `onLeft` is asked, typed, at most once for each, and by default the task fails.
 * `"retry"` calls `f` again in its place as `retry` says, and needs it. What `f` throws or rejects with is a defect: `onError`
 * decides, and it is not repeated unless `retry.when` says so. A `Left` that comes after the `timeout` is decided about as any
 * other, and reported as the timeout. On an ordinary Observable a `Left` that is not repeated ends it with a `LeftError`;
 * `onLeft` is asked there only where `retry` is given.
 *
 * Throws `InvalidOption` for options that make no sense, such as `onLeft: "retry"` without `retry`.
 *
 * @example
 * ```ts
 * mapOrderedTE((order, record, { idempotencyKey }) => charge(order, idempotencyKey), {
 *   retry: { attempts: 5 },
 *   onLeft: (error) => (error._tag === "Busy" ? "retry" : "deadLetter"),
 *   onExhausted: "park",
 * })
 * ```
 */
export function mapOrderedTE<A, E, B>(
  f: (value: A, record: RecordInfo, call: Call) => TaskEither<E, B>,
  options: MapOrderedTEOptions<A, E> = {},
): OperatorFunction<A, B> {
  const { onLeft, onError, onExhausted, retry, ...others } = options;
  if ([onLeft, onError, onExhausted].includes("park") && (others.lane ?? "key") !== "key") {
    throw new MillraceError(
      "InvalidOption",
      'mapOrderedTE: "park" keeps the records of a key in order, which only lanes by key do: say lane: "key", which is the default',
    );
  }
  const { lefts, plain } = repeatable<E>("mapOrderedTE", { onLeft, onError, onExhausted, retry });
  const rightOf = async (value: A, record: RecordInfo, call: Call): Promise<B> => {
    const answer = await f(value, record, call)();
    if (isLeft(answer)) {
      throw lefts.errorOf(answer.left, record, call.signal);
    }
    return answer.right;
  };
  return mapOrdered(named(f.name, rightOf), { ...others, ...plain });
}
