/**
 * Stores what a consumer group remembers of its pipeline.
 *
 * KEYS, ARGV 1 to 8  see group-lua.ts
 * ARGV  9 revision that it follows (empty: none), 10 topology, 11 whether the caller must be the only member (1, 0)
 * Returns {stored}; {changed}; {shared}; {not-member}; {fenced-member, member}; {wrong-type, key, expected, actual}
 * Invariant: compare-and-set on the revision, by members only. Revisions rise, and past those that were lost with the keys,
 *   since each is at least the time. What is stored already is stored, so a repeated call comes to the same. It is a bounded
 *   amount, and workers start by it, so it runs without room, too.
 */
import { CALLER, GROUP_KEYS, MEMBERS, MEMBERSHIP } from "./group-lua.ts";
import { script } from "./script.ts";

export const STORE_TOPOLOGY = script(`#!lua flags=allow-oom
${GROUP_KEYS}${CALLER}${MEMBERS}${MEMBERSHIP}
local rejection = enter()
if rejection then return rejection end
local found = redis.call('HMGET', group, 'topologyRevision', 'topology')
if found[2] == ARGV[10] then return {'stored'} end
if (found[1] or '') ~= ARGV[9] then return {'changed'} end -- guard: compare and set
if ARGV[11] == '1' and redis.call('HLEN', members) > 1 then return {'shared'} end -- guard: alone

redis.call('HSET', group, 'topology', ARGV[10],
  'topologyRevision', digits(math.max((tonumber(found[1]) or 0) + 1, now)))
return {'stored'}
`);
