/**
 * Ends a member's stay.
 *
 * KEYS, ARGV 1 to 8  see group-lua.ts
 * Returns {ok}; {wrong-type, key, expected, actual}
 * Invariant: only the stay itself can be ended, and once; what it held is free by that.
 */
import { CALLER, GROUP_KEYS, MEMBERS } from "./group-lua.ts";
import { script } from "./script.ts";

export const LEAVE = script(`#!lua flags=allow-oom
${GROUP_KEYS}${CALLER}${MEMBERS}
if stayOf(member) ~= instance then return {'ok'} end -- guard: own stay
local announced = redis.call('SISMEMBER', leaving, member) == 1
local fits = redis.call('HGET', group, 'targetEpoch') == redis.call('HGET', group, 'epoch')
remove(member)
if announced and fits then
  -- The target was made without the member.
  redis.call('HSET', group, 'targetEpoch', redis.call('HGET', group, 'epoch'))
  redis.call('HDEL', group, 'dueAt', 'firstChange', 'urgent')
end
tell('changed')
return {'ok'}
`);
