import {
  type Full,
  GROUP_TIMES,
  type Group,
  type JoinRequest,
  type MemberRef,
  type Refused,
  type Unavailable,
  type WrongType,
} from "@millrace/core";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import { callScript, needsNoRoom, type ScriptCall } from "./call-script.ts";
import type { Connection } from "./connection.ts";
import type { Rejection } from "./errors.ts";
import {
  encodeInstance,
  encodeMember,
  encodePlanEntry,
  snapshotIn,
  takeAnswerIn,
  topologyAnswerIn,
  topologyIn,
  viewIn,
} from "./group-codec.ts";
import { CHANGED, hintIn } from "./hints.ts";
import type { Keys } from "./keys.ts";
import { integerOf } from "./reply.ts";
import { GIVE } from "./scripts/give.ts";
import { HEARTBEAT } from "./scripts/heartbeat.ts";
import { JOIN } from "./scripts/join.ts";
import { LEAVE } from "./scripts/leave.ts";
import { PROPOSE } from "./scripts/propose.ts";
import { SNAPSHOT } from "./scripts/snapshot.ts";
import { STORE_TOPOLOGY } from "./scripts/store-topology.ts";
import { TAKE } from "./scripts/take.ts";
import { TOPOLOGY } from "./scripts/topology.ts";
import type { Subscriber } from "./subscriber.ts";

const { quietMs, longestQuietMs, quietAfterLossMs, claimMs, memoryMs } = GROUP_TIMES;
const TIMES = [quietMs, longestQuietMs, quietAfterLossMs, claimMs, memoryMs].map(String);

/** What groups work with. */
interface GroupWiring {
  /** For groups alone: a heartbeat must not wait behind a commit. */
  readonly connection: Connection;
  readonly subscriber: Subscriber;
  readonly keys: Keys;
}

/** A call by a member. `args` follow those that `scripts/group-lua.ts` names for all. */
type MemberCall<Tag extends Rejection["_tag"], A> = Omit<ScriptCall<Tag, A>, "keys">;
type Call<Tag, A> = TaskEither<
  Exclude<Extract<Rejection, { readonly _tag: Tag }> | WrongType | Full | Unavailable | Refused, Full> | Unavailable,
  A
>;

/** Consumer groups as a handful of small keys each, and hints through one channel each. */
export function redisGroup({ connection, subscriber, keys }: GroupWiring): Group {
  const keysOfGroup = (name: string): string[] => {
    const { group, members, sessions, leaving, target, owners, asked, past, completed } = keys.group(name);
    return [group, members, sessions, leaving, target, owners, asked, past, completed];
  };

  const call = <Tag extends Rejection["_tag"], A>(
    { group, member, instance }: MemberRef,
    { script, args, what, rejections, read }: MemberCall<Tag, A>,
  ): Call<Tag, A> =>
    needsNoRoom(
      callScript(connection, () => ({
        script,
        keys: keysOfGroup(group),
        args: [member, encodeInstance(instance), keys.hints(group), ...TIMES, ...args],
        what: `${what} group ${group} as member ${member}`,
        rejections,
        read,
      })),
    );

  return {
    join: (request) =>
      call(request, {
        script: JOIN,
        args: argsOfJoin(request),
        what: "joining",
        rejections: ["WrongType", "Fenced", "GroupMismatch"],
        read: viewIn,
      }),

    heartbeat: (ref, { generation, isLeaving }) =>
      call(ref, {
        script: HEARTBEAT,
        args: [String(generation), flag(isLeaving)],
        what: "renewing the session in",
        rejections: ["WrongType", "Fenced", "NotMember"],
        read: viewIn,
      }),

    snapshot: (group) =>
      needsNoRoom(
        callScript(connection, () => ({
          script: SNAPSHOT,
          keys: keysOfGroup(group),
          args: [],
          what: `reading group ${group}`,
          rejections: ["WrongType"],
          read: snapshotIn,
        })),
      ),

    propose: (proposal) =>
      call(proposal, {
        script: PROPOSE,
        args: [
          String(proposal.epoch),
          String(proposal.generation),
          ...Object.entries(proposal.target).flatMap(([member, tasks]) => [member, JSON.stringify(tasks)]),
        ],
        what: "storing a target of",
        rejections: ["WrongType"],
        read: ([code]) => (code === "stored" ? "stored" : "outdated"),
      }),

    take: (ref, generation, tasks) =>
      call(ref, {
        script: TAKE,
        args: [String(generation), ...tasks],
        what: "taking tasks of",
        rejections: ["WrongType", "Fenced", "NotMember"],
        read: takeAnswerIn,
      }),

    give: (ref, { released, completed }) =>
      call(ref, {
        script: GIVE,
        args: [
          String(released.length),
          ...released.flatMap(({ task, pausedMs }) => [task, String(pausedMs)]),
          ...completed,
        ],
        what: "giving tasks back to",
        rejections: ["WrongType"],
        read: ([, complete]) => integerOf(complete),
      }),

    leave: (ref) =>
      call(ref, {
        script: LEAVE,
        args: [],
        what: "leaving",
        rejections: ["WrongType"],
        read: () => undefined,
      }),

    topology: (group) =>
      needsNoRoom(
        callScript(connection, () => ({
          script: TOPOLOGY,
          keys: keysOfGroup(group),
          args: [],
          what: `reading the topology of group ${group}`,
          rejections: ["WrongType"],
          read: topologyIn,
        })),
      ),

    storeTopology: (ref, { expected, topology, onlyAlone }) =>
      call(ref, {
        script: STORE_TOPOLOGY,
        args: [expected === null ? "" : String(expected), topology, flag(onlyAlone)],
        what: "storing the topology of",
        rejections: ["WrongType", "Fenced", "NotMember"],
        read: topologyAnswerIn,
      }),

    watch: (group, onHint) =>
      subscriber.listen(keys.hints(group), (message) => {
        const hint = message === null ? CHANGED : hintIn(message);
        if (hint !== null) {
          onHint(hint);
        }
      }),
  };
}

function argsOfJoin(request: JoinRequest): string[] {
  const previous = request.previous === null ? "" : encodeInstance(request.previous);
  const plan = Object.entries(request.plan).flatMap(([topic, entry]) => [topic, encodePlanEntry(entry)]);
  return [previous, String(request.sessionMs), encodeMember(request), ...plan];
}

function flag(value: boolean): string {
  return value ? "1" : "0";
}
