/**
 * A pipeline and the state that its group has (docs/spec/group.md, "Evolution"): looked at before the worker joins, agreed on
 * and stored as it joins, looked at again whenever it joins anew.
 *
 * Members that share a sub-topology agree on what it keeps, since `join` refuses all others. So what a member finds and stores
 * after its join cannot be undone by a worker of another version, and stays true until the member has left.
 */
import * as E from "fp-ts/lib/Either.js";
import { MillraceError } from "../errors.ts";
import type { Ports } from "../ports/adapter.ts";
import type {
  Group,
  GroupError,
  GroupView,
  JoinRequest,
  MemberInfo,
  MemberRef,
  StoredTopology,
} from "../ports/group.ts";
import type { TopicInfo } from "../ports/log.ts";
import { type Fenced, type GroupMismatch, portError } from "../ports/port-error.ts";
import { type Change, changesOf, nextTopology } from "../topology/evolution.ts";
import { mismatchText, type Obstacle } from "../topology/evolution-text.ts";
import type { Footprint } from "../topology/footprint.ts";
import {
  decodeTopology,
  encodeTopology,
  type KeptStore,
  type KeptTopology,
  type LyingStore,
  physicalName,
} from "../topology/kept-topology.ts";
import { demand } from "./demand.ts";
import { deleteStores, hasUnread, holdsEntries } from "./left-behind.ts";

/** What evolution needs to know. */
export interface EvolutionOptions {
  readonly ports: Pick<Ports, "group" | "log" | "state" | "tasks">;
  /** The pipeline's name, for messages. */
  readonly pipeline: string;
  readonly group: string;
  /** This worker's name in the group. */
  readonly member: string;
  readonly footprint: Footprint;
  /** Names of stores whose state is to be forgotten; those of other pipelines mean nothing. */
  readonly reset: ReadonlySet<string>;
}

/** What the group remembers, and as which revision; `null`: nothing. */
interface Found {
  readonly revision: number | null;
  readonly kept: KeptTopology | null;
}

type JoinError = GroupMismatch | Fenced | GroupError;

const NO_NAMES: ReadonlySet<string> = new Set();

export class Evolution {
  private readonly options: EvolutionOptions;
  private topics: ReadonlyMap<string, TopicInfo> = new Map();
  /** What was agreed on when the worker joined first. */
  private agreed: KeptTopology | null = null;

  constructor(options: EvolutionOptions) {
    this.options = options;
  }

  /** The names that a reset may have: of stores, and of topics that nobody reads any more. Rejects with `MillraceError`. */
  async resettable(): Promise<ReadonlySet<string>> {
    const { kept } = await this.find();
    return this.resettableIn(kept);
  }

  /**
   * Rejects with `TopologyMismatch` where the pipeline does not fit what the group has, or would reset what other workers
   * use. Changes nothing.
   */
  async check(): Promise<void> {
    const { kept } = await this.find();
    const resets = this.resetsIn(kept);
    if (resets.size > 0) {
      this.refuseSharedReset(resets, await this.others());
    }
    await this.emptied(kept, resets);
  }

  /**
   * The group as a member sees it: its first join agrees on what the pipeline keeps, with the other workers that begin at the
   * same time; a later one is refused (`GroupMismatch`) where that is not so any more. The first one rejects with
   * `MillraceError` where there is no agreement; the caller has to leave then.
   */
  guard(group: Group, topics: ReadonlyMap<string, TopicInfo>): Group {
    this.topics = topics;
    return {
      join: (request) => () => this.join(group, request),
      heartbeat: (ref, knows) => group.heartbeat(ref, knows),
      snapshot: (name) => group.snapshot(name),
      propose: (proposal) => group.propose(proposal),
      take: (ref, generation, tasks) => group.take(ref, generation, tasks),
      give: (ref, request) => group.give(ref, request),
      leave: (ref) => group.leave(ref),
      topology: (name) => group.topology(name),
      storeTopology: (ref, change) => group.storeTopology(ref, change),
      watch: (name, onHint) => group.watch(name, onHint),
    };
  }

