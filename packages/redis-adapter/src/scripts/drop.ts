/**
 * Deletes a store.
 *
 * KEYS  1 values, 2 dues
 * ARGV  none
 * Returns {ok}; {wrong-type, key, expected, actual}
 * Invariant: both or none. The memory is freed in the background, so that the server does not stand still for a large store
 *   (https://redis.io/docs/latest/commands/unlink/). It adds nothing, so it runs without room, too.
 */
import { KEY_TYPES } from "./guards.ts";
import { script } from "./script.ts";

export const DROP = script(`#!lua flags=allow-oom
${KEY_TYPES}
local bad = foreign(KEYS[1], 'hash') or foreign(KEYS[2], 'zset')
if bad then return bad end
redis.call('UNLINK', KEYS[1], KEYS[2])
return {'ok'}
`);
