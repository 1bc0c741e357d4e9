import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import type { Fenced, GroupMismatch, NotMember, Refused, Unavailable, WrongType } from "./port-error.ts";

/**
 * Times that every implementation of {@link Group} keeps to, in ms. See docs/spec/group.md.
 *
 * - `quietMs`: a target is proposed when the members were quiet for so long, but at the latest `longestQuietMs` after the
 *   first change; `quietAfterLossMs` after a member was lost or began to leave, since its tasks wait.
 * - `claimMs`: for so long the claim to propose keeps others from proposing.
 * - `memoryMs`: for so long a past owner of a task is remembered.
 */
export const GROUP_TIMES = {
  quietMs: 100,
  longestQuietMs: 500,
  quietAfterLossMs: 20,
  claimMs: 1_000,
  memoryMs: 300_000,
} as const;

/** One stay of a worker in a group: from a join to the leave, or to the end of the session. */
export interface MemberRef {
  /** The consumer group, `<app>.<pipeline>`. */
  readonly group: string;
  /** The worker's name in the group. It may come back under the same name. */
  readonly member: string;
  /** Random text, chosen by the worker for each stay; a repeated join is recognised by it. */
  readonly instance: string;
}

/** A sub-topology as its members understand it: two that share it must say the same. */
export interface PlanEntry {
  /** Number of partitions of the topic that it reads, hence of its tasks. */
  readonly partitions: number;
  /** What it keeps and where it writes, as text. */
  readonly meaning: string;
}

/** What a worker says of itself when it joins. */
export interface JoinRequest extends MemberRef {
  /** The `instance` of this worker's stay before, which this one replaces; `null` for a worker that has just started. */
  readonly previous: string | null;
  /** Without a heartbeat for so long, the session is over. */
  readonly sessionMs: number;
  /** How long it may take to give up a task that another member is to have. */
  readonly revocationMs: number;
  /** Capacity in proportion to the others', above 0 and at most 1,000. */
  readonly weight: number;
  /** The sub-topologies that it can run, by the name of the topic that they read. */
  readonly plan: Readonly<Record<string, PlanEntry>>;
  /** For humans: where it runs. */
  readonly host: string;
  readonly pid: number;
}

/** What a heartbeat tells a member. */
export interface GroupView {
  /** Rises with every change of the members. */
  readonly epoch: number;
  /** Rises with every target that is stored; 0 before the first one. */
  readonly generation: number;
  /** The tasks that the member is to own, as `<topic>/<partition>`; `null` where the caller knows this generation. */
  readonly target: readonly string[] | null;
  /** All members, the caller and those that are about to leave included. */
  readonly members: number;
  /** Those of them that are not about to leave. */
  readonly staying: number;
  /** In ms: when the first session of all will be over, unless it is renewed. */
  readonly nextExpiryMs: number;
  /**
   * `null`: the target fits the members. 0: the caller has the claim to propose a new one, now. Otherwise the time in ms
   * after which the caller should send a heartbeat again to learn whether it is to propose.
   */
  readonly proposal: number | null;
  /** How many tasks are complete: said by whoever had them last, and not taken since. */
  readonly completed: number;
}

/** A member as {@link GroupSnapshot} shows it. */
export interface MemberInfo {
  readonly member: string;
  readonly weight: number;
  /** The sub-topologies that it can run. */
  readonly runs: readonly string[];
  readonly isLeaving: boolean;
  readonly host: string;
  readonly pid: number;
  /** In ms: until its session is over, unless it is renewed. Negative: over, and not noticed yet. */
  readonly expiresInMs: number;
}

/** Everything about a group, at one moment. */
export interface GroupSnapshot {
  readonly epoch: number;
  readonly generation: number;
  readonly members: readonly MemberInfo[];
  /** Every sub-topology that a member has brought since the group was last empty. */
  readonly plan: Readonly<Record<string, PlanEntry>>;
  /** The stored target: tasks by member. Empty before the first one. */
  readonly target: Readonly<Record<string, readonly string[]>>;
  /** Who holds which task, and at which generation it was taken. Only holders that are members. */
  readonly owners: readonly { readonly task: string; readonly member: string; readonly generation: number }[];
  /** Who held a task before, no longer ago than {@link GROUP_TIMES}.memoryMs; or who holds it and is no member any more. */
  readonly pastOwners: readonly { readonly task: string; readonly member: string }[];
  /** Tasks that are complete: said by whoever had them last, and not taken since. */
  readonly completed: readonly string[];
}

/** A target for the members as they were at `epoch`, to follow the target of `generation`. */
export interface Proposal extends MemberRef {
  readonly epoch: number;
  readonly generation: number;
  /** The tasks of each member; a member that gets none has an empty list. */
  readonly target: Readonly<Record<string, readonly string[]>>;
}

/** What became of the wish to take tasks. */
export interface TakeAnswer {
  /** `false`: the target is not that generation's any more, and nothing was granted. */
  readonly isCurrent: boolean;
  readonly granted: readonly {
    readonly task: string;
    /** For how long nobody has worked on it, as far as the one before has said so; `null`: unknown, or never owned. */
    readonly pausedMs: number | null;
  }[];
  /** Tasks that another member holds, and in how many ms they are free at the latest, unless it renews its session. */
  readonly held: readonly { readonly task: string; readonly member: string; readonly forMs: number }[];
}

