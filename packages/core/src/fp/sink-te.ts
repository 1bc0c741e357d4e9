import { isLeft } from "fp-ts/lib/Either.js";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import type { OperatorFunction } from "rxjs";
import type { SinkOptions } from "../operators/external-sink.ts";
import type { SinkCall } from "../operators/external-sink-call.ts";
import { sink } from "../operators/sink.ts";
import type { Sunk } from "../topology/stream.ts";
import { named } from "./lefts.ts";
import { type RepeatableOptions, repeatable } from "./retry-te.ts";

/** How the function of an external sink is called, and what happens when a call is late, answers `Left` or fails. */
export type SinkTEOptions<A, E> = Omit<SinkOptions<A>, "onError" | "retry"> & RepeatableOptions<E>;

/**
 * Hands values over to a function that writes them elsewhere and answers with a `TaskEither`: `sink(fn)` of the plain door, with
 * the same batches, order and delivery. Plans and dead letters know it as `sink`.
 *
 * A `Left` is a failure that `f` knows, of all the values of its call. `onLeft` is asked, typed, and by default the task fails.
 * `"retry"` calls `f` again with the same values as `retry` says, and needs it. With any other policy than `"fail"` each
 * value of a batch that has failed is then written by itself, and `onLeft` decides about those that are `Left` once more; so
 * it is asked about batches only where `retry` is given, with the first record, and whether it says `"retry"` is all that
 * counts there. What `f` throws or rejects with is a defect: `onError` decides, and it is not repeated unless `retry.when`
 * says so. What comes out `Right` does not matter. On an ordinary Observable a `Left` that is not repeated ends it with a
 * `LeftError`.
 *
 * Throws `InvalidOption` for options that make no sense, such as `onLeft: "retry"` without `retry`.
 *
 * @example
 * ```ts
 * sinkTE((rows, { idempotencyKeys }) => insert(rows, idempotencyKeys), {
 *   maxBatch: 200,
 *   retry: { attempts: 5 },
 *   onLeft: (error) => (error._tag === "Unreachable" ? "retry" : "deadLetter"),
 * })
 * ```
 */
export function sinkTE<A, E>(
  f: (values: readonly A[], call: SinkCall) => TaskEither<E, unknown>,
  options: SinkTEOptions<A, E> = {},
): OperatorFunction<A, Sunk> {
  const { onLeft, onError, onExhausted, retry, ...others } = options;
  const { lefts, plain } = repeatable<E>("sinkTE", { onLeft, onError, onExhausted, retry });
  const write = async (values: readonly A[], call: SinkCall): Promise<void> => {
    const answer = await f(values, call)();
    if (isLeft(answer)) {
      throw lefts.errorOf(answer.left, call.records[0], call.signal);
    }
  };
  return sink(named(f.name, write), { ...others, ...plain });
}
