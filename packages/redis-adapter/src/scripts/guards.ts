/**
 * Lua shared by the scripts. A script does not roll back, so every script looks at every key before its first write;
 * these are the ways to look.
 *
 * A script answers with a list that begins with a code: `ok`, or the reason for which nothing was written.
 */

/**
 * `mismatch(key, expected)` is nil when the key holds `expected`, else the answer to return: `topic-lost` for a key
 * that does not exist, `wrong-type` for another type. `foreign(key, expected)` also lets a missing key pass.
 */
export const KEY_TYPES = `
local function foreign(key, expected)
  local actual = redis.call('TYPE', key).ok
  if actual ~= expected and actual ~= 'none' then
    return {'wrong-type', key, expected, actual}
  end
end
local function mismatch(key, expected)
  local actual = redis.call('TYPE', key).ok
  if actual == 'none' then
    return {'topic-lost', key}
  end
  if actual ~= expected then
    return {'wrong-type', key, expected, actual}
  end
end
`;

/** `streamInfo(log)` is XINFO STREAM as a table. */
export const STREAM_INFO = `
local function streamInfo(log)
  local flat = redis.call('XINFO', 'STREAM', log)
  local info = {}
  for i = 1, #flat, 2 do
    info[flat[i]] = flat[i + 1]
  end
  return info
end
`;

/** `idBelow(a, b)`: whether one entry id, or offset, comes before another. */
export const ID_ORDER = `
-- Ids have 64-bit parts, which Lua's numbers cannot hold: as digits they compare by length, then by text.
local function digitsBelow(a, b)
  if #a ~= #b then return #a < #b end
  return a < b
end
local function idBelow(a, b)
  local aMs, aSeq = string.match(a, '^(%d+)-(%d+)')
  local bMs, bSeq = string.match(b, '^(%d+)-(%d+)')
  if aMs ~= bMs then return digitsBelow(aMs, bMs) end
  return digitsBelow(aSeq, bSeq)
end
`;

/**
 * `mirror(log, group, id, processed)` moves the group's native consumer group to where the task is, so that
 * XINFO GROUPS and every tool that reads it show the true position and lag. Advisory: it comes last and cannot fail
 * its script (https://redis.io/docs/latest/commands/xgroup-setid/).
 */
export const NATIVE_GROUP = `
local function mirror(log, group, id, processed)
  local moved = redis.pcall('XGROUP', 'SETID', log, group, id, 'ENTRIESREAD', processed)
  if type(moved) == 'table' and moved.err then
    redis.pcall('XGROUP', 'CREATE', log, group, id, 'ENTRIESREAD', processed)
  end
end
`;

/** `nowMs()` is the server's time. */
export const SERVER_TIME = `
local function nowMs()
  local clock = redis.call('TIME')
  return clock[1] * 1000 + math.floor(clock[2] / 1000)
end
`;

/**
 * `inChunks(command, key, values, from, to)` runs `command` on `key` with `values[from]` to `values[to]`, as often as it
 * takes. `CHUNK` is how many values one call takes: Lua's stack holds some 8,000, and an even number keeps names and
 * values together.
 */
export const CHUNKS = `
local CHUNK = 4000
local function inChunks(command, key, values, from, to)
  for i = from, to, CHUNK do
    redis.call(command, key, unpack(values, i, math.min(i + CHUNK - 1, to)))
  end
end
`;
