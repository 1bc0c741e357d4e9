/**
 * Lua shared by the scripts of consumer groups.
 *
 * All of them take the same keys: 1 group, 2 members, 3 sessions, 4 leaving, 5 target, 6 owners, 7 asked, 8 past,
 * 9 completed. `keys.ts` says what each holds. All but the snapshot take the same first arguments: 1 member, 2 instance,
 * 3 channel for hints, 4 quietMs, 5 longestQuietMs, 6 quietAfterLossMs, 7 claimMs, 8 memoryMs. Every time is the server's,
 * in ms; so members agree on it whatever their own clocks say.
 *
 * Who holds a task is not touched when a member goes: an entry of `owners` whose instance is not that of a member is free,
 * and says who had the task before.
 */
import { KEY_TYPES } from "./guards.ts";

/** Names the keys, looks at their types, and takes the time as `now`. `digits(number)` is a number as text, whole. */
export const GROUP_KEYS = `
${KEY_TYPES}
local group, members, sessions, leaving, target, owners, asked, past, completed = unpack(KEYS)
local types = {'hash', 'hash', 'zset', 'set', 'hash', 'hash', 'hash', 'hash', 'set'}
for i, key in ipairs(KEYS) do
  local bad = foreign(key, types[i])
  if bad then return bad end
end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local function digits(number)
  return string.format('%.0f', number)
end
`;

/** Names the first arguments. `tell(hint)` sends a hint, which is optional: a user may lack the permission. */
export const CALLER = `
local member, instance, hints = ARGV[1], ARGV[2], ARGV[3]
local quietMs, longestQuietMs, quietAfterLossMs = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local claimMs, memoryMs = tonumber(ARGV[7]), tonumber(ARGV[8])
local function tell(hint)
  redis.pcall('PUBLISH', hints, hint)
end
`;

/**
 * The members, and how they change.
 *
 * `stayOf(name)` is a member's instance, sessionMs and revocationMs, or nothing. `isOver(name)`: whether its session is.
 * `change(kind)` is the next epoch, and a target to be proposed after a quiet time; after a `loss` soon, and no `join`
 * puts that off. `sweep(unnoticed)` removes the others whose sessions are over; where the caller's own was, and nobody
 * has noticed, the store could not be reached, and all are renewed instead.
 */
export const MEMBERS = `
local function stayOf(name)
  local entry = redis.call('HGET', members, name) or ''
  local stay, sessionMs, revocationMs = string.match(entry, '^([^;]*);([^;]*);([^;]*);')
  return stay, tonumber(sessionMs), tonumber(revocationMs)
end
local function isOver(name)
  local untilMs = redis.call('ZSCORE', sessions, name)
  return not untilMs or tonumber(untilMs) <= now
end
local function renew(name, sessionMs)
  redis.call('ZADD', sessions, digits(now + sessionMs), name)
end
local function change(kind)
  redis.call('HINCRBY', group, 'epoch', 1)
  redis.call('HSETNX', group, 'firstChange', digits(now))
  local found = redis.call('HMGET', group, 'dueAt', 'firstChange', 'urgent')
  if kind == 'loss' then
    local due = math.min(tonumber(found[1]) or math.huge, now + quietAfterLossMs)
    redis.call('HSET', group, 'dueAt', digits(due), 'urgent', '1')
  elseif not found[3] then
    local due = math.min(now + quietMs, found[2] + longestQuietMs)
    redis.call('HSET', group, 'dueAt', digits(due))
  end
end
local function remove(name)
  redis.call('HDEL', members, name)
  redis.call('ZREM', sessions, name)
  redis.call('SREM', leaving, name)
  change('loss')
end
local function overdue()
  local found = {}
  for _, name in ipairs(redis.call('ZRANGE', sessions, '-inf', digits(now), 'BYSCORE')) do
    if name ~= member then found[#found + 1] = name end
  end
  return found
end
local function sweep(unnoticed)
  for _, name in ipairs(overdue()) do
    local _, sessionMs = stayOf(name)
    if unnoticed and sessionMs then
      renew(name, sessionMs)
    else
      remove(name)
    end
  end
end
`;

/**
 * Looks whether the caller is a member, and renews nothing but what nobody noticed: returns the rejection, or nil and the
 * caller's sessionMs.
 */
export const MEMBERSHIP = `
local function enter()
  local listed, sessionMs = stayOf(member)
  if not listed then return {'not-member'} end -- guard: membership
  if listed ~= instance then return {'fenced-member', member} end -- guard: instance
  local unnoticed = isOver(member)
  sweep(unnoticed)
  if unnoticed then renew(member, sessionMs) end
  return nil, sessionMs
end
`;

/**
 * `view(knows)` is the answer to a member that knows the target of generation `knows`: {ok, epoch, generation, target as
 * JSON or nil, members, staying, ms to the next end of a session, proposal (-1: none is needed; 0: the caller has the
 * claim to propose; else ms to wait), completed}.
 */
export const VIEW = `
local function proposal(due, proposer, untilMs)
  if now < due then return due - now end
  if proposer ~= instance and untilMs > now then return untilMs - now end -- guard: claim
  redis.call('HSET', group, 'proposer', instance, 'proposerUntil', digits(now + claimMs))
  return 0
end
local function view(knows)
  local found = redis.call('HMGET', group, 'epoch', 'generation', 'targetEpoch',
    'dueAt', 'proposer', 'proposerUntil')
  local epoch, generation = found[1] or '0', found[2] or '0'
  local tasks, wait = false, -1
  if generation ~= knows then tasks = redis.call('HGET', target, member) or '[]' end
  if found[3] ~= epoch then wait = proposal(tonumber(found[4]) or now, found[5], tonumber(found[6]) or 0) end
  local count = redis.call('HLEN', members)
  local first = redis.call('ZRANGE', sessions, 0, 0, 'WITHSCORES')
  return {'ok', epoch, generation, tasks, count, count - redis.call('SCARD', leaving), first[2] - now, wait,
    redis.call('SCARD', completed)}
end
`;
