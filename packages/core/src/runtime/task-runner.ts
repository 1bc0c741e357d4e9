import * as E from "fp-ts/lib/Either.js";
import { HandlerError, MillraceError } from "../errors.ts";
import { compareOffsets, type Offset } from "../kernel/offset.ts";
import type { TimeSnapshot } from "../kernel/task-time.ts";
import type { Ownership } from "../ports/tasks.ts";
import { retrying } from "./retrying.ts";
import { TaskInstance } from "./task-instance.ts";
import { type Outcome, type TaskOptions, taskName } from "./task-options.ts";

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
  private appended: number | null = null;

  constructor(options: TaskOptions, generation: number) {
    this.options = options;
    this.generation = generation;
    this.name = taskName(options.ref);
  }

  /** Runs until stopped or complete. Rejects with the error that stopped the task for good. */
  async run(): Promise<void> {
    let cutBy: { readonly error: HandlerError; readonly at: Offset } | null = null;
    while (!this.given.signal.aborted) {
      const ownership = await this.acquire();
      if (ownership === null) {
        return;
      }
      if (cutBy !== null && compareOffsets(ownership.offset, cutBy.at) >= 0) {
        cutBy = null;
      }
      this.instance = new TaskInstance(this.options, ownership, cutBy?.at ?? null);
      const outcome = await this.instance.run();
      const next = this.decide(outcome, cutBy);
      if (next === "end") {
        return;
      }
      cutBy = next === "again" ? cutBy : next;
    }
  }

  /** Stops reading, lets what was read commit for up to `withinMs`, and gives the task up. */
  async stop(withinMs: number): Promise<void> {
    this.given.abort();
    await this.instance?.drain(withinMs);
    if (this.nonce !== null) {
      // Best effort: whoever acquires next does not need it.
      await this.options.ports.tasks.release(this.options.ref, this.nonce)();
    }
  }

  /** Ends at once, as a crash would. */
  abandon(): void {
    this.given.abort();
    this.instance?.abandon();
  }

  /** Ends the task with a failure. */
  fail(error: unknown): void {
    this.instance?.fail(error);
  }

  onTimes(snapshot: TimeSnapshot & { readonly appended: number }): void {
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

  /** What follows an outcome: an end, another run, or another run up to a failing record. */
  private decide(
    outcome: Outcome,
    cutBy: { readonly error: HandlerError; readonly at: Offset } | null,
  ): "end" | "again" | { readonly error: HandlerError; readonly at: Offset } {
    switch (outcome.kind) {
      case "stopped":
        return "end";
      case "complete":
        this.options.emit({ _tag: "Completed", task: this.name });
        return "end";
      case "reachedCut":
        throw cutBy?.error ?? new MillraceError("Closed", `task ${this.name} ended without a reason`);
      case "failed": {
        const { error } = outcome;
        if (error._tag === "Regressed") {
          this.options.emit({ _tag: "Regressed", task: this.name, message: error.message });
          return "again";
        }
        if (error instanceof HandlerError && error.at !== null) {
          const at = error.at.offset as Offset;
          // Each run ends at an earlier record than the one before, so this comes to an end.
          if (cutBy === null || compareOffsets(at, cutBy.at) < 0) {
            return { error, at };
          }
        }
        throw error;
      }
    }
  }
}