/** What a member has to say of its tasks. */
export interface GiveRequest {
  /** It works on them no more; `pausedMs`: for how long it has not read any more. */
  readonly released: readonly { readonly task: string; readonly pausedMs: number }[];
  /** It keeps them, and has processed all there will ever be. */
  readonly completed: readonly string[];
}

/** What a group remembers of the pipeline that it runs. */
export interface StoredTopology {
  /** Rises with every change; never repeats, even where the store has lost some: at least the store's time in ms. */
  readonly revision: number;
  /** Text, opaque to the store. */
  readonly topology: string;
}

/** A new topology for a group. */
export interface TopologyChange {
  /** The revision that it follows; `null`: nothing is stored. */
  readonly expected: number | null;
  readonly topology: string;
  /** Only while the caller is the only member. Sessions that are over do not count. */
  readonly onlyAlone: boolean;
}

/**
 * What became of a new topology: it is stored; another one was stored meanwhile; or the caller was to be alone, and the group
 * has other members.
 */
export type TopologyAnswer = "stored" | "changed" | "shared";

/** Something has happened in a group: a reason to ask earlier. May be lost, repeated or late. */
export type GroupHint =
  /** A new target is stored, or the members have changed. */
  | { readonly kind: "changed" }
  /** These tasks are free. */
  | { readonly kind: "released"; readonly tasks: readonly string[] };

export type GroupError = WrongType | Refused | Unavailable;

/**
 * Consumer groups: who the members are, who is to own what, and who holds it. It decides *when* somebody may take a task
 * over; that nobody else's commit counts is the business of `Tasks`.
 *
 * All times are the store's. Sessions that are over are noticed, and their members removed, by the next call of another
 * member. A member that finds its own session over while nobody has noticed renews it, and with it those that are over as
 * well: then it was the store that could not be reached, not they.
 *
 * Every call may be repeated unchanged when there was no answer. None is refused for lack of room.
 */
export interface Group {
  /**
   * Enters the group, in the place of a member of the same name. `Fenced` when `previous` is given and the name belongs to
   * a later worker by now. `GroupMismatch` when members of the group understand one of the sub-topologies in another way;
   * the message shows both. What no member can run any more binds nobody.
   */
  join(request: JoinRequest): TaskEither<GroupMismatch | Fenced | GroupError, GroupView>;

  /**
   * Renews the session. `isLeaving` announces that the member will go, and is not taken back: it gets no tasks any more,
   * and keeps those it has until others are to have them. `NotMember` when its session is over and was noticed, or the store has lost the group;
   * `Fenced` when another worker has joined under its name.
   */
  heartbeat(
    ref: MemberRef,
    knows: { readonly generation: number; readonly isLeaving: boolean },
  ): TaskEither<NotMember | Fenced | GroupError, GroupView>;

  /** The group as it is. A group that never was is empty. */
  snapshot(group: string): TaskEither<GroupError, GroupSnapshot>;

  /**
   * Stores a target if epoch and generation are still those, and tells the members by a hint. The new generation is higher
   * than every one that this group ever had, even where the store has lost some: at least the server's time in ms.
   */
  propose(proposal: Proposal): TaskEither<GroupError, "stored" | "outdated">;

  /**
   * Takes tasks that the target of `generation` gives to the caller. Granted where nobody holds the task, its holder is no
   * member any more or is an earlier stay under the same name, or was asked for it longer ago than its `revocationMs`;
   * the first such wish is what asks. It is void once a target gives the task back to its holder. A task that is taken is not
   * complete any more. What the caller has taken at this `generation` and still holds is granted again and stays as it is: a
   * call that has its effect late does not undo what came after it.
   */
  take(
    ref: MemberRef,
    generation: number,
    tasks: readonly string[],
  ): TaskEither<NotMember | Fenced | GroupError, TakeAnswer>;

  /**
   * Gives tasks back, with a hint, or calls them complete; tasks that the caller does not hold are passed over. Returns how
   * many tasks of the group are complete now.
   */
  give(ref: MemberRef, request: GiveRequest): TaskEither<GroupError, number>;

  /**
   * Ends the stay, with a hint. Its tasks are free. Where the leave was announced and the target knows of it, no other
   * target is needed. Idempotent.
   */
  leave(ref: MemberRef): TaskEither<GroupError, void>;

  /** What was stored for the group last; `null`: nothing yet. It stays when all members have left. */
  topology(group: string): TaskEither<GroupError, StoredTopology | null>;

  /**
   * Stores a topology if that of `expected` is still the last one: of two callers at once one succeeds, and the other one gets
   * `"changed"`. Only for members, so what it says is agreed among those that share a sub-topology ({@link join}). Where the
   * very same text is stored already, the answer is `"stored"`, whatever was expected.
   */
  storeTopology(ref: MemberRef, change: TopologyChange): TaskEither<NotMember | Fenced | GroupError, TopologyAnswer>;

  /** Calls back with hints until the function that it returns is called. Never throws; where it cannot listen, none come. */
  watch(group: string, onHint: (hint: GroupHint) => void): () => void;
}
