/**
 * The writers' table of a topic and the ends of partitions.
 *
 * KEYS  1 topic, 2 writers, then for each partition that is asked for: log, meta
 * ARGV  1 incarnation
 * Returns {ok, {writer, watermark (empty: taken out), …}, {last entry's id or empty, entries ever added, sealed 0|1}, …},
 *   one list for each partition; {topic-lost, key}; {wrong-type, key, expected, actual}
 * Invariant: reads only. Everything that a watermark speaks of lies at or before the end returned with it. The end is
 *   the last entry that exists, not the last id given out: a reader must be able to reach it.
 */
import { KEY_TYPES, STREAM_INFO } from "./guards.ts";
import { script } from "./script.ts";

export const TIMES = script(`#!lua flags=no-writes
${KEY_TYPES}${STREAM_INFO}
local bad = mismatch(KEYS[1], 'hash') or foreign(KEYS[2], 'hash')
if bad then return bad end
if redis.call('HGET', KEYS[1], 'incarnation') ~= ARGV[1] then return {'topic-lost', KEYS[1]} end -- guard: incarnation

local answer = {'ok', redis.call('HGETALL', KEYS[2])}
for i = 3, #KEYS, 2 do
  bad = mismatch(KEYS[i], 'stream') or mismatch(KEYS[i + 1], 'hash')
  if bad then return bad end
  local meta = redis.call('HMGET', KEYS[i + 1], 'incarnation', 'sealed')
  if meta[1] ~= ARGV[1] then return {'topic-lost', KEYS[i + 1]} end -- guard: incarnation
  local info = streamInfo(KEYS[i])
  local last = info['last-entry']
  answer[#answer + 1] = {last and last[1] or '', info['entries-added'], meta[2] and 1 or 0}
end
return answer
`);
