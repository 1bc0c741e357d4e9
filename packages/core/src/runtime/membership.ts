/**
 * One worker's place in a group (docs/spec/group.md, "Membership"): joins, stays by heartbeats, proposes a target when it is
 * this worker's turn, and leaves.
 */
import { randomUUID } from "node:crypto";
import * as E from "fp-ts/lib/Either.js";
import { MillraceError } from "../errors.ts";
import { backoffMs } from "../kernel/backoff.ts";
import { targetFor } from "../kernel/target.ts";
import { type Clock, sleep } from "../ports/clock.ts";
import type { Group, GroupView, JoinRequest, MemberRef } from "../ports/group.ts";
import type { PortError } from "../ports/port-error.ts";

/** What a membership needs, and whom it tells. */
export interface MembershipOptions {
  readonly group: Group;
  readonly clock: Clock;
  readonly request: Omit<JoinRequest, "instance" | "previous">;
  readonly heartbeatMs: number;
  /** The store has confirmed the membership. */
  readonly confirmed: (ref: MemberRef, view: GroupView) => void;
  /** The session is over, by this worker's clock or by the store's. What it held is not its any more; it joins again. */
  readonly over: (reason: string) => void;
  /** The worker can be no member any more. What it held is not its, either. */
  readonly failed: (error: MillraceError) => void;
  /** Tasks have become free. */
  readonly released: () => void;
  /** The store does not answer; it is asked again. */
  readonly stalled: (error: PortError) => void;
}

/** How soon after the moment at which somebody's session ends it is looked for. */
const AFTER_EXPIRY_MS = 2;

export class Membership {
  private readonly options: MembershipOptions;
  private readonly ended = new AbortController();
  private instance: string = randomUUID();
  private previous: string | null = null;
  private isJoined = false;
  /** A join was sent, answered or not. */
  private hasAsked = false;
  private isLeaving = false;
  private generation = 0;
  private failures = 0;
  private losses = 0;
  private confirmedMs = Number.NEGATIVE_INFINITY;
  private isOver = true;
  private stopDeadline: () => void = () => {};
  /** Ends the pause before the next heartbeat. */
  private wake = new AbortController();

  constructor(options: MembershipOptions) {
    this.options = options;
  }

  private get ref(): MemberRef {
    const { group, member } = this.options.request;
    return { group, member, instance: this.instance };
  }

  /** Joins, once. Rejects with `MillraceError`. Nobody is told; {@link run} tells it. */
  async join(): Promise<GroupView> {
    const view = await this.ask();
    if (E.isLeft(view)) {
      throw new MillraceError(view.left);
    }
    // The first heartbeat brings the target again.
    this.generation = 0;
    return view.right;
  }

  /** Stays a member until {@link leave}. Never rejects. */
  async run(): Promise<void> {
    const { group, request, released } = this.options;
    const stopWatching = group.watch(request.group, ({ kind }) => (kind === "changed" ? this.poke() : released()));
    while (!this.ended.signal.aborted) {
      const pauseMs = await this.beat();
      await sleep(this.options.clock, pauseMs, this.wake.signal);
    }
    stopWatching();
    this.stopDeadline();
  }

  /** Sends a heartbeat now, or as soon as the one under way is answered. */
  poke(): void {
    this.wake.abort();
  }

  /** Says that this worker will go, so that the others are to have its tasks. */
  announceLeaving(): void {
    this.isLeaving = true;
    this.poke();
  }

  /**
   * Ends the stay. One attempt: where it does not get through, the session ends by itself. A join that is under way is
   * followed by a leave of its own.
   */
  async leave(): Promise<void> {
    // The store may list a stay whose join was not answered, and after a loss the stay that was lost.
    const instance = this.isJoined || this.previous === null ? this.instance : this.previous;
    const mayBeListed = this.hasAsked;
    this.end();
    if (mayBeListed) {
      await this.options.group.leave({ ...this.ref, instance })();
    }
  }

  /** Sends nothing any more. */
  end(): void {
    this.isJoined = false;
    this.ended.abort();
    this.stopDeadline();
    this.poke();
  }

  /** One heartbeat and what follows from it; returns the pause before the next one. */
  private async beat(): Promise<number> {
    this.wake = new AbortController();
    const askedMs = this.options.clock.now();
    const { losses } = this;
    const view = await this.ask();
    if (this.ended.signal.aborted) {
      return 0;
    }
    if (this.losses !== losses) {
      // The answer to a question from before the loss speaks of a stay that has ended.
      return 0;
    }
    if (E.isRight(view)) {
      this.failures = 0;
      this.confirm(view.right, askedMs);
      return view.right.proposal === 0 ? await this.propose() : this.pauseAfter(view.right);
    }
    return this.pauseAfterFailure(view.left);
  }

  private async ask(): Promise<E.Either<PortError, GroupView>> {
    const { group, request } = this.options;
    const { generation, isLeaving, instance, previous } = this;
    if (this.isJoined) {
      return await group.heartbeat(this.ref, { generation, isLeaving })();
    }
    this.hasAsked = true;
    const joined = await group.join({ ...request, instance, previous })();
    if (E.isRight(joined) && this.ended.signal.aborted) {
      await group.leave(this.ref)();
    } else {
      this.isJoined = E.isRight(joined);
    }
    return joined;
  }

  private confirm(view: GroupView, askedMs: number): void {
    this.generation = view.generation;
    this.confirmedMs = askedMs;
    this.isOver = false;
    this.stopDeadline();
    this.stopDeadline = this.options.clock.after(
      Math.max(0, askedMs + this.options.request.sessionMs - this.options.clock.now()),
      () => this.overdue(),
    );
    this.options.confirmed(this.ref, view);
  }

  /** By this worker's clock the session is over: others may have what it held. */
  private overdue(): void {
    if (!this.isOver && !this.ended.signal.aborted) {
      const silentMs = this.options.clock.now() - this.confirmedMs;
      this.lose(`no heartbeat was answered for ${silentMs} ms`);
      this.poke();
    }
  }

  /** Ends the stay on this side. The next one has a name of its own, so that nothing that this one held is taken for held. */
  private lose(reason: string): void {
    this.losses += 1;
    this.previous = this.instance;
    this.instance = randomUUID();
    this.isJoined = false;
    if (!this.isOver) {
      this.isOver = true;
      this.options.over(reason);
    }
  }

  private pauseAfter({ proposal, nextExpiryMs }: GroupView): number {
    return Math.min(this.options.heartbeatMs, proposal ?? Number.POSITIVE_INFINITY, nextExpiryMs + AFTER_EXPIRY_MS);
  }

  private pauseAfterFailure(error: PortError): number {
    if (error._tag === "NotMember") {
      this.lose("the session had ended, or the store has lost the group");
      return 0;
    }
    if (!error.retriable) {
      this.end();
      this.options.failed(new MillraceError(error));
      return 0;
    }
    this.options.stalled(error);
    this.failures += 1;
    return Math.min(this.options.heartbeatMs, backoffMs(this.failures, Math.random()));
  }

  /** Stores a new target; returns the pause before the next heartbeat, which brings it. */
  private async propose(): Promise<number> {
    const { group, request } = this.options;
    const snapshot = await group.snapshot(request.group)();
    if (E.isLeft(snapshot)) {
      return this.pauseAfterFailure(snapshot.left);
    }
    const { epoch, generation } = snapshot.right;
    const stored = await group.propose({ ...this.ref, epoch, generation, target: targetFor(snapshot.right) })();
    return E.isLeft(stored) ? this.pauseAfterFailure(stored.left) : 0;
  }
}
