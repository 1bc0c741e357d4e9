/**
 * Enters a consumer group.
 *
 * KEYS  1 group
 * ARGV  1 member
 * Returns {ok, generation}; {wrong-type, key, expected, actual}
 * Invariant: generations rise by one with every call, from 1. It adds a bounded amount and is how work goes on, so it
 *   runs without room, too.
 */
import { KEY_TYPES } from "./guards.ts";
import { script } from "./script.ts";

export const JOIN = script(`#!lua flags=allow-oom
${KEY_TYPES}
local bad = foreign(KEYS[1], 'hash')
if bad then return bad end
local generation = redis.call('HINCRBY', KEYS[1], 'generation', 1)
redis.call('HSET', KEYS[1], 'member', ARGV[1])
return {'ok', generation}
`);
