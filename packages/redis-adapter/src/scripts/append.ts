/**
 * Appends a producer's records to one partition, those that the log has not seen.
 *
 * KEYS  1 log, 2 meta, 3 producer
 * ARGV  1 incarnation, 2 sequence of the first record, 3 ms after which a silent producer is forgotten (0: never),
 *       then for each record: m, v, h (empty: no headers)
 * Returns {ok, number appended}; {topic-lost, key}; {wrong-type, key, expected, actual}; {sealed};
 *   {sequence-gap, sequence expected}
 * Invariant: sequence n of a producer is in the log exactly once, and behind n - 1. A repeat of what is there already
 *   succeeds and writes nothing, sealed or not. What is remembered of another incarnation does not count.
 */
import { KEY_TYPES } from "./guards.ts";
import { script } from "./script.ts";

export const APPEND = script(`#!lua
${KEY_TYPES}
local log, meta, producer = KEYS[1], KEYS[2], KEYS[3]
local first, forgetAfterMs = tonumber(ARGV[2]), tonumber(ARGV[3])
local count = (#ARGV - 3) / 3

local bad = mismatch(meta, 'hash') or mismatch(log, 'stream') or foreign(producer, 'hash')
if bad then return bad end
local partition = redis.call('HMGET', meta, 'incarnation', 'sealed')
if partition[1] ~= ARGV[1] then return {'topic-lost', meta} end -- guard: incarnation

local seen = redis.call('HMGET', producer, 'incarnation', 'next')
local next = seen[1] == ARGV[1] and tonumber(seen[2]) or 0
if first > next then return {'sequence-gap', string.format('%.0f', next)} end -- guard: sequence gap
local skipped = 0
skipped = math.min(next - first, count) -- guard: already appended

if skipped < count then
  if partition[2] then return {'sealed'} end -- guard: sealed
  for i = 4 + 3 * skipped, #ARGV, 3 do
    if ARGV[i + 2] == '' then
      redis.call('XADD', log, 'NOMKSTREAM', '*', 'm', ARGV[i], 'v', ARGV[i + 1])
    else
      redis.call('XADD', log, 'NOMKSTREAM', '*', 'm', ARGV[i], 'v', ARGV[i + 1], 'h', ARGV[i + 2])
    end
  end
  redis.call('HSET', producer, 'incarnation', ARGV[1], 'next', string.format('%.0f', first + count))
end
if forgetAfterMs > 0 then
  redis.call('PEXPIRE', producer, forgetAfterMs)
else
  redis.call('PERSIST', producer)
end
return {'ok', count - skipped}
`);
