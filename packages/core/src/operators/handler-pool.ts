import { setMaxListeners } from "node:events";
import { pauseBefore } from "../kernel/retry.ts";
import { type CurrentRecord, NO_RECORD } from "../topology/record.ts";
import { NO_UNIT, type StageEnv, scope } from "../topology/stage.ts";
import type { Calling } from "./call-options.ts";
import { type Handler, HandlerCall } from "./handler.ts";
import { callWithin, Hanging } from "./handler-call.ts";
import { Lanes } from "./lanes.ts";
import { OpenCalls } from "./open-calls.ts";

/** How the handlers of one operator run. */
export interface Pooling<A> extends Calling {
  readonly f: Handler<A, unknown>;
  /** Handlers that run at once. */
  readonly concurrency: number;
}

/** A value for which the handler is called, once or several times. */
export interface PoolEntry<A> {
  readonly value: A;
  readonly record: CurrentRecord;
  readonly lane: string | null;
  /** The number of the call, from 1. */
  attempt: number;
}

/** Whom the pool asks and tells. What it throws ends the task. */
interface PoolOwner<E> {
  /** It is the entry's turn: whether its handler is to be called. Else the entry has left its lane, or never will. */
  readonly mayCall: (entry: E) => boolean;
  readonly resolved: (entry: E, result: unknown) => void;
  /** The handler has failed for good. */
  readonly failed: (entry: E, cause: unknown) => void;
  /** Behind every round of calls that were begun. */
  readonly begun: () => void;
}

/** Calls handlers beside each other: those of one lane one after the other, each again where it fails, within its time. */
export class HandlerPool<A, E extends PoolEntry<A>> {
  private readonly how: Pooling<A>;
  private readonly env: StageEnv;
  private readonly owner: PoolOwner<E>;
  private readonly abort = new AbortController();
  private readonly lanes = new Lanes<E>();
  private readonly calls = new OpenCalls();
  /** What ends the pauses in front of repetitions. */
  private readonly pauses = new Set<() => void>();
  private readonly wake = (): void => this.orFail(() => this.begin());
  private running = 0;
  private isStopped = false;

  constructor(how: Pooling<A>, env: StageEnv, owner: PoolOwner<E>) {
    this.how = how;
    this.env = env;
    this.owner = owner;
    // Every call that runs listens.
    setMaxListeners(0, this.abort.signal);
  }

  /** Gets in line in its lane. */
  enter(entry: E): void {
    this.lanes.enter(entry);
  }

  /** What becomes of the entry is known: the next of its lane has its turn. */
  leave(entry: E): void {
    this.lanes.leave(entry);
  }

  /** Calls for those whose turn it is, as many as may run. */
  begin(): void {
    const { concurrency, places } = this.how;
    while (this.running < concurrency && !this.isStopped && this.lanes.hasReady) {
      if (places !== null && !places.take(this.wake)) {
        break;
      }
      const entry = this.lanes.next();
      if (entry !== undefined && (entry.attempt > 1 || this.owner.mayCall(entry))) {
        this.call(entry);
      } else {
        places?.free();
      }
    }
    this.owner.begun();
  }

  /** Aborts what runs, and calls nothing more. */
  stop(): void {
    this.isStopped = true;
    this.abort.abort();
    // Calls that were told to abort do not count any more: some never end.
    for (; this.running > 0; this.running -= 1) {
      this.how.places?.free();
    }
    this.how.places?.leave(this.wake);
    for (const cancel of this.pauses) {
      cancel();
    }
  }

  /** Resolves when no handler runs, also after {@link stop}. */
  ended(): Promise<void> {
    return this.calls.ended();
  }

  private call(entry: E): void {
    this.running += 1;
    this.result(entry).then(
      (result) => this.callEnded(() => this.owner.resolved(entry, result)),
      (cause: unknown) => this.callEnded(() => this.failed(entry, cause)),
    );
  }

  private async result(entry: E): Promise<unknown> {
    const { time } = this.how;
    const { signal } = this.abort;
    if (time === null) {
      return await this.handle(entry, signal);
    }
    return await callWithin((own) => this.handle(entry, own), time, { clock: this.env.clock, given: signal });
  }

  /** What the handler subscribes or calls is its own: it runs outside of the task's push. */
  private handle(entry: E, signal: AbortSignal): PromiseLike<unknown> {
    const { inTask, record, unit } = scope;
    scope.inTask = false;
    scope.record = NO_RECORD;
    scope.unit = NO_UNIT;
    try {
      const call = new HandlerCall(entry, signal, this.env.identity);
      return this.calls.track(() => this.how.f(entry.value, entry.record, call));
    } finally {
      scope.inTask = inTask;
      scope.record = record;
      scope.unit = unit;
    }
  }

  private callEnded(then: () => void): void {
    if (!this.isStopped) {
      this.how.places?.free();
      this.running -= 1;
      this.orFail(then);
    }
  }

  private failed(entry: E, cause: unknown): void {
    const pauseMs = this.pauseAfter(entry, cause);
    if (pauseMs === null) {
      this.owner.failed(entry, cause);
    } else {
      this.repeatIn(entry, pauseMs);
    }
  }

  /** The pause before the next call; `null`: there is none. A handler that hangs is not called beside itself. */
  private pauseAfter(entry: E, cause: unknown): number | null {
    const { retry } = this.how;
    if (retry === null || entry.attempt >= retry.attempts || cause instanceof Hanging) {
      return null;
    }
    try {
      return retry.when(cause) ? pauseBefore(entry.attempt + 1, retry, Math.random()) : null;
    } catch (error) {
      throw this.env.failure(error, entry.record);
    }
  }

  /** The entry keeps its lane; its handler's place is free for others meanwhile. */
  private repeatIn(entry: E, pauseMs: number): void {
    entry.attempt += 1;
    this.env.retried(entry.record, entry.attempt, pauseMs);
    const cancel = this.env.clock.after(pauseMs, () => {
      this.pauses.delete(cancel);
      this.lanes.repeat(entry);
      this.orFail(() => this.begin());
    });
    this.pauses.add(cancel);
    this.begin();
  }

  /** Outside of a push a failure is told to the task. */
  private orFail(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.env.fail(error);
    }
  }
}
