/**
 * Enters a consumer group, in the place of a member of the same name.
 *
 * KEYS, ARGV 1 to 8  see group-lua.ts
 * ARGV  9 instance of the stay before (empty: none), 10 sessionMs, 11 entry in `members`,
 *       then for each sub-topology: its topic, its entry in the plan
 * Returns the view, as group-lua.ts has it; {fenced-member, member}; {group-mismatch, topic, entry of the members, of the
 *   caller}; {wrong-type, key, expected, actual}
 * Invariant: what is refused changes nothing. Members that are there at the same time share one plan: it begins anew, and
 *   nothing is complete, when nobody else is a member. A repeated join is none: it only renews. A member is a bounded
 *   amount and how work goes on, so it runs without room, too.
 */
import { CALLER, GROUP_KEYS, MEMBERS, VIEW } from "./group-lua.ts";
import { script } from "./script.ts";

export const JOIN = script(`#!lua flags=allow-oom
${GROUP_KEYS}${CALLER}${MEMBERS}${VIEW}
local previous, sessionMs, entry = ARGV[9], tonumber(ARGV[10]), ARGV[11]
local listed = stayOf(member)
-- Only the worker itself can say that it was the store that was away: a new one of its name was away itself.
local unnoticed = (listed == instance or listed == previous) and isOver(member)

if listed == instance then
  sweep(unnoticed)
  renew(member, sessionMs)
  return view('0')
end
if listed and previous ~= '' and listed ~= previous then return {'fenced-member', member} end -- guard: earlier worker

-- Whether a member that stays listed can run the sub-topology: what nobody has any more binds nobody.
local function isRun(topic)
  for _, name in ipairs(redis.call('HKEYS', members)) do
    if name ~= member and (unnoticed or not isOver(name)) then
      local json = string.match(redis.call('HGET', members, name), '^[^;]*;[^;]*;[^;]*;(.*)$')
      for _, each in ipairs(cjson.decode(json).runs) do
        if each == topic then return true end
      end
    end
  end
  return false
end
local others = redis.call('HLEN', members) - (listed and 1 or 0)
if not unnoticed then others = others - #overdue() end
if others > 0 then
  for i = 12, #ARGV, 2 do
    local stored = redis.call('HGET', group, 'plan:' .. ARGV[i])
    if stored and stored ~= ARGV[i + 1] and isRun(ARGV[i]) then return {'group-mismatch', ARGV[i], stored, ARGV[i + 1]} end -- guard: plan
  end
end

sweep(unnoticed)
if others <= 0 then
  for _, field in ipairs(redis.call('HKEYS', group)) do
    if string.sub(field, 1, 5) == 'plan:' then redis.call('HDEL', group, field) end
  end
  redis.call('DEL', completed)
end
for i = 12, #ARGV, 2 do
  redis.call('HSET', group, 'plan:' .. ARGV[i], ARGV[i + 1])
end
redis.call('HSET', members, member, entry)
redis.call('SREM', leaving, member)
renew(member, sessionMs)
change('join')
return view('0')
`);
