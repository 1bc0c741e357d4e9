/**
 * A foreign RxJS operator in a task.
 *
 * Nothing says which input an output of it belongs to, so nothing is acknowledged by guesswork. (N1) What comes out while a
 * record is pushed belongs to that record. (N2) A record from which nothing comes out stays held until a later one yields
 * something; both then commit together. (N3) What comes out at any other moment, and work that is started and goes on behind
 * the push, stops the task with an error that names the remedy. (N4) So does an operator that completes: nothing would be
 * processed any more. (N5) When the input has ended for good the operator is completed: what it still emits belongs to the
 * last record, and what it then holds is finished.
 */

import type { OperatorFunction } from "rxjs";
import { Subject, Subscriber, type TeardownLogic } from "rxjs";
import { MillraceError } from "../errors.ts";
import type { Any } from "./any.ts";
import { type OperatorSpec, operatorSpec } from "./node.ts";
import type { CurrentRecord } from "./record.ts";
import { type Stage, type StageEnv, scope, type Unit, within } from "./stage.ts";

/** The most records that may be held while the operator yields nothing. */
const MAX_HELD = 256;

/** What the runtime cannot see of a foreign operator. */
export interface NativeOptions {
  readonly name?: string;
  /** A record from which nothing comes out at once is finished, as in a filter. Default: it may come out later. */
  readonly stateless?: boolean;
  /** Subscriptions that the operator keeps open inside do not mean asynchronous work, as in `groupBy`. */
  readonly sync?: boolean;
}

/** The node of a foreign operator. */
export function nativeSpec(apply: OperatorFunction<Any, Any>, options: NativeOptions): OperatorSpec {
  const { name = null, stateless = false, sync = false } = options;
  return operatorSpec({
    kind: "native",
    name,
    detail: stateless ? "" : "memory starts empty on every owner",
    native: { stateless },
    stage: (down, env) => new NativeStage(apply, { stateless, sync }, down, env),
  });
}

class NativeStage implements Stage<Any> {
  private readonly input = new Subject<Any>();
  private readonly output: SectionSubscriber;
  private readonly how: { readonly stateless: boolean; readonly sync: boolean };
  private readonly down: Stage<Any>;
  private readonly env: StageEnv;
  private readonly held: Unit[] = [];
  private isPushing = false;
  private isEnded = false;
  private last: CurrentRecord | null = null;
  private hasEmitted = false;
  /** What was thrown during a push. RxJS would report it on a timer, and end the process. */
  private thrown: { readonly error: unknown; readonly isOurs: boolean } | null = null;

  constructor(
    apply: OperatorFunction<Any, Any>,
    how: { readonly stateless: boolean; readonly sync: boolean },
    down: Stage<Any>,
    env: StageEnv,
  ) {
    this.how = how;
    this.down = down;
    this.env = env;
    this.output = new SectionSubscriber({
      next: (value) => this.emitted(value),
      error: (error) => this.ended(error),
      complete: () => {
        if (!this.isEnded) {
          this.ended(
            this.problem("completed: nothing behind it would be processed any more; end inputs with producer.end()"),
          );
        }
      },
    });
    const inTaskBefore = scope.inTask;
    scope.inTask = env.inTask;
    this.isPushing = true;
    try {
      apply(this.input).subscribe(this.output);
    } finally {
      this.isPushing = false;
      scope.inTask = inTaskBefore;
    }
    if (this.hasEmitted) {
      throw this.problem("emitted before the first record: a value without a record cannot be acknowledged");
    }
  }

  next(value: Any): void {
    const { record, unit } = scope;
    this.last = record;
    const openBefore = this.output.open;
    this.isPushing = true;
    this.hasEmitted = false;
    try {
      this.input.next(value);
    } finally {
      this.isPushing = false;
    }
    this.rethrow();
    if (!this.how.sync && this.output.open > openBefore) {
      throw this.env.failure(
        this.problem(
          "works on behind the push: its results could not be acknowledged; use mapOrdered for asynchronous work, or native(name, op, { sync: true }) if it is not",
        ),
        record,
      );
    }
    if (this.hasEmitted) {
      this.releaseWith(unit);
    } else if (!this.how.stateless) {
      this.hold(unit);
    }
  }

  watermark(timeMs: number): void {
    if (timeMs === Number.POSITIVE_INFINITY && this.last !== null && !this.isEnded) {
      this.finish(this.last);
    }
    this.down.watermark(timeMs);
  }

  complete(): void {
    this.down.complete();
  }

  stop(): void {
    this.output.unsubscribe();
    this.down.stop();
  }

  /** The input has ended for good: what is held comes out now, beneath the last record, or never. */
  private finish(last: CurrentRecord): void {
    this.isEnded = true;
    this.isPushing = true;
    try {
      within(last, scope.unit, () => this.input.complete());
    } finally {
      this.isPushing = false;
    }
    this.rethrow();
    this.releaseWith(scope.unit);
  }

  private emitted(value: Any): void {
    if (this.env.inTask && !this.isPushing) {
      this.env.fail(
        this.problem(
          "emitted while no record was pushed: the value cannot be acknowledged; use mapOrdered or window instead",
        ),
      );
      return;
    }
    this.hasEmitted = true;
    try {
      if (this.thrown === null) {
        this.down.next(value);
      }
    } catch (error) {
      this.thrown = { error, isOurs: true };
    }
  }

  private ended(error: unknown): void {
    if (this.isPushing) {
      this.thrown ??= { error, isOurs: false };
    } else {
      this.env.fail(error instanceof MillraceError ? error : this.env.failure(error, scope.record));
    }
  }

  private rethrow(): void {
    if (this.thrown !== null) {
      const { error, isOurs } = this.thrown;
      this.thrown = null;
      throw isOurs ? error : this.env.failure(error, scope.record);
    }
  }

  private hold(unit: Unit): void {
    if (this.held.length >= MAX_HELD) {
      throw this.env.failure(
        this.problem(
          `yielded nothing for ${MAX_HELD} records in a row: if it only drops them, say native(name, op, { stateless: true }) or use filter`,
        ),
        scope.record,
      );
    }
    unit.park();
    this.held.push(unit);
  }

  private releaseWith(unit: Unit): void {
    for (const held of this.held) {
      held.joinWith(unit);
      held.unpark();
    }
    this.held.length = 0;
  }

  private problem(what: string): MillraceError {
    return new MillraceError("NativeOperatorError", `the foreign operator "${this.env.node}" ${what}`);
  }
}

/** Counts what is subscribed inside the section: an operator's inner subscriptions register with its subscriber. */
class SectionSubscriber extends Subscriber<Any> {
  open = 0;
  private readonly observer: { next(value: Any): void; error(error: unknown): void; complete(): void };

  constructor(observer: { next(value: Any): void; error(error: unknown): void; complete(): void }) {
    super();
    this.observer = observer;
  }

  override add(teardown: TeardownLogic): void {
    this.open += 1;
    super.add(teardown);
  }

  override remove(teardown: Exclude<TeardownLogic, void>): void {
    this.open -= 1;
    super.remove(teardown);
  }

  protected override _next(value: Any): void {
    this.observer.next(value);
  }

  protected override _error(error: unknown): void {
    this.unsubscribe();
    this.observer.error(error);
  }

  protected override _complete(): void {
    this.unsubscribe();
    this.observer.complete();
  }
}
