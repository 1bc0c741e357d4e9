/**
 * The tasks of one worker (docs/spec/group.md, "Hand-over of a task"): takes those that the target gives it as soon as they
 * are free, runs them, and gives back those that go to others. A task that stays is not touched.
 */
import { setMaxListeners } from "node:events";
import { MillraceError } from "../errors.ts";
import { type Clock, sleep } from "../ports/clock.ts";
import type { Group, GroupSnapshot, GroupView, MemberRef, TakeAnswer } from "../ports/group.ts";
import { type PortError, portError } from "../ports/port-error.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import { GiveBack } from "./give-back.ts";
import { Rebalance } from "./rebalance.ts";
import { type Slot, Slots } from "./slots.ts";
import type { Stay } from "./stay.ts";
import { TakeLoop, type Wish } from "./take-loop.ts";
import type { RunnerEnd, TaskRunner } from "./task-runner.ts";

/** What the hand-over needs, and whom it tells. */
export interface HandOverOptions {
  readonly group: Group;
  readonly clock: Clock;
  /** The consumer group; begins the names of tasks in events. */
  readonly name: string;
  readonly revocationMs: number;
  readonly makeRunner: (task: string, generation: number) => TaskRunner;
  /** A task runs. */
  readonly began: (task: string) => void;
  readonly emit: Telemetry;
  /** What this worker knows of the group is out of date. */
  readonly outdated: () => void;
  /** So many tasks of the group are complete. */
  readonly completed: (count: number) => void;
  /** A task cannot go on, here or anywhere; or, without a task, nothing can be taken or given back. */
  readonly failed: (error: unknown, task?: string) => void;
  readonly stalled: (error: PortError) => void;
}

/** A task that somebody else has taken although the target gives it to this worker. */
const AFTER_FENCED_MS = 100;

export class HandOver {
  private readonly options: HandOverOptions;
  private readonly slots = new Slots();
  /** Runners whose handlers may still run: those of one key do not overlap, also where a task comes back. */
  private readonly earlier = new Map<string, TaskRunner>();
  private wanted: ReadonlySet<string> = new Set();
  private generation = 0;
  private stay: (Stay & { readonly end: () => void; readonly giveBack: GiveBack }) | null = null;
  private rebalance: Rebalance;
  private isLeaving = false;
  /** Nothing is taken any more. */
  private isClosed = false;
  private readonly takes: TakeLoop;
  private whenOffered: () => void = () => {};

  constructor(options: HandOverOptions) {
    this.options = options;
    const { group, clock, outdated, failed, stalled } = options;
    this.takes = new TakeLoop({
      group,
      clock,
      wish: () => this.wish(),
      took: (answer, generation) => this.took(answer, generation),
      outdated,
      failed,
      stalled,
    });
    this.rebalance = new Rebalance(options, { generation: 0, gained: [], given: [], kept: 0, isIdle: false });
  }

  /** The tasks that this worker is to have, or still has: for whoever looks. */
  get tasks(): Pick<Slots, "runners" | "count" | "complete"> {
    return this.slots;
  }

  /** The store has confirmed the membership `ref`. */
  confirm(ref: MemberRef, { generation, target, proposal }: GroupView): void {
    if (this.stay?.ref.instance !== ref.instance) {
      this.begin(ref);
    }
    // A target that is older than this member, and will be replaced, says nothing about it.
    const isForeign = target?.length === 0 && proposal !== null && this.slots.count === 0;
    if (target !== null && !isForeign && !this.isClosed) {
      this.generation = generation;
      this.wanted = new Set(target);
      this.follow();
      if (target.length === 0) {
        this.whenOffered();
      }
    }
    void this.takes.take();
  }

  /** This worker leaves. Resolves when a target gives it nothing: all it has is for others to have. */
  offered(): Promise<void> {
    this.isLeaving = true;
    return new Promise((resolve) => {
      this.whenOffered = resolve;
    });
  }

  /** Free tasks may be there. */
  look(): void {
    void this.takes.take();
  }

  /** The store has lost commits of a task that this worker has: it goes on from what is left, also where it was complete. */
  setBack(runner: TaskRunner, message: string): void {
    const slot = this.slots.all.find((other) => other.runner === runner);
    if (slot?.phase !== "complete") {
      runner.fail(new MillraceError(portError("Regressed", message)));
      return;
    }
    this.options.emit({ _tag: "Regressed", task: this.nameOf(slot.task), message });
    // Given back and taken again: the group may have heard since that it is complete.
    slot.phase = "draining";
    void this.release(slot, this.options.clock.now());
  }

