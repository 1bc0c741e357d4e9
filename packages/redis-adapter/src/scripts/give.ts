/**
 * Gives tasks back, or calls them complete.
 *
 * KEYS, ARGV 1 to 8  see group-lua.ts
 * ARGV  9 number of tasks to give back, then for each of them: task, ms for which it was paused; then the complete ones
 * Returns {ok, number of complete tasks}; {wrong-type, key, expected, actual}
 * Invariant: only what the caller's own stay holds changes. It lets others go on, so it runs without room, too.
 */
import { CALLER, GROUP_KEYS } from "./group-lua.ts";
import { script } from "./script.ts";

export const GIVE = script(`#!lua flags=allow-oom
${GROUP_KEYS}${CALLER}
-- The generation at which the caller took the task, if it holds it.
local function heldSince(task)
  local entry = redis.call('HGET', owners, task) or ''
  local name, stay, generation = string.match(entry, '^([^;]*);([^;]*);([^;]*);')
  return name == member and stay == instance and generation
end

local free, lastReleased = {}, 9 + 2 * ARGV[9]
for i = 10, lastReleased, 2 do
  local task = ARGV[i]
  local generation = heldSince(task)
  if generation then
    redis.call('HSET', owners, task, member .. ';;' .. generation .. ';' .. digits(now - ARGV[i + 1]))
    redis.call('SREM', completed, task)
    free[#free + 1] = task
  end
end
for i = lastReleased + 1, #ARGV do
  if heldSince(ARGV[i]) then redis.call('SADD', completed, ARGV[i]) end
end
if #free > 0 then tell('released ' .. table.concat(free, ' ')) end
return {'ok', redis.call('SCARD', completed)}
`);
