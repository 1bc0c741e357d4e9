/**
 * Renews a member's session.
 *
 * KEYS, ARGV 1 to 8  see group-lua.ts
 * ARGV  9 generation that the caller knows, 10 whether it is about to leave (1|0)
 * Returns the view, as group-lua.ts has it; {not-member}; {fenced-member, member}; {wrong-type, key, expected, actual}
 * Invariant: only a member's stay of today is renewed. That it is about to leave is not taken back, so that a call that
 *   arrives late does not do so. It adds a bounded amount and is how work goes on, so it runs without room, too.
 */
import { CALLER, GROUP_KEYS, MEMBERS, MEMBERSHIP, VIEW } from "./group-lua.ts";
import { script } from "./script.ts";

export const HEARTBEAT = script(`#!lua flags=allow-oom
${GROUP_KEYS}${CALLER}${MEMBERS}${MEMBERSHIP}${VIEW}
local rejection, sessionMs = enter()
if rejection then return rejection end
renew(member, sessionMs)
if ARGV[10] == '1' and redis.call('SADD', leaving, member) == 1 then change('loss') end
return view(ARGV[9])
`);
