/** What a group remembers of its pipeline. Pure. */
import type { Fenced, MemberRef, NotMember, TopologyAnswer, TopologyChange } from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import { type GroupState, memberOf, type Step, swept } from "./group-state.ts";

/** See `Group.storeTopology`. */
export function storeTopology(
  before: GroupState,
  ref: MemberRef,
  change: TopologyChange,
  nowMs: number,
): E.Either<NotMember | Fenced, Step<TopologyAnswer>> {
  const state = swept(before, ref.member, (listed) => listed === ref.instance, nowMs);
  return E.map((): Step<TopologyAnswer> => {
    const answer = answerTo(state, change);
    const isNew = answer === "stored" && state.topology?.topology !== change.topology;
    const revision = Math.max((state.topology?.revision ?? 0) + 1, Math.floor(nowMs));
    const next = isNew ? { ...state, topology: { revision, topology: change.topology } } : state;
    return { state: next, answer, hint: null };
  })(memberOf(state, ref));
}

function answerTo({ topology, members }: GroupState, change: TopologyChange): TopologyAnswer {
  if (topology?.topology === change.topology) {
    return "stored";
  }
  if ((topology?.revision ?? null) !== change.expected) {
    return "changed";
  }
  return change.onlyAlone && members.size > 1 ? "shared" : "stored";
}
