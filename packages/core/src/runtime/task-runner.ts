import * as E from "fp-ts/lib/Either.js";
import { HandlerError, MillraceError } from "../errors.ts";
import { backoffMs } from "../kernel/backoff.ts";
import { compareOffsets, type Offset } from "../kernel/offset.ts";
import { sleep } from "../ports/clock.ts";
import type { Ownership, TaskRef } from "../ports/tasks.ts";
import { QuarantineError } from "./node-failures.ts";
import { Restarts } from "./restart.ts";
import { retrying } from "./retrying.ts";
import { TaskInstance } from "./task-instance.ts";
import { type Outcome, type TaskOptions, taskName } from "./task-options.ts";
import type { LogSnapshot } from "./unit-loop.ts";

/** For so long handlers that were told to stop are waited for. */
const LONGEST_AFTERLIFE_MS = 5_000;

/** How far a task is. */
export interface TaskStatus {
  /** `<group>/<topic>/<partition>`. */
  readonly task: string;
  readonly topic: string;
  readonly partition: number;
  /**
   * `"restarting"`: it has failed, and waits before it starts again. `"quarantined"`: it waits for `app.resume`. Else
   * `"running"`.
   */
  readonly state: "running" | "restarting" | "quarantined";
  /** Records read so far, over all runs of the group. */
  readonly processed: number;
  /** Records in the partition that were not read yet, as of the last look (some 200 ms ago, 1 s where nothing happens); `null` before the first. */
  readonly lag: number | null;
  /** The task's event time (ms); `-Infinity` before it is known, `Infinity` behind the end of a finite input. */
  readonly watermarkMs: number;
}

/** How a runner's work has ended: it was stopped, its input was, or somebody else owns the task. */
export type RunnerEnd = "stopped" | "complete" | "fenced";

/**
 * Keeps one task running: acquires it, and again when the store has lost commits. When an operator fails, the records in
 * front of the failing one are processed and committed before the failure is reported.
 */
export class TaskRunner {
  private readonly options: TaskOptions;
  private readonly generation: number;
  private readonly name: string;
  private readonly given = new AbortController();
  /** Aborts when the time to stop in is over, that of the most hasty call. */
  private readonly late = new AbortController();
  private instance: TaskInstance | null = null;
  /** Resolves when nothing runs any more. */
  private ended: Promise<unknown> = Promise.resolve();
  private appended: number | null = null;
  private isPausing = false;
  /** The failure up to which the next run goes; `at`: its record, `null` where there is none. */
  private failure: { readonly error: MillraceError; readonly at: Offset | null } | null = null;
  /** After how many acknowledged commits the store said that it had lost some, and how often it has said so again. */
  private losses: { readonly sequence: number | null; readonly again: number } = { sequence: null, again: 0 };
  private readonly restarts: Restarts;
  /** Redriven letters that have stopped the task, with what they did it by. */
  private readonly avoid = new Map<string, unknown>();

  /** @param generation of the target that gives the task to this worker */
  constructor(options: TaskOptions, generation: number) {
    this.options = options;
    this.generation = generation;
    this.name = taskName(options.ref);
    this.restarts = new Restarts(options.restart);
  }

  get ref(): TaskRef {
    return this.options.ref;
  }

  /** How many commits of the task the store has acknowledged; `null` before it was acquired. */
  get sequence(): number | null {
    return this.instance?.sequence ?? null;
  }

  /**
   * Runs until stopped, complete or fenced. Rejects with the error that stopped the task for good.
   *
   * @param acquired called at every acquisition
   */
  run(acquired: () => void): Promise<RunnerEnd> {
    const run = this.runInstances(acquired);
    this.ended = run.catch(() => {});
    return run;
  }

  /**
   * Stops reading and lets what was read commit for up to `withinMs`. Resolves when nothing runs any more, with whether all
   * of it was committed.
   */
  async stop(withinMs: number): Promise<boolean> {
    this.given.abort();
    const cancel = this.options.clock.after(withinMs, () => this.late.abort());
    const isDrained = (await this.instance?.drain(withinMs)) ?? true;
    await this.ended;
    // Whoever has the task next is not to call beside them, as far as there is time.
    await this.handlersEnded(this.late.signal);
    cancel();
    return isDrained;
  }

  /** Stops at once, and begins no further commit. */
  abandon(): void {
    this.given.abort();
    this.instance?.abandon();
  }

  /** Ends the task with a failure. */
  fail(error: unknown): void {
    this.instance?.fail(error);
  }

  onTimes(snapshot: LogSnapshot): void {
    this.appended = snapshot.appended;
    this.instance?.onTimes(snapshot);
  }

  status(): TaskStatus {
    const { topic, partition } = this.options.ref;
    const position = this.instance?.position ?? null;
    const processed = position?.processed ?? 0;
    return {
      task: this.name,
      topic: topic.name,
      partition,
      state: this.isPausing ? "restarting" : this.instance?.isQuarantined === true ? "quarantined" : "running",
      processed,
      lag: this.appended === null || position === null ? null : Math.max(0, this.appended - processed),
      watermarkMs: position?.time.watermarkMs ?? Number.NEGATIVE_INFINITY,
    };
  }

