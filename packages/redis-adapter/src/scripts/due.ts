/**
 * The entries of a store whose due times lie in a range, the least first.
 *
 * KEYS  1 values, 2 dues
 * ARGV  1 least score, 2 greatest score, 3 how many entries at most
 * Returns {ok, {key, score, …}, {value, …}, score of the first entry behind these, in the range or beyond, or nil};
 *   {no-value, key}: a key has a due time, and no value; {wrong-type, key, expected, actual}
 * Invariant: reads only. Scores stay texts, as Lua would shorten them. A key without a value is not passed over: commits
 *   change both together, so the value was lost, and what it was for would silently never happen.
 */
import { KEY_TYPES } from "./guards.ts";
import { script } from "./script.ts";

export const DUE = script(`#!lua flags=no-writes
${KEY_TYPES}
local values, dues = KEYS[1], KEYS[2]
local bad = foreign(values, 'hash') or foreign(dues, 'zset')
if bad then return bad end

local page = redis.call('ZRANGE', dues, ARGV[1], ARGV[2], 'BYSCORE', 'LIMIT', 0, ARGV[3], 'WITHSCORES')
local left = redis.call('ZRANGE', dues, ARGV[1], '+inf', 'BYSCORE', 'LIMIT', #page / 2, 1, 'WITHSCORES')

-- Lua's stack holds some 8,000 values.
local CHUNK = 4000
local found = {}
for from = 1, #page, 2 * CHUNK do
  local keys = {}
  for i = from, math.min(from + 2 * CHUNK - 1, #page), 2 do
    keys[#keys + 1] = page[i]
  end
  for i, value in ipairs(redis.call('HMGET', values, unpack(keys))) do
    if not value then return {'no-value', keys[i]} end -- guard: no value
    found[#found + 1] = value
  end
end
return {'ok', page, found, left[2]}
`);