  /** Tells the group again what it has forgotten: that this worker holds its complete tasks, and that they are complete. */
  compare({ owners, completed }: GroupSnapshot): void {
    const member = this.stay?.ref.member;
    const own = new Set(owners.filter((owner) => owner.member === member).map(({ task }) => task));
    for (const slot of this.slots.complete) {
      if (!own.has(slot.task)) {
        this.takeAgain(slot);
      } else if (!completed.includes(slot.task)) {
        this.stay?.giveBack.complete(slot.task);
      }
    }
  }

  private takeAgain(slot: Slot): void {
    slot.phase = "waiting";
    slot.runner = null;
    void this.takes.take();
  }

  /** What this worker held is not its any more: everything is dropped without a commit. */
  drop(reason: string): void {
    this.stay?.end();
    this.stay = null;
    for (const { task, runner, phase } of this.slots.all) {
      if (phase === "running" || phase === "draining") {
        runner?.abandon();
        this.emitLost(task, reason);
      }
    }
    this.slots.clear();
  }

  /**
   * Stops every task within `withinMs`, and gives it back. Nothing is taken any more. What the group could not be told by
   * then, it learns from the end of the session.
   */
  async giveAll(withinMs: number): Promise<void> {
    const { clock } = this.options;
    this.isClosed = true;
    this.wanted = new Set();
    const running = this.slots.runners;
    for (const slot of this.slots.all) {
      this.unwant(slot, withinMs);
    }
    const deadline = new AbortController();
    void sleep(clock, withinMs, deadline.signal).then(() => this.stay?.end());
    // A later call with less time hastens an earlier one.
    await Promise.all(running.map((runner) => runner.stop(withinMs)));
    await this.slots.empty();
    deadline.abort();
  }

  /** All is complete: tasks stay marked so, for the others and for whoever looks. One that was just taken is dropped. */
  finish(): void {
    this.isClosed = true;
    this.stay?.end();
    for (const { runner } of this.slots.all.filter(({ phase }) => phase !== "complete")) {
      runner?.abandon();
    }
  }

  private begin(ref: MemberRef): void {
    this.stay?.end();
    const ended = new AbortController();
    // Every task that is given back listens.
    setMaxListeners(0, ended.signal);
    const stay = { ref, signal: ended.signal, end: () => ended.abort() };
    const { group, clock, completed: counted, stalled, failed } = this.options;
    this.stay = { ...stay, giveBack: new GiveBack({ group, clock, counted, stalled, failed }, stay) };
  }

  /** Moves towards the target: each task's event "mine" or "not mine". */
  private follow(): void {
    const have = this.slots.all;
    const kept = have.filter(
      ({ task, phase }) => this.wanted.has(task) && (phase === "running" || phase === "complete"),
    );
    const keptTasks = new Set(kept.map(({ task }) => task));
    this.rebalance = new Rebalance(this.options, {
      generation: this.generation,
      gained: [...this.wanted].filter((task) => !keptTasks.has(task)),
      given: have.filter(({ task, phase }) => !this.wanted.has(task) && phase !== "waiting").map(({ task }) => task),
      kept: kept.length,
      isIdle: this.wanted.size === 0 && !this.isLeaving,
    });
    for (const slot of have) {
      if (!this.wanted.has(slot.task)) {
        this.unwant(slot, this.options.revocationMs);
      }
    }
    for (const task of this.wanted) {
      this.slots.add(task);
    }
  }

  private unwant(slot: Slot, withinMs: number): void {
    switch (slot.phase) {
      case "waiting":
        this.remove(slot);
        break;
      case "complete":
        slot.phase = "draining";
        void this.release(slot, this.options.clock.now());
        break;
      case "running":
        slot.phase = "draining";
        void this.drain(slot, withinMs);
        break;
      case "draining":
        break;
    }
  }

  private async drain(slot: Slot, withinMs: number): Promise<void> {
    const sinceMs = this.options.clock.now();
    const isDrained = (await slot.runner?.stop(withinMs)) ?? true;
    if (!isDrained) {
      const hadMs = this.options.clock.now() - sinceMs;
      this.emitLost(slot.task, `it had not finished what it had begun within ${hadMs} ms`);
    }
    await this.release(slot, sinceMs);
  }

