/**
 * The next sequence that each partition expects of a producer.
 *
 * KEYS  1 topic, then for each partition: producer
 * ARGV  1 incarnation
 * Returns {ok, next of partition 0, next of partition 1, …}; {topic-lost, key}; {wrong-type, key, expected, actual}
 * Invariant: reads only. What is remembered of another incarnation does not count.
 */
import { KEY_TYPES } from "./guards.ts";
import { script } from "./script.ts";

export const NEXT_SEQUENCES = script(`#!lua flags=no-writes
${KEY_TYPES}
local bad = mismatch(KEYS[1], 'hash')
if bad then return bad end
if redis.call('HGET', KEYS[1], 'incarnation') ~= ARGV[1] then return {'topic-lost', KEYS[1]} end -- guard: incarnation

local answer = {'ok'}
for i = 2, #KEYS do
  bad = foreign(KEYS[i], 'hash')
  if bad then return bad end
  local seen = redis.call('HMGET', KEYS[i], 'incarnation', 'next')
  answer[i] = seen[1] == ARGV[1] and seen[2] or '0'
end
return answer
`);
