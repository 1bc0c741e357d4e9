/**
 * Gives a task up.
 *
 * KEYS  1 task
 * ARGV  1 nonce
 * Returns {ok}; {wrong-type, key, expected, actual}
 * Invariant: only the owner's release changes anything; afterwards no commit is accepted until somebody acquires.
 */
import { KEY_TYPES } from "./guards.ts";
import { script } from "./script.ts";

export const RELEASE = script(`#!lua flags=allow-oom
${KEY_TYPES}
local bad = foreign(KEYS[1], 'hash')
if bad then return bad end
if redis.call('HGET', KEYS[1], 'nonce') == ARGV[1] then
  redis.call('HDEL', KEYS[1], 'nonce')
end
return {'ok'}
`);
