/**
 * Applies a commit of a task as a whole or not at all.
 *
 * KEYS  1 log, 2 meta, 3 task; for each output: log, meta; for each store: values, and dues where the commit changes due
 *       times or deletes; for each watermark: topic, writers
 * ARGV  1 nonce, 2 sequence, 3 incarnation, 4 offset, 5 processed, 6 time, 7 group, 8 entry id of the offset,
 *       9 number of outputs, 10 of stores, 11 of watermarks;
 *       for each output: incarnation, number of records; for each store: number of puts, of due times, of entries that lose
 *       theirs, of deletes;
 *       for each watermark: incarnation, writer, watermark (empty: takes the writer out, and marks it as one that was there);
 *       then the content: for each output its records (m, v, h each; h empty: no headers), for each store its puts
 *       (key, value each), due times (score, key each), keys that lose theirs, and deletes
 * Returns {applied}; {already-applied}; {fenced}; {regressed, stored sequence}; {records-lost, offset}; {topic-lost, key};
 *   {wrong-type, key, expected, actual}
 * Invariant: accepted only with the nonce of the last acquisition and exactly once for each sequence, and up to a
 *   record that the log still has or has trimmed: what a store has lost did not happen. Scripts do not
 *   roll back, so every check comes before the first write, and what cannot be checked (the native group) comes last
 *   and cannot fail.
 *
 * The number of commands grows with that of stores, not with that of entries: values go in chunks.
 *
 * There are two variants of the one source: what only moves a task on (no outputs, no puts) carries `allow-oom`, so
 * that a full server does not keep its readers from making room.
 */
import { CHUNKS, ID_ORDER, KEY_TYPES, NATIVE_GROUP, SERVER_TIME, STREAM_INFO } from "./guards.ts";
import { script } from "./script.ts";

const BODY = `
${KEY_TYPES}${STREAM_INFO}${ID_ORDER}${NATIVE_GROUP}${CHUNKS}${SERVER_TIME}
-- Whether the log had the entry, and lost it: what is missing and was not trimmed.
local function lost(log, id)
  if #redis.call('XRANGE', log, id, id) > 0 then return false end
  local info = streamInfo(log)
  local first = info['first-entry']
  if idBelow(info['last-generated-id'], id) or info['entries-added'] == info['length'] then return true end
  return first and idBelow(first[1], id)
end
local log, meta, task = KEYS[1], KEYS[2], KEYS[3]
local sequence = tonumber(ARGV[2])
local bad = foreign(task, 'hash')
if bad then return bad end
local stored = redis.call('HMGET', task, 'nonce', 'sequence', 'processed', 'movedAt', 'offset')
local found = tonumber(stored[2] or -1)
if stored[1] ~= ARGV[1] then return {'fenced'} end -- guard: nonce
if found == sequence + 1 then return {'already-applied'} end -- guard: already applied
if found ~= sequence then return {'regressed', stored[2]} end -- guard: sequence

bad = foreign(meta, 'hash') -- guard: source meta type
if bad then return bad end
if redis.call('HGET', meta, 'incarnation') ~= ARGV[3] then return {'topic-lost', meta} end -- guard: source incarnation
bad = mismatch(log, 'stream') -- guard: source log type
if bad then return bad end
if (stored[5] or '0-0/0') ~= ARGV[4] and lost(log, ARGV[8]) then return {'records-lost', ARGV[4]} end -- guard: records lost

-- Whether a commit may change due times of the store whose numbers begin at ARGV[at].
local function changesDues(at)
  return ARGV[at + 1] + ARGV[at + 2] + ARGV[at + 3] > 0
end
local outputs, stores, watermarks = tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11])
local key, arg = 4, 12
for _ = 1, outputs do
  bad = foreign(KEYS[key + 1], 'hash') -- guard: destination meta type
  if bad then return bad end
  if redis.call('HGET', KEYS[key + 1], 'incarnation') ~= ARGV[arg] then return {'topic-lost', KEYS[key + 1]} end -- guard: destination incarnation
  bad = mismatch(KEYS[key], 'stream') -- guard: destination log type
  if bad then return bad end
  key, arg = key + 2, arg + 2
end
for _ = 1, stores do
  bad = foreign(KEYS[key], 'hash') -- guard: state type
  if bad then return bad end
  key = key + 1
  if changesDues(arg) then
    bad = foreign(KEYS[key], 'zset') -- guard: dues type
    if bad then return bad end
    key = key + 1
  end
  arg = arg + 4
end
for _ = 1, watermarks do
  bad = mismatch(KEYS[key], 'hash') or foreign(KEYS[key + 1], 'hash') -- guard: writers type
  if bad then return bad end
  if redis.call('HGET', KEYS[key], 'incarnation') ~= ARGV[arg] then return {'topic-lost', KEYS[key]} end -- guard: writers incarnation
  key, arg = key + 2, arg + 3
end

local movedAt = stored[4]
if not movedAt or stored[3] ~= ARGV[5] then movedAt = string.format('%.0f', nowMs()) end

local content = arg
key, arg = 4, 12
for _ = 1, outputs do
  local destination = KEYS[key]
  for _ = 1, tonumber(ARGV[arg + 1]) do
    if ARGV[content + 2] == '' then
      redis.call('XADD', destination, 'NOMKSTREAM', '*', 'm', ARGV[content], 'v', ARGV[content + 1])
    else
      redis.call('XADD', destination, 'NOMKSTREAM', '*', 'm', ARGV[content], 'v', ARGV[content + 1], 'h', ARGV[content + 2])
    end
    content = content + 3
  end
  key, arg = key + 2, arg + 2
end
for _ = 1, stores do
  local newDues = content + 2 * ARGV[arg]
  local noDues = newDues + 2 * ARGV[arg + 1]
  local gone = noDues + ARGV[arg + 2]
  local behind = gone + ARGV[arg + 3]
  inChunks('HSET', KEYS[key], ARGV, content, newDues - 1)
  inChunks('HDEL', KEYS[key], ARGV, gone, behind - 1)
  key = key + 1
  if changesDues(arg) then
    inChunks('ZADD', KEYS[key], ARGV, newDues, noDues - 1)
    inChunks('ZREM', KEYS[key], ARGV, noDues, behind - 1)
    key = key + 1
  end
  content, arg = behind, arg + 4
end
for _ = 1, watermarks do
  redis.call('HSET', KEYS[key + 1], ARGV[arg + 1], ARGV[arg + 2])
  key, arg = key + 2, arg + 3
end
redis.call('HSET', task, 'sequence', string.format('%.0f', sequence + 1),
  'offset', ARGV[4], 'processed', ARGV[5], 'movedAt', movedAt, 'time', ARGV[6])
mirror(log, ARGV[7], ARGV[8], ARGV[5])
return {'applied'}
`;

/** For a commit that adds something: refused when the server has no room. */
export const COMMIT = script(`#!lua${BODY}`);

/** For a commit without outputs and puts: never refused for lack of room. */
export const COMMIT_WITHOUT_ROOM = script(`#!lua flags=allow-oom${BODY}`);
