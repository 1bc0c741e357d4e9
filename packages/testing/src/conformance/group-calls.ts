import type { MemberRef, PortError, Ports } from "@millrace/core";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import { joinOf } from "./group-scene.ts";

/** One call of every method of `Group` that asks the store. */
export const GROUP_CALLS: readonly (readonly [
  string,
  (ports: Ports, ref: MemberRef) => TaskEither<PortError, unknown>,
])[] = [
  ["join", ({ group }, ref) => group.join(joinOf(ref.group, ref.member))],
  ["heartbeat", ({ group }, ref) => group.heartbeat(ref, { generation: 0, isLeaving: false })],
  ["snapshot", ({ group }, ref) => group.snapshot(ref.group)],
  ["propose", ({ group }, ref) => group.propose({ ...ref, epoch: 0, generation: 0, target: {} })],
  ["take", ({ group }, ref) => group.take(ref, 0, ["t/0"])],
  ["give", ({ group }, ref) => group.give(ref, { released: [], completed: ["t/0"] })],
  ["topology", ({ group }, ref) => group.topology(ref.group)],
  ["storeTopology", ({ group }, ref) => group.storeTopology(ref, { expected: null, topology: "t", onlyAlone: false })],
  ["leave", ({ group }, ref) => group.leave(ref)],
];
