/**
 * Takes tasks that the target gives to the caller, those that are free.
 *
 * KEYS, ARGV 1 to 8  see group-lua.ts
 * ARGV  9 generation of the target, then the tasks
 * Returns {ok, {task, ms for which it was paused or -1, …} for each one granted, {task, holder, ms until it is free at the
 *   latest, …} for each one held}; {outdated}; {not-member}; {fenced-member, member}; {wrong-type, key, expected, actual}
 * Invariant: a task is granted where nobody holds it, or its holder is no member any more, an earlier stay of the caller,
 *   or was asked for it longer ago than its revocationMs. The first wish is what asks. A task that is taken is not complete
 *   any more; where the caller has it from this very generation, a call that comes late or twice changes nothing. It adds a bounded amount and is how work goes on, so it runs without room, too.
 */

import { CALLER, GROUP_KEYS, MEMBERS, MEMBERSHIP } from "./group-lua.ts";
import { CHUNKS } from "./guards.ts";
import { script } from "./script.ts";

export const TAKE = script(`#!lua flags=allow-oom
${GROUP_KEYS}${CALLER}${MEMBERS}${MEMBERSHIP}${CHUNKS}
local rejection = enter()
if rejection then return rejection end
local generation = redis.call('HGET', group, 'generation') or '0'
if generation ~= ARGV[9] then return {'outdated'} end -- guard: generation

local stays = {}
local function holderNamed(name)
  if not stays[name] then
    local stay, _, revocationMs = stayOf(name)
    stays[name] = {instance = stay, revocationMs = revocationMs, untilMs = redis.call('ZSCORE', sessions, name)}
  end
  return stays[name]
end
local function isHeld(name, stay)
  return name and name ~= member and stay == holderNamed(name).instance
end

local granted, held = {}, {}
local grants, tasks, memories, wishes = {}, {}, {}, {}
local function grant(task, name, stoppedAt)
  granted[#granted + 1] = task
  granted[#granted + 1] = tonumber(stoppedAt) and now - stoppedAt or -1
  tasks[#tasks + 1] = task
  grants[#grants + 1] = task
  grants[#grants + 1] = member .. ';' .. instance .. ';' .. generation .. ';'
  if name and name ~= member then
    memories[#memories + 1] = task
    memories[#memories + 1] = name .. ';' .. digits(now + memoryMs)
  end
end
local function refuse(task, name, freeAt)
  local holder = holderNamed(name)
  if not freeAt then
    freeAt = now + holder.revocationMs
    wishes[#wishes + 1] = task
    wishes[#wishes + 1] = digits(freeAt)
  end
  held[#held + 1] = task
  held[#held + 1] = name
  held[#held + 1] = math.min(freeAt, holder.untilMs or now) - now
end

for from = 10, #ARGV, CHUNK do
  local to = math.min(from + CHUNK - 1, #ARGV)
  local entries = redis.call('HMGET', owners, unpack(ARGV, from, to))
  local limits = redis.call('HMGET', asked, unpack(ARGV, from, to))
  for i, entry in ipairs(entries) do
    local task, freeAt = ARGV[from + i - 1], tonumber(limits[i])
    local name, stay, since, stoppedAt = string.match(entry or '', '^([^;]*);([^;]*);([^;]*);([^;]*)$')
    if isHeld(name, stay) and not (freeAt and freeAt <= now) then
      refuse(task, name, freeAt)
    elseif name == member and stay == instance and since == generation then
      granted[#granted + 1] = task
      granted[#granted + 1] = -1
    else
      grant(task, name, stoppedAt)
    end
  end
end
inChunks('HSET', owners, grants, 1, #grants)
inChunks('HSET', past, memories, 1, #memories)
inChunks('HSET', asked, wishes, 1, #wishes)
inChunks('HDEL', asked, tasks, 1, #tasks)
inChunks('SREM', completed, tasks, 1, #tasks)
return {'ok', granted, held}
`);
