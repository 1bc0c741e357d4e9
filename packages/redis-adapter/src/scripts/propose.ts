/**
 * Stores a target.
 *
 * KEYS, ARGV 1 to 8  see group-lua.ts
 * ARGV  9 epoch of the members that it is for, 10 generation that it follows, then for each member: its name, its tasks
 *       as a JSON list
 * Returns {stored}; {outdated}; {wrong-type, key, expected, actual}
 * Invariant: compare-and-set on epoch and generation. Generations rise, and past those that were lost with the keys, since
 *   each is at least the time. Whoever gets a task that it holds is not asked for it any more: the next wish asks anew.
 */

import { CALLER, GROUP_KEYS } from "./group-lua.ts";
import { CHUNKS } from "./guards.ts";
import { script } from "./script.ts";

export const PROPOSE = script(`#!lua flags=allow-oom
${GROUP_KEYS}${CALLER}${CHUNKS}
local found = redis.call('HMGET', group, 'epoch', 'generation')
local epoch, generation = found[1] or '0', found[2] or '0'
if epoch ~= ARGV[9] or generation ~= ARGV[10] then return {'outdated'} end -- guard: compare and set

redis.call('DEL', target)
inChunks('HSET', target, ARGV, 11, #ARGV)
redis.call('HSET', group, 'generation', digits(math.max(generation + 1, now)), 'targetEpoch', epoch)
redis.call('HDEL', group, 'dueAt', 'firstChange', 'urgent', 'proposer', 'proposerUntil')
for _, task in ipairs(redis.call('HKEYS', asked)) do
  local holder = string.match(redis.call('HGET', owners, task) or '', '^[^;]*')
  local tasks = redis.call('HGET', target, holder) or ''
  if string.find(tasks, '"' .. task .. '"', 1, true) then redis.call('HDEL', asked, task) end
end
tell('changed')
return {'stored'}
`);
