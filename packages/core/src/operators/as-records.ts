import type { OperatorFunction } from "rxjs";
import { offsetOf } from "../kernel/offset.ts";
import { partitionOf } from "../kernel/partitioner.ts";
import { operatorSpec } from "../topology/node.ts";
import { operator } from "../topology/operator.ts";
import { TopicRecord } from "../topology/record.ts";
import { type StageFactory, scope } from "../topology/stage.ts";
import { checkKey, type Topic } from "../topology/topic.ts";

/**
 * On an ordinary Observable: gives each value the key and the event time that it has in the topic, so that operators which
 * need them can be tried with `of(...)`. In a pipeline, where records have both, it changes nothing.
 *
 * @example
 * ```ts
 * of(order1, order2).pipe(asRecords(orders), window(tumbling("1 minute"), { n: count() }, { grace: "0 s" }))
 * ```
 */
export function asRecords<A>(topic: Topic<A>): OperatorFunction<A, A> {
  const stage: StageFactory<A, A> = (down, env) => {
    let index = 0;
    let maxEventTimeMs = Number.NEGATIVE_INFINITY;
    const recordOf = (value: A): TopicRecord => {
      const key = topic.key === null ? "" : checkKey(topic.name, topic.key(value));
      const timestampMs = topic.timestamp === null ? env.clock.now() : topic.timestamp(value);
      const watermarkMs = maxEventTimeMs - topic.time.outOfOrdernessMs;
      maxEventTimeMs = Math.max(maxEventTimeMs, timestampMs);
      index += 1;
      const at = { topic: topic.name, partition: partitionOf(key, topic.partitions ?? 1) };
      const offset = offsetOf(`0-${index}`, 0);
      return new TopicRecord(at, { offset, key, timestampMs, headers: {} }, watermarkMs);
    };
    return {
      next: (value) => {
        if (env.inTask) {
          down.next(value);
          return;
        }
        const before = scope.record;
        scope.record = recordOf(value);
        try {
          down.next(value);
        } finally {
          scope.record = before;
        }
      },
      watermark: (timeMs) => down.watermark(timeMs),
      complete: () => down.complete(),
      stop: () => down.stop(),
    };
  };
  return operator(operatorSpec({ kind: "asRecords", passesValues: true, stage }));
}
