import type { OperatorFunction } from "rxjs";
import { operatorSpec } from "../topology/node.ts";
import { operator } from "../topology/operator.ts";
import { type StageFactory, scope } from "../topology/stage.ts";
import type { Sunk } from "../topology/stream.ts";
import { encodeRecord, type Topic } from "../topology/topic.ts";

/**
 * Writes each value to a topic, in the commit of the record that caused it: the record counts as processed and its result
 * becomes visible in one step, or neither does. Key and event time are the topic's; without `timestamp` the causing
 * record's time is kept, and its headers always are. A value that the codec refuses stops the task (`EncodeError`).
 *
 * On an ordinary Observable the value is checked and passed on, and nothing is written.
 */
export function sink<A>(to: Topic<A>): OperatorFunction<A, Sunk> {
  const stage: StageFactory<A, Sunk> = (down, env) => ({
    next: (value) => {
      const { record, unit } = scope;
      try {
        const timestampMs = Number.isNaN(record.timestamp) ? env.clock.now() : record.timestamp;
        const inherited = { timestampMs, headers: record.headers, watermarkMs: record.watermarkMs };
        unit.output(to, encodeRecord(to, value, inherited));
      } catch (cause) {
        throw env.failure(cause, record);
      }
      down.next(value as unknown as Sunk);
    },
    watermark: (timeMs) => down.watermark(timeMs),
    complete: () => down.complete(),
    stop: () => down.stop(),
  });
  return operator(operatorSpec({ kind: "sink", sink: to, stage }));
}
