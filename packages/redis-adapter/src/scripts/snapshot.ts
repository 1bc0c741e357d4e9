/**
 * Everything about a consumer group, at one moment.
 *
 * KEYS  see group-lua.ts
 * ARGV  none
 * Returns {ok, now, group, members, sessions with scores, leaving, target, owners, past, completed}, each as its key holds
 *   it; {wrong-type, key, expected, actual}
 * Invariant: reads only.
 */
import { GROUP_KEYS } from "./group-lua.ts";
import { script } from "./script.ts";

export const SNAPSHOT = script(`#!lua flags=no-writes
${GROUP_KEYS}
return {'ok', digits(now), redis.call('HGETALL', group), redis.call('HGETALL', members),
  redis.call('ZRANGE', sessions, 0, -1, 'WITHSCORES'), redis.call('SMEMBERS', leaving), redis.call('HGETALL', target),
  redis.call('HGETALL', owners), redis.call('HGETALL', past), redis.call('SMEMBERS', completed)}
`);
