/**
 * Seals every partition of a topic.
 *
 * KEYS  for each partition: log, meta, and where sequences are given, producer
 * ARGV  1 incarnation, then nothing, or for each partition: the sequence that its log must expect of the producer, at least
 * Returns {ok}; {topic-lost, key}; {wrong-type, key, expected, actual}; {sequence-gap, sequence expected}
 * Invariant: all partitions are sealed in one step, or none, and a seal is never taken back. It adds one field for each
 *   partition and lets readers finish, so it runs without room, too.
 */
import { KEY_TYPES } from "./guards.ts";
import { script } from "./script.ts";

export const SEAL = script(`#!lua flags=allow-oom
${KEY_TYPES}
local each = #ARGV > 1 and 3 or 2
for i = 1, #KEYS, each do
  local bad = mismatch(KEYS[i], 'stream') or mismatch(KEYS[i + 1], 'hash')
  if bad then return bad end
  if redis.call('HGET', KEYS[i + 1], 'incarnation') ~= ARGV[1] then return {'topic-lost', KEYS[i + 1]} end -- guard: incarnation
end
for i = 3, each == 3 and #KEYS or 0, 3 do
  local bad = foreign(KEYS[i], 'hash')
  if bad then return bad end
  local seen = redis.call('HMGET', KEYS[i], 'incarnation', 'next')
  local next = seen[1] == ARGV[1] and tonumber(seen[2]) or 0
  if next < tonumber(ARGV[i / 3 + 1]) then return {'sequence-gap', string.format('%.0f', next)} end -- guard: complete
end

for i = 1, #KEYS, each do
  redis.call('HSET', KEYS[i + 1], 'sealed', '1')
end
return {'ok'}
`);