  /** The name under which a store of the pipeline lies. Names that are none of its operators' stores stay as they are. */
  storeName(store: string): string {
    const kept = this.agreed?.stores.get(store);
    return kept === undefined ? store : physicalName(store, kept.since);
  }

  private async join(group: Group, request: JoinRequest): Promise<E.Either<JoinError, GroupView>> {
    const joined = await group.join(request)();
    if (E.isLeft(joined)) {
      return E.left(this.explained(joined.left));
    }
    if (this.agreed === null) {
      this.agreed = await this.agree(request);
      return joined;
    }
    const still = await this.isStillAgreed(request, this.agreed);
    if (E.isLeft(still) && !still.left.retriable) {
      // Nobody else knows that the store lists this stay; those of another version would be refused because of it.
      await group.leave(request)();
    }
    return E.isLeft(still) ? still : joined;
  }

  /** Where workers of another version run, it is mostly the state that keeps a worker from replacing them one by one. */
  private explained(error: JoinError): JoinError {
    if (error._tag !== "GroupMismatch" || this.options.footprint.stores.size === 0) {
      return error;
    }
    const hint = "What a store keeps, and its version, can change only while no worker of the earlier version runs";
    return portError("GroupMismatch", `${error.message}. ${hint}: stop those, then start this one again`, error.cause);
  }

  /** Stores what the group is to remember from now on, and deletes what it gives up. For members. */
  private async agree(ref: MemberRef): Promise<KeptTopology> {
    let pending = this.options.reset;
    let deleted: readonly LyingStore[] = [];
    for (;;) {
      const { revision, kept } = await this.find();
      const resets = pending.size === 0 ? NO_NAMES : this.resetsIn(kept);
      const renewed = new Set([...resets, ...(await this.emptied(kept, resets))]);
      const all = nextTopology(kept, this.options.footprint, { topics: this.topics, renewed });
      const next = { ...all, doomed: all.doomed.filter((each) => !isAmong(deleted, each)) };
      const change = { expected: revision, topology: encodeTopology(next), onlyAlone: resets.size > 0 };
      const answer = await demand(this.options.ports.group.storeTopology(ref, change));
      if (answer === "shared") {
        this.refuseSharedReset(resets, await this.others());
      }
      if (answer === "stored") {
        if (next.doomed.length === 0) {
          return next;
        }
        // It is remembered what is to be deleted, so that whoever comes next does so where this worker dies now.
        pending = NO_NAMES;
        await deleteStores(this.options, next.doomed);
        deleted = next.doomed;
      }
    }
  }

  /** Whether what was agreed on before the session was over is what the group remembers today. For members. */
  private async isStillAgreed(ref: MemberRef, agreed: KeptTopology): Promise<E.Either<JoinError, void>> {
    const { group, footprint } = this.options;
    const found = await this.options.ports.group.topology(group)();
    if (E.isLeft(found)) {
      return found;
    }
    if (found.right === null) {
      return await this.restore(ref, agreed);
    }
    const kept = decodeTopology(found.right.topology);
    const isSame =
      E.isRight(kept) &&
      changesOf(kept.right, footprint).every(({ kind }) => kind === "dropped" || kind === "topicDropped") &&
      [...footprint.stores.keys()].every((name) => sinceOf(kept.right, name) === sinceOf(agreed, name));
    const text = `while this worker was away from group ${group}, its stores were reset, or written by another version of the pipeline. Start the worker again`;
    return isSame ? E.right(undefined) : E.left(portError("GroupMismatch", text));
  }

  /** The store has lost what the group remembers. */
  private async restore(ref: MemberRef, agreed: KeptTopology): Promise<E.Either<JoinError, void>> {
    const change = { expected: null, topology: encodeTopology(agreed), onlyAlone: false };
    const answer = await this.options.ports.group.storeTopology(ref, change)();
    if (E.isRight(answer) && answer.right === "stored") {
      return E.right(undefined);
    }
    if (E.isLeft(answer) && answer.left._tag !== "NotMember") {
      return E.left(answer.left);
    }
    return E.left(portError("Unavailable", `group ${ref.group} has changed while a worker joined it. Join again`));
  }

