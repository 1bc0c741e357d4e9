import type {
  Fenced,
  GiveRequest,
  Group,
  GroupHint,
  GroupMismatch,
  GroupSnapshot,
  GroupView,
  JoinRequest,
  MemberRef,
  NotMember,
  Proposal,
  StoredTopology,
  TakeAnswer,
  TopologyAnswer,
  TopologyChange,
  Unavailable,
} from "@millrace/core";
import * as E from "fp-ts/lib/Either.js";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import { heartbeat, join, leave } from "./group-membership.ts";
import { snapshotOf } from "./group-snapshot.ts";
import { type GroupState, NO_GROUP, type Step } from "./group-state.ts";
import { give, propose, take } from "./group-tasks.ts";
import { storeTopology } from "./group-topology.ts";
import type { MemoryStore } from "./memory-store.ts";
import type { Session } from "./session.ts";

/** Consumer groups in memory. */
export class MemoryGroup implements Group {
  readonly #store: MemoryStore;
  readonly #session: Session;

  constructor(store: MemoryStore, session: Session) {
    this.#store = store;
    this.#session = session;
  }

  join(request: JoinRequest): TaskEither<GroupMismatch | Fenced | Unavailable, GroupView> {
    return this.#step(request, (state, nowMs) => join(state, request, nowMs));
  }

  heartbeat(
    ref: MemberRef,
    knows: { readonly generation: number; readonly isLeaving: boolean },
  ): TaskEither<NotMember | Fenced | Unavailable, GroupView> {
    return this.#step(ref, (state, nowMs) => heartbeat(state, ref, knows, nowMs));
  }

  snapshot(group: string): TaskEither<Unavailable, GroupSnapshot> {
    return this.#session.call(() => E.right(snapshotOf(this.#stateOf(group), this.#store.clock.now())));
  }

  propose(proposal: Proposal): TaskEither<Unavailable, "stored" | "outdated"> {
    return this.#step(proposal, (state, nowMs) => E.right(propose(state, proposal, nowMs)));
  }

  take(
    ref: MemberRef,
    generation: number,
    tasks: readonly string[],
  ): TaskEither<NotMember | Fenced | Unavailable, TakeAnswer> {
    return this.#step(ref, (state, nowMs) => take(state, ref, { generation, tasks }, nowMs));
  }

  give(ref: MemberRef, request: GiveRequest): TaskEither<Unavailable, number> {
    return this.#step(ref, (state, nowMs) => E.right(give(state, ref, request, nowMs)));
  }

  leave(ref: MemberRef): TaskEither<Unavailable, void> {
    return this.#step(ref, (state, nowMs) => E.right(leave(state, ref, nowMs)));
  }

  topology(group: string): TaskEither<Unavailable, StoredTopology | null> {
    return this.#session.call(() => E.right(this.#stateOf(group).topology));
  }

  storeTopology(ref: MemberRef, change: TopologyChange): TaskEither<NotMember | Fenced | Unavailable, TopologyAnswer> {
    return this.#step(ref, (state, nowMs) => storeTopology(state, ref, change, nowMs));
  }

  watch(group: string, onHint: (hint: GroupHint) => void): () => void {
    if (this.#session.closed) {
      return () => undefined;
    }
    const unwatch = this.#store.hints.watch(group, onHint);
    const stop = (): void => {
      this.#session.offClose(stop);
      unwatch();
    };
    this.#session.onClose(stop);
    return stop;
  }

  /** Carries out one step of a group's state; a refused one changes nothing. */
  #step<Err, A>(
    { group }: { readonly group: string },
    step: (state: GroupState, nowMs: number) => E.Either<Err, Step<A>>,
  ): TaskEither<Err | Unavailable, A> {
    return this.#session.call(() => {
      const result = step(this.#stateOf(group), this.#store.clock.now());
      if (E.isLeft(result)) {
        return result;
      }
      const { state, answer, hint } = result.right;
      this.#store.groups.set(group, state);
      if (hint !== null) {
        this.#store.hints.send(group, hint);
      }
      return E.right(answer);
    });
  }

  #stateOf(group: string): GroupState {
    return this.#store.groups.get(group) ?? NO_GROUP;
  }
}
