import * as E from "fp-ts/lib/Either.js";
import { type Clock, sleep } from "../ports/clock.ts";
import type { Log, TopicInfo, TopicTimes } from "../ports/log.ts";
import type { PortError } from "../ports/port-error.ts";

/** How often the writers' table and the ends of a topic are fetched. */
const INTERVAL_MS = 200;

/**
 * Fetches the times of a topic at once and then five times a second, until the signal aborts. A store that does not answer
 * is asked again; a topic that was lost ends it.
 */
export async function keepTime(
  of: { readonly log: Log; readonly clock: Clock; readonly topic: TopicInfo; readonly signal: AbortSignal },
  told: { readonly times: (times: TopicTimes) => void; readonly lost: (error: PortError) => void },
): Promise<void> {
  while (!of.signal.aborted) {
    const times = await of.log.times(of.topic)();
    if (of.signal.aborted) {
      return;
    }
    if (E.isRight(times)) {
      told.times(times.right);
    } else if (!times.left.retriable) {
      told.lost(times.left);
      return;
    }
    await sleep(of.clock, INTERVAL_MS, of.signal);
  }
}
