import * as E from "fp-ts/lib/Either.js";
import { HandlerError, MillraceError } from "../errors.ts";
import { compareOffsets, type Offset } from "../kernel/offset.ts";
import type { Ownership } from "../ports/tasks.ts";
import { retrying } from "./retrying.ts";
import { TaskInstance } from "./task-instance.ts";
import { type Outcome, type TaskOptions, taskName } from "./task-options.ts";
import type { LogSnapshot } from "./unit-loop.ts";

/** How far a task is. */
export interface TaskStatus {
  /** `<group>/<topic>/<partition>`. */
  readonly task: string;
  readonly topic: string;
  readonly partition: number;
  /** Records read so far, over all runs of the group. */
  readonly processed: number;
  /** Records in the partition that were not read yet, as of the last look (some 200 ms ago); `null` before the first. */
  readonly lag: number | null;
  /** The task's event time (ms); `-Infinity` before it is known, `Infinity` behind the end of a finite input. */
  readonly watermarkMs: number;
}

/**
 * Keeps one task running: acquires it, and again when the store has lost commits. When an operator fails, the records in
 * front of the failing one are processed and committed before the failure is reported.
 */
export class TaskRunner {
  private readonly options: TaskOptions;
  private readonly generation: number;
  private readonly name: string;
  private readonly given = new AbortController();
  private instance: TaskInstance | null = null;
  private nonce: string | null = null;
  /** Resolves when nothing runs any more. */
  private ended: Promise<void> = Promise.resolve();
  private appended: number | null = null;
  /** Where the next run is to end, and the failure that it then reports. */
  private cut: { readonly error: HandlerError; readonly at: Offset } | null = null;

  constructor(options: TaskOptions, generation: number) {
    this.options = options;
    this.generation = generation;
    this.name = taskName(options.ref);
  }

  /** Runs until stopped or complete. Rejects with the error that stopped the task for good. */
  run(): Promise<void> {
    const run = this.runInstances();
    this.ended = run.catch(() => {});
    return run;
  }

  private async runInstances(): Promise<void> {
    let goesOn = true;
    while (goesOn && !this.given.signal.aborted) {
      const ownership = await this.acquire();
      if (ownership !== null && !this.given.signal.aborted) {
        goesOn = await this.runInstance(ownership);
      }
    }
    if (this.cut !== null) {
      // Stopped on the way to the record that failed: the failure is not forgotten.
      throw this.cut.error;
    }
  }

  /** Runs from an acquisition to its end; returns whether another one is to follow. */
  private async runInstance(ownership: Ownership): Promise<boolean> {
    if (this.cut !== null && compareOffsets(ownership.offset, this.cut.at) >= 0) {
      this.cut = null;
    }
    this.instance = new TaskInstance(this.options, ownership, this.cut?.at ?? null);
    return this.goesOnAfter(await this.instance.run());
  }

  /** Stops reading, lets what was read commit for up to `withinMs`, and gives the task up. */
  async stop(withinMs: number): Promise<void> {
    this.given.abort();
    await this.instance?.drain(withinMs);
    await this.ended;
    if (this.nonce !== null) {
      // Best effort: whoever acquires next does not need it.
      await this.options.ports.tasks.release(this.options.ref, this.nonce)();
    }
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
    const progress = this.instance?.progress ?? null;
    const processed = progress?.processed ?? 0;
    return {
      task: this.name,
      topic: topic.name,
      partition,
      processed,
      lag: this.appended === null || progress === null ? null : Math.max(0, this.appended - processed),
      watermarkMs: progress?.watermarkMs ?? Number.NEGATIVE_INFINITY,
    };
  }

  private async acquire(): Promise<Ownership | null> {
    const { ports, ref, clock, emit } = this.options;
    const acquired = await retrying(() => ports.tasks.acquire(ref, this.generation)(), {
      clock,
      signal: this.given.signal,
      stalled: ({ code, message }) => emit({ _tag: "Stalled", task: this.name, code, message }),
    });
    if (E.isRight(acquired)) {
      this.nonce = acquired.right.nonce;
      return acquired.right;
    }
    if (this.given.signal.aborted) {
      return null;
    }
    throw new MillraceError(acquired.left);
  }

  /** Whether another run follows: after lost commits, and up to a record at which an operator has failed. */
  private goesOnAfter(outcome: Outcome): boolean {
    switch (outcome.kind) {
      case "stopped":
        return false;
      case "complete":
        this.options.emit({ _tag: "Completed", task: this.name });
        return false;
      case "reachedCut":
        return false;
      case "failed":
        return this.goesOnAfterFailure(outcome.error);
    }
  }

  private goesOnAfterFailure(error: MillraceError): boolean {
    if (error._tag === "Regressed") {
      this.options.emit({ _tag: "Regressed", task: this.name, message: error.message });
      return true;
    }
    if (error instanceof HandlerError && error.at !== null) {
      const at = error.at.offset as Offset;
      // Each run ends at an earlier record than the one before, so this comes to an end.
      if (this.cut === null || compareOffsets(at, this.cut.at) < 0) {
        this.cut = { error, at };
        return true;
      }
    }
    throw error;
  }
}
