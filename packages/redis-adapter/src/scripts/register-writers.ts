/**
 * Enters writers into a topic's writers' table.
 *
 * KEYS  1 topic, 2 writers
 * ARGV  1 incarnation, 2 "new": enters only those that never were there; else empty; then the writers
 * Returns {ok}; {topic-lost, key}; {wrong-type, key, expected, actual}
 * Invariant: a writer that is already there keeps its watermark. One that a commit has taken out is still marked, by an
 *   empty watermark. Bounded by the number of tasks and part of starting one, so it runs without room, too.
 */
import { KEY_TYPES } from "./guards.ts";
import { script } from "./script.ts";

export const REGISTER_WRITERS = script(`#!lua flags=allow-oom
${KEY_TYPES}
local bad = mismatch(KEYS[1], 'hash') or foreign(KEYS[2], 'hash')
if bad then return bad end
if redis.call('HGET', KEYS[1], 'incarnation') ~= ARGV[1] then return {'topic-lost', KEYS[1]} end -- guard: incarnation

for i = 3, #ARGV do
  local found = redis.call('HGET', KEYS[2], ARGV[i])
  if not found or found == '' and ARGV[2] ~= 'new' then
    redis.call('HSET', KEYS[2], ARGV[i], '-inf')
  end
end
return {'ok'}
`);
