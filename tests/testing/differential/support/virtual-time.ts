import type { Script } from "../../../../packages/redis-adapter/src/scripts/script.ts";
import { CLOCK_KEY } from "./lane-clock.ts";

/** How the scripts ask for the server's time: seconds, and microseconds of that second. */
const SERVER_TIME = "redis.call('TIME')";

/** The same two numbers, from the lane's clock. */
const LANE_TIME = `redis.call('HMGET', '${CLOCK_KEY}', 's', 'us')`;

/** A `script.ts` whose scripts take the lane's time for the server's; nothing else of them changes. For `vi.mock`. */
export function withVirtualTime(original: { readonly script: (source: string) => Script }): {
  readonly script: (source: string) => Script;
} {
  return { script: (source) => original.script(source.replaceAll(SERVER_TIME, LANE_TIME)) };
}
