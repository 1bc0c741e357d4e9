import type { Any } from "./any.ts";
import { headersBeyond } from "./letter.ts";
import { type StageFactory, scope } from "./stage.ts";
import { encodeRecord, type Topic } from "./topic.ts";

/** The stage of a sink: writes each value to a topic, as part of what its unit commits, and passes it on. */
export function topicSinkStage<A>(to: Topic<A>): StageFactory<A, Any> {
  return (down, env) => ({
    next: (value) => {
      const { record, unit } = scope;
      try {
        const timestampMs = Number.isNaN(record.timestamp) ? env.clock.now() : record.timestamp;
        const inherited = { timestampMs, headers: headersBeyond(record.headers), watermarkMs: record.watermarkMs };
        unit.output(to, encodeRecord(to, value, inherited));
      } catch (cause) {
        throw env.failure(cause, record);
      }
      down.next(value);
    },
    watermark: (timeMs) => down.watermark(timeMs),
    complete: () => down.complete(),
    stop: () => down.stop(),
  });
}