  private async runInstances(acquired: () => void): Promise<RunnerEnd> {
    let end: RunnerEnd | "again" = "again";
    while (end === "again" && !this.given.signal.aborted) {
      // Handlers of one key do not overlap, not even with those of a run that was given up.
      await this.handlersEnded();
      const ownership = await this.acquire();
      if (ownership === "fenced") {
        return ownership;
      }
      if (ownership !== null && this.mayGoOn(acquired)) {
        end = await this.runInstance(ownership);
      }
    }
    const { failure } = this;
    const isForgotten = end === "fenced" || failure === null || failure.error instanceof QuarantineError;
    if (!isForgotten && this.restarts.isUsedUp) {
      // Stopped on the way to the record that failed: the failure is not forgotten.
      throw failure.error;
    }
    return end === "again" ? "stopped" : end;
  }

  /** Resolves when no handler of this task runs any more; nobody waits for longer than 5 s for those that do not end. */
  async handlersEnded(late?: AbortSignal): Promise<void> {
    if (this.instance !== null) {
      const enough = new AbortController();
      const signal = late === undefined ? enough.signal : AbortSignal.any([enough.signal, late]);
      const waited = sleep(this.options.clock, LONGEST_AFTERLIFE_MS, signal);
      await Promise.race([this.instance.handlersEnded(), waited]);
      enough.abort();
    }
  }

  /** Tells of an acquisition, unless the task was stopped meanwhile; whoever was told may have stopped it, too. */
  private mayGoOn(acquired: () => void): boolean {
    if (!this.given.signal.aborted) {
      acquired();
    }
    return !this.given.signal.aborted;
  }

  /** Runs from an acquisition to its end. */
  private async runInstance(ownership: Ownership): Promise<RunnerEnd | "again"> {
    const { failure, avoid } = this;
    const quarantine = failure?.error instanceof QuarantineError ? failure.error : null;
    this.instance = new TaskInstance(this.options, ownership, { cut: failure?.at ?? null, quarantine, avoid });
    return await this.endAfter(await this.instance.run(), ownership.offset);
  }

  /** `null` when the runner was stopped meanwhile. */
  private async acquire(): Promise<Ownership | "fenced" | null> {
    const { ports, ref, clock, emit } = this.options;
    const acquired = await retrying(ports.tasks.acquire(ref, this.generation), {
      clock,
      signal: this.given.signal,
      stalled: ({ code, message }) => emit({ _tag: "Stalled", task: this.name, code, message }),
    });
    if (E.isRight(acquired)) {
      return acquired.right;
    }
    if (this.given.signal.aborted) {
      return null;
    }
    return acquired.left._tag === "Fenced"
      ? this.fenced(acquired.left.message)
      : fail(new MillraceError(acquired.left));
  }

  /** Whether another run follows: after lost commits, up to a record at which an operator has failed, and once more from there. */
  private async endAfter(outcome: Outcome, from: Offset): Promise<RunnerEnd | "again"> {
    switch (outcome.kind) {
      case "stopped":
        return "stopped";
      case "complete":
        this.options.emit({ _tag: "Completed", task: this.name });
        return "complete";
      case "reachedCut":
        return await this.startAgain(from);
      case "failed":
        return await this.endAfterFailure(outcome.error, from);
    }
  }

  private async endAfterFailure(error: MillraceError, from: Offset): Promise<RunnerEnd | "again"> {
    if (error._tag === "Fenced") {
      return this.fenced(error.message);
    }
    if (error._tag === "Regressed") {
      this.options.emit({ _tag: "Regressed", task: this.name, message: error.message });
      return await this.endAfterLoss();
    }
    if (error instanceof HandlerError && error.letter !== null) {
      // The redrive goes on without it.
      this.avoid.set(error.letter, error.cause);
      this.options.emit({ _tag: "RedriveFailed", task: this.name, letter: error.letter, error: error.cause });
      return "again";
    }
    const at = error instanceof HandlerError && error.at !== null ? (error.at.offset as Offset) : null;
    const before = this.failure?.at ?? null;
    this.failure = { error, at };
    // Each run up to a failure ends at an earlier record than the one before, so this comes to an end.
    const isRunUpTo = at !== null && (before === null || compareOffsets(at, before) < 0);
    return isRunUpTo || error instanceof QuarantineError ? "again" : await this.startAgain(from);
  }

  /** What is left is read at once; a store that says the same again, without a commit in between, is not asked without a pause. */
  private async endAfterLoss(): Promise<"again"> {
    const { sequence } = this;
    this.losses = { sequence, again: sequence === this.losses.sequence ? this.losses.again + 1 : 0 };
    if (this.losses.again > 0) {
      await sleep(this.options.clock, backoffMs(this.losses.again, Math.random()), this.given.signal);
    }
    return "again";
  }

  /** Everything in front of the failure is committed: waits, and starts again where that may help. */
  private async startAgain(from: Offset): Promise<RunnerEnd | "again"> {
    const { failure } = this;
    this.failure = null;
    if (failure === null || failure.error instanceof QuarantineError) {
      // A quarantined task is owned, and does nothing until it is resumed.
      return "again";
    }
    const { error, at } = failure;
    const pauseMs = this.restarts.pauseBeforeNext(error, at ?? from);
    if (pauseMs === null) {
      throw error;
    }
    const { clock, emit } = this.options;
    emit({ _tag: "Restarting", task: this.name, error, restart: this.restarts.count, pauseMs });
    this.isPausing = true;
    await sleep(clock, pauseMs, this.given.signal);
    this.isPausing = false;
    return "again";
  }

  private fenced(message: string): "fenced" {
    this.options.emit({ _tag: "Fenced", task: this.name, message });
    return "fenced";
  }
}

function fail(error: MillraceError): never {
  throw error;
}