  private async release(slot: Slot, sinceMs: number): Promise<void> {
    if (!this.isCurrent(slot)) {
      return;
    }
    await this.stay?.giveBack.release(slot.task, sinceMs);
    if (this.isCurrent(slot)) {
      this.options.emit({ _tag: "Revoked", task: this.nameOf(slot.task) });
      this.rebalance.gave(slot.task);
      this.remove(slot);
    }
  }

  private remove(slot: Slot): void {
    // It may have come back to this worker while it was on its way out.
    const again = this.wanted.has(slot.task) && this.stay !== null;
    this.slots.remove(slot, again);
    if (again) {
      void this.takes.take();
    }
  }

  private isCurrent(slot: Slot): boolean {
    return this.slots.has(slot);
  }

  /** Everything that waits, as far as it may be taken now. */
  private wish(): Wish | null {
    const { stay, generation } = this;
    const waiting = this.slots.all.filter(({ phase }) => phase === "waiting");
    if (stay === null || waiting.length === 0) {
      return null;
    }
    const nowMs = this.options.clock.now();
    // A clock that was set back does not keep a task waiting.
    const ready = waiting.filter(({ notBeforeMs }) => notBeforeMs <= nowMs || notBeforeMs > nowMs + AFTER_FENCED_MS);
    const laterMs = ready.length < waiting.length ? AFTER_FENCED_MS : null;
    return { stay, generation, tasks: ready.map(({ task }) => task), laterMs };
  }

  private took({ granted, held }: TakeAnswer, generation: number): void {
    const takenMs = this.options.clock.now();
    for (const { task, pausedMs } of granted) {
      const slot = this.slots.get(task);
      if (slot?.phase === "waiting") {
        void this.run(slot, { generation, pausedMs, takenMs });
      } else if (slot === undefined) {
        void this.stay?.giveBack.release(task, takenMs - (pausedMs ?? 0));
      }
    }
    this.rebalance.held(held);
  }

  private async run(
    slot: Slot,
    grant: { readonly generation: number; readonly pausedMs: number | null; readonly takenMs: number },
  ): Promise<void> {
    const { clock, emit, makeRunner, began, failed } = this.options;
    slot.phase = "running";
    let isFirst = true;
    const acquired = (): void => {
      if (isFirst) {
        isFirst = false;
        const pausedMs = grant.pausedMs === null ? null : grant.pausedMs + clock.now() - grant.takenMs;
        emit({ _tag: "Assigned", task: this.nameOf(slot.task), generation: grant.generation, pausedMs });
        began(slot.task);
        this.rebalance.gained(slot.task, pausedMs);
      }
    };
    try {
      await this.earlier.get(slot.task)?.handlersEnded();
      if (!this.isCurrent(slot) || slot.phase !== "running") {
        return;
      }
      const runner = makeRunner(slot.task, grant.generation);
      slot.runner = runner;
      this.earlier.set(slot.task, runner);
      const end = await runner.run(acquired).finally(() => void this.forget(slot.task, runner));
      this.ranUntil(slot, end);
    } catch (error) {
      failed(error, this.nameOf(slot.task));
    }
  }

  /** Keeps a runner no longer than its handlers run: it holds the windows that it knew. */
  private async forget(task: string, runner: TaskRunner): Promise<void> {
    await runner.handlersEnded();
    if (this.earlier.get(task) === runner) {
      this.earlier.delete(task);
    }
  }

  private ranUntil(slot: Slot, end: RunnerEnd): void {
    if (!this.isCurrent(slot) || slot.phase !== "running") {
      return;
    }
    if (end === "complete") {
      slot.phase = "complete";
      this.stay?.giveBack.complete(slot.task);
    } else if (end === "fenced") {
      slot.notBeforeMs = this.options.clock.now() + AFTER_FENCED_MS;
      this.options.outdated();
      this.takeAgain(slot);
    }
  }

  private emitLost(task: string, reason: string): void {
    this.options.emit({ _tag: "Lost", task: this.nameOf(task), reason });
  }

  private nameOf(task: string): string {
    return `${this.options.name}/${task}`;
  }
}
