/**
 * What a consumer group remembers of its pipeline.
 *
 * KEYS  see group-lua.ts
 * ARGV  none
 * Returns {ok, revision or nil, topology or nil}; {wrong-type, key, expected, actual}
 * Invariant: reads only.
 */
import { GROUP_KEYS } from "./group-lua.ts";
import { script } from "./script.ts";

export const TOPOLOGY = script(`#!lua flags=no-writes
${GROUP_KEYS}
local found = redis.call('HMGET', group, 'topologyRevision', 'topology')
return {'ok', found[1], found[2]}
`);
