/**
 * Whether partitions are still those that readers wait for.
 *
 * KEYS  for each partition: log, meta
 * ARGV  for each partition: incarnation
 * Returns the numbers, from 0, of those that are not
 * Invariant: reads only.
 */
import { script } from "./script.ts";

export const LOOK = script(`#!lua flags=no-writes
local lost = {}
for i = 1, #ARGV do
  local log, meta = KEYS[2 * i - 1], KEYS[2 * i]
  if redis.call('TYPE', log).ok ~= 'stream' or redis.call('HGET', meta, 'incarnation') ~= ARGV[i] then
    lost[#lost + 1] = i - 1
  end
end
return lost
`);
