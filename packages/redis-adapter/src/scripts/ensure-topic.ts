/**
 * Creates a topic, or says what exists.
 *
 * KEYS  1 topic, 2 writers, then for each partition: log, meta
 * ARGV  1 incarnation for a new topic, 2 number of partitions, 3 placement
 * Returns {ok, partitions, incarnation} of what exists now; {wrong-type, key, expected, actual}; {foreign-format, format}
 *   for a topic that another version made; {leftover, key} for a log whose topic is gone
 * Invariant: a topic exists with all its partitions, each an empty stream, or not at all; whoever comes second changes
 *   nothing. Records that somebody appended before the topic existed are kept.
 */
import { KEY_TYPES } from "./guards.ts";
import { script } from "./script.ts";

/** Answers where the topic exists. */
const FIND = `
${KEY_TYPES}
local topic, writers = KEYS[1], KEYS[2]
local bad = foreign(topic, 'hash')
if bad then return bad end

local found = redis.call('HMGET', topic, 'partitions', 'incarnation', 'format')
if redis.call('EXISTS', topic) == 1 then
  if found[3] ~= '1' or not found[1] or not found[2] then
    return {'foreign-format', found[3] or 'none'}
  end
  return {'ok', found[1], found[2]}
end
`;

/** With the same keys: says what exists, or {none}. Reads only, so that it runs without room. */
export const FIND_TOPIC = script(`#!lua flags=no-writes
${FIND}
return {'none'}
`);

export const ENSURE_TOPIC = script(`#!lua
${FIND}
bad = foreign(writers, 'hash')
if bad then return bad end
for i = 3, #KEYS, 2 do
  bad = foreign(KEYS[i], 'stream') or foreign(KEYS[i + 1], 'hash')
  if bad then return bad end
  if redis.call('EXISTS', KEYS[i], KEYS[i + 1]) == 2 then
    return {'leftover', KEYS[i]}
  end
end

redis.call('DEL', writers)
for i = 3, #KEYS, 2 do
  if redis.call('EXISTS', KEYS[i]) == 0 then
    redis.call('XGROUP', 'CREATE', KEYS[i], 'create', '0', 'MKSTREAM')
    redis.call('XGROUP', 'DESTROY', KEYS[i], 'create')
  end
  redis.call('DEL', KEYS[i + 1])
  redis.call('HSET', KEYS[i + 1], 'incarnation', ARGV[1])
end
redis.call('HSET', topic, 'partitions', ARGV[2], 'incarnation', ARGV[1], 'placement', ARGV[3], 'format', '1')
return {'ok', ARGV[2], ARGV[1]}
`);
