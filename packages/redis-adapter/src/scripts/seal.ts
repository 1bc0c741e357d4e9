/**
 * Seals every partition of a topic.
 *
 * KEYS  for each partition: log, meta
 * ARGV  1 incarnation
 * Returns {ok}; {topic-lost, key}; {wrong-type, key, expected, actual}
 * Invariant: all partitions are sealed in one step, and a seal is never taken back. It adds one field for each
 *   partition and lets readers finish, so it runs without room, too.
 */
import { KEY_TYPES } from "./guards.ts";
import { script } from "./script.ts";

export const SEAL = script(`#!lua flags=allow-oom
${KEY_TYPES}
for i = 1, #KEYS, 2 do
  local bad = mismatch(KEYS[i], 'stream') or mismatch(KEYS[i + 1], 'hash')
  if bad then return bad end
  if redis.call('HGET', KEYS[i + 1], 'incarnation') ~= ARGV[1] then return {'topic-lost', KEYS[i + 1]} end -- guard: incarnation
end

for i = 1, #KEYS, 2 do
  redis.call('HSET', KEYS[i + 1], 'sealed', '1')
end
return {'ok'}
`);