  private async find(): Promise<Found> {
    const { group, ports, pipeline } = this.options;
    const found: StoredTopology | null = await demand(ports.group.topology(group));
    if (found === null) {
      return { revision: null, kept: null };
    }
    const kept = decodeTopology(found.topology);
    if (E.isLeft(kept)) {
      throw new MillraceError(
        "TopologyMismatch",
        `what group "${group}" remembers of pipeline "${pipeline}" cannot be read: ${kept.left}. Run the version of Millrace that wrote it, or a later one, or use another pipeline name`,
      );
    }
    return { revision: found.revision, kept: kept.right };
  }

  private resettableIn(kept: KeptTopology | null): ReadonlySet<string> {
    const { stores } = this.options.footprint;
    return new Set([...stores.keys(), ...(kept?.stores.keys() ?? []), ...(kept?.repartitions.keys() ?? [])]);
  }

  private resetsIn(kept: KeptTopology | null): ReadonlySet<string> {
    const names = this.resettableIn(kept);
    return new Set([...this.options.reset].filter((name) => names.has(name)));
  }

  /** Other workers of the group whose sessions are not over. */
  private async others(): Promise<readonly MemberInfo[]> {
    const { members } = await demand(this.options.ports.group.snapshot(this.options.group));
    return members.filter(({ member, expiresInMs }) => member !== this.options.member && expiresInMs > 0);
  }

  private refuseSharedReset(resets: ReadonlySet<string>, others: readonly MemberInfo[]): void {
    if (others.length > 0) {
      const names = [...resets].map((name) => `"${name}"`).join(", ");
      const workers = others.map(({ member, host, pid }) => `${member} (${host}, process ${pid})`).join(", ");
      throw new MillraceError(
        "TopologyMismatch",
        `cannot reset ${names} of group "${this.options.group}" while other workers run: ${workers}. Stop all of them first; one that has died counts until its session is over`,
      );
    }
  }

  /**
   * The stores that differ from what the pipeline says and are empty, so that they may begin anew. Throws `TopologyMismatch`
   * where something would be lost; `resets` may be.
   */
  private async emptied(kept: KeptTopology | null, resets: ReadonlySet<string>): Promise<ReadonlySet<string>> {
    const { footprint, pipeline, group } = this.options;
    const changes = kept === null ? [] : changesOf(kept, footprint).filter(({ name }) => !resets.has(name));
    const found = await Promise.all(changes.map(async (change) => await this.obstacleIn(change)));
    const obstacles = found.filter((each) => each !== null);
    if (obstacles.length > 0) {
      throw new MillraceError("TopologyMismatch", mismatchText({ pipeline, group }, obstacles));
    }
    // What is dropped and empty stays remembered: workers that know it may come back.
    return new Set(changes.flatMap(({ kind, name }) => (kind === "dropped" || kind === "topicDropped" ? [] : [name])));
  }

  private async obstacleIn(change: Change): Promise<Obstacle | null> {
    switch (change.kind) {
      case "topicResized":
        return { change, reason: "content" };
      case "topicDropped":
        return (await hasUnread(this.options, change.stored))
          ? { change, reason: "content" }
          : await this.runningIn(change, change.stored);
      case "dropped":
        return (await holdsEntries(this.options, lyingAt(change)))
          ? { change, reason: "content" }
          : await this.runningIn(change, change.stored.source);
      case "differs":
        return (await holdsEntries(this.options, lyingAt(change))) ? { change, reason: "content" } : null;
    }
  }

  /** What is empty now does not stay so while others run the part of the pipeline that is to go. */
  private async runningIn(change: Change, { name }: TopicInfo): Promise<Obstacle | null> {
    const others = await this.others();
    return others.some(({ runs }) => runs.includes(name)) ? { change, reason: "workers" } : null;
  }
}

/** Where the store of a change lies. */
function lyingAt({ name, stored }: { readonly name: string; readonly stored: KeptStore }): LyingStore {
  return { store: physicalName(name, stored.since), source: stored.source };
}

function sinceOf({ stores }: KeptTopology, name: string): number | undefined {
  return stores.get(name)?.since;
}

function isAmong(deleted: readonly LyingStore[], { store, source }: LyingStore): boolean {
  return deleted.some((each) => each.store === store && each.source.name === source.name);
}
