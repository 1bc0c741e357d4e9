/**
 * Enters writers into a topic's writers' table.
 *
 * KEYS  1 topic, 2 writers
 * ARGV  1 incarnation, then the writers
 * Returns {ok}; {topic-lost, key}; {wrong-type, key, expected, actual}
 * Invariant: a writer that is already there keeps its watermark. Bounded by the number of tasks and part of starting
 *   one, so it runs without room, too.
 */
import { KEY_TYPES } from "./guards.ts";
import { script } from "./script.ts";

export const REGISTER_WRITERS = script(`#!lua flags=allow-oom
${KEY_TYPES}
local bad = mismatch(KEYS[1], 'hash') or foreign(KEYS[2], 'hash')
if bad then return bad end
if redis.call('HGET', KEYS[1], 'incarnation') ~= ARGV[1] then return {'topic-lost', KEYS[1]} end -- guard: incarnation

for i = 2, #ARGV do
  redis.call('HSETNX', KEYS[2], ARGV[i], '-inf')
end
return {'ok'}
`);
