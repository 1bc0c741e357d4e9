/**
 * Makes the caller the owner of a task.
 *
 * KEYS  1 log, 2 meta, 3 task
 * ARGV  1 incarnation, 2 generation, 3 new nonce, 4 group
 * Returns {ok, sequence, offset, processed, ms since processed changed, time or nil}; {fenced, stored generation}; {topic-lost, key};
 *   {wrong-type, key, expected, actual}; {log-behind, last id}: the log ends before the committed offset
 * Invariant: the generation of a task never falls, and from here on no commit with an earlier nonce is accepted. A
 *   hand-over adds a bounded amount, so it runs without room, too. A task that never committed counts what was trimmed
 *   before its first read as processed, and processed nothing since it was first acquired. Times are the server's; a clock that was put back makes no time negative.
 */
import { ID_ORDER, KEY_TYPES, NATIVE_GROUP, SERVER_TIME, STREAM_INFO } from "./guards.ts";
import { script } from "./script.ts";

export const ACQUIRE = script(`#!lua flags=allow-oom
${KEY_TYPES}${STREAM_INFO}${ID_ORDER}${NATIVE_GROUP}${SERVER_TIME}
local log, meta, task = KEYS[1], KEYS[2], KEYS[3]
local generation = tonumber(ARGV[2])
local bad = mismatch(meta, 'hash') or mismatch(log, 'stream') or foreign(task, 'hash')
if bad then return bad end
if redis.call('HGET', meta, 'incarnation') ~= ARGV[1] then return {'topic-lost', meta} end -- guard: incarnation

local stored = redis.call('HMGET', task, 'generation', 'incarnation', 'sequence', 'offset', 'processed', 'movedAt', 'time')
if stored[2] and stored[2] ~= ARGV[1] then return {'topic-lost', task} end -- guard: task incarnation
if stored[1] and tonumber(stored[1]) > generation then return {'fenced', stored[1]} end -- guard: generation

local info = streamInfo(log)
local sequence, offset = stored[3] or '0', stored[4] or '0-0/0'
local processed = stored[5] or string.format('%.0f', info['entries-added'] - info['length'])
local lastId = info['last-generated-id']
if idBelow(lastId, offset) then return {'log-behind', lastId} end -- guard: log behind offset
local now = nowMs()
local movedAt = stored[6] or string.format('%.0f', now)
local quietMs = math.max(0, now - movedAt)

redis.call('HSET', task, 'generation', ARGV[2], 'nonce', ARGV[3], 'incarnation', ARGV[1],
  'sequence', sequence, 'offset', offset, 'processed', processed, 'movedAt', movedAt)
mirror(log, ARGV[4], string.match(offset, '^[^/]+'), processed)
return {'ok', sequence, offset, processed, string.format('%.0f', quietMs), stored[7]}
`);
