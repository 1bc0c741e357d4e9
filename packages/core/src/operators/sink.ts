import type { OperatorFunction } from "rxjs";
import { type FailureOptions, failureParts } from "../topology/failure.ts";
import { operatorSpec } from "../topology/node.ts";
import { operator } from "../topology/operator.ts";
import type { Sunk } from "../topology/stream.ts";
import type { Topic } from "../topology/topic.ts";
import { topicSinkStage } from "../topology/topic-sink.ts";
import { externalSink, type SinkFunction, type SinkOptions } from "./external-sink.ts";

/**
 * Writes each value to a topic, in the commit of the record that caused it: the record counts as processed and its result
 * becomes visible in one step, or neither does. Key and event time are the topic's; without `timestamp` the causing
 * record's time is kept, and its headers always are. `options` say what happens to a value that the codec refuses
 * (`EncodeError`); its operator's name is by default that of the topic. Throws `InvalidOption` for options that make no sense.
 *
 * On an ordinary Observable the value is checked and passed on, and nothing is written.
 */
export function sink<A>(to: Topic<A>, options?: FailureOptions<NoInfer<A>>): OperatorFunction<A, Sunk>;
/**
 * Hands values over to a function that writes them elsewhere: to a database, a search index, another service. In a task, `fn`
 * is called for one batch after the other, in the order of the partition; a batch is what waits when the one before it is
 * done, up to `maxBatch`, and nothing waits for a batch to fill. So the last value of a key is also the last one written.
 *
 * A record is acknowledged when the call that got its value has resolved. Delivery is at-least-once: after a crash, values
 * whose records were not committed are written again, in batches that may be cut elsewhere, followed by everything that came
 * behind them. Upserts end as they were; for the rest there is `call.idempotencyKeys`. A task that moves to another
 * worker is not called there before its calls here have ended, or had 5 s to do so; after a crash, or when a worker
 * notices its loss too late, nothing but the other side can tell the old call from the new one.
 *
 * A call that fails is repeated with the same values as `retry` says. When that is used up, the task fails at the first record
 * of the batch; with `onError`, each value of the batch is written by itself, in order and with attempts of its own, and
 * the policy decides about those that fail.
 *
 * On an ordinary Observable `fn` is called in the same way, and values come out when the call that got them has resolved.
 * Throws `InvalidOption` and `InvalidName` for options that make no sense.
 *
 * @example
 * ```ts
 * sink((documents, { signal }) => index.putAll(documents, { signal }), {
 *   maxBatch: 500,
 *   timeout: "10 s",
 *   retry: { attempts: 5 },
 * })
 * ```
 */
export function sink<A>(fn: SinkFunction<A>, options?: SinkOptions<NoInfer<A>>): OperatorFunction<A, Sunk>;
export function sink<A>(
  to: Topic<A> | SinkFunction<A>,
  options: SinkOptions<NoInfer<A>> = {},
): OperatorFunction<A, Sunk> {
  return typeof to === "function" ? externalSink(to, options) : topicSink(to, options);
}

function topicSink<A>(to: Topic<A>, options: FailureOptions<A>): OperatorFunction<A, Sunk> {
  return operator(
    operatorSpec({ kind: "sink", sink: to, ...failureParts("sink", options), stage: topicSinkStage(to) }),
  );
}
