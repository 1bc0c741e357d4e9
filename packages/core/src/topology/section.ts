/**
 * A foreign RxJS operator at work, seen from outside: what comes out of a push, and whether it did what a task cannot
 * acknowledge. It knows nothing of records.
 *
 * What comes out is collected and handed over when the push has ended well, so nothing has left an operator that fails.
 * Whether work goes on behind a push is seen from what is subscribed: what is open after it and was not open before is work
 * that the push began. Operators in a chain register with the one behind them, so all of them are reached from the end of
 * the section; where something like `share` breaks that, from the operators that were applied to the input.
 */
import {
  config,
  isObservable,
  Observable,
  type Operator,
  type OperatorFunction,
  Subject,
  Subscriber,
  Subscription,
  type TeardownLogic,
} from "rxjs";
import type { Any } from "./any.ts";

/** The most values that may come out of one push: they travel in one commit, and an endless inner source is no hang. */
export const MAX_VALUES = 1_000;

/** What an operator did that a task cannot acknowledge. */
export type Fault =
  /** It failed: a function of the user, or an observer, threw. */
  | { readonly kind: "threw"; readonly error: unknown }
  | {
      readonly kind: /** It is a function that returns no Observable. */
        | "noObservable"
        /** It completed, although its input has not. */
        | "completed"
        /** It listens to its input no more, or not yet. */
        | "deaf"
        /** It subscribed to its input once more. */
        | "resubscribed"
        /** It began work that goes on behind the push. */
        | "working"
        /** It emitted an Observable. */
        | "observable"
        /** It emitted more than {@link MAX_VALUES} values. */
        | "flood"
        /** It emitted while nothing was pushed. */
        | "stray";
    };

/** What a push has brought: the values do not count where there is a fault. */
export interface Outcome {
  readonly values: readonly Any[];
  readonly fault: Fault | null;
}

export interface SectionOptions {
  /** The operator keeps subscriptions open inside that are no work. */
  readonly sync: boolean;
  /** Told of what happens while nothing is pushed. */
  readonly strayed: (fault: Fault) => void;
}

export class Section {
  private readonly options: SectionOptions;
  private readonly input = new Subject<Any>();
  private readonly output = new Subscriber<Any>({
    next: (value) => this.emitted(value),
    error: (error: unknown) => this.tell({ kind: "threw", error }),
    complete: () => this.completed(),
  });
  /** Where the search for what is open begins: the end, and what stands behind each operator that was applied to the input. */
  private readonly roots: Subscription[] = [this.output];
  /** What was open at the last look, and the subscriptions among it. */
  private readonly known = new Set<unknown>();
  private knownSubscriptions: Subscription[] = [];
  private values: Any[] = [];
  private fault: Fault | null = null;
  private state: "starting" | "started" | "ending" = "starting";
  private isPushing = false;

  constructor(options: SectionOptions) {
    this.options = options;
  }

  /** Subscribes. Called once, first. */
  start(apply: OperatorFunction<Any, Any>): Outcome {
    const outcome = this.during(() => {
      // In an Observable of its own, which hands on what is thrown.
      new Observable<never>(() => this.subscribe(apply)).subscribe();
    });
    this.state = "started";
    this.look();
    return this.judged(outcome);
  }

  push(value: Any): Outcome {
    const { sync } = this.options;
    if (!sync) {
      this.look();
    }
    const outcome = this.judged(this.during(() => this.input.next(value)));
    return sync ? outcome : this.rested(outcome);
  }

  /** The input has ended for good. Called once; nothing is pushed behind it. */
  end(): Outcome {
    this.state = "ending";
    if (!this.options.sync) {
      this.look();
    }
    return this.rested(this.during(() => this.input.complete()));
  }

  /** Unsubscribes. Throws what a finalizer of the user throws. */
  stop(): void {
    this.output.unsubscribe();
  }

  private subscribe(apply: OperatorFunction<Any, Any>): void {
    const source = new WatchedSource(
      (to) => this.listen(to),
      (root) => {
        if (this.state === "starting") {
          this.roots.push(root);
        }
      },
    );
    const made: unknown = apply(source);
    if (isObservable(made)) {
      made.subscribe(this.output);
    } else {
      this.tell({ kind: "noObservable" });
    }
  }

  private listen(to: Subscriber<Any>): TeardownLogic {
    if (this.state !== "starting") {
      this.tell({ kind: "resubscribed" });
      return;
    }
    // An observer between them: RxJS catches what is thrown behind it, and nothing is thrown through the Subject.
    return this.input.subscribe({ next: (value) => to.next(value), complete: () => to.complete() });
  }

  /**
   * What observers throw is thrown here, too: RxJS would throw it on a timer, where it ends the process and belongs to no
   * record any more.
   */
  private during(act: () => void): Outcome {
    const { useDeprecatedSynchronousErrorHandling: before } = config;
    config.useDeprecatedSynchronousErrorHandling = true;
    this.isPushing = true;
    this.values = [];
    this.fault = null;
    try {
      act();
    } catch (error) {
      this.fault ??= { kind: "threw", error };
    } finally {
      this.isPushing = false;
      config.useDeprecatedSynchronousErrorHandling = before;
    }
    return { values: this.values, fault: this.fault };
  }

  private judged(outcome: Outcome): Outcome {
    return outcome.fault === null && !this.input.observed ? { ...outcome, fault: { kind: "deaf" } } : outcome;
  }

  private rested(outcome: Outcome): Outcome {
    return outcome.fault === null && this.hasNew() ? { ...outcome, fault: { kind: "working" } } : outcome;
  }

  private emitted(value: Any): void {
    if (isObservable(value)) {
      this.tell({ kind: "observable" });
    } else if (!this.isPushing) {
      this.tell({ kind: "stray" });
    } else if (this.values.length === MAX_VALUES) {
      this.tell({ kind: "flood" });
      // Endless sources look for this.
      this.output.unsubscribe();
    } else {
      this.values.push(value);
    }
  }

  private completed(): void {
    if (this.state !== "ending") {
      this.tell({ kind: "completed" });
    }
  }

  private tell(fault: Fault): void {
    if (this.isPushing) {
      this.fault ??= fault;
    } else {
      this.options.strayed(fault);
    }
  }

  /** Takes note of all that is open. */
  private look(): void {
    if (this.knownSubscriptions.length === 0 || this.hasNew()) {
      this.known.clear();
      this.knownSubscriptions = [];
      for (const root of this.roots) {
        this.learn(root);
      }
    }
  }

  private learn(teardown: Exclude<TeardownLogic, void>): void {
    if (!this.known.has(teardown)) {
      this.known.add(teardown);
      if (teardown instanceof Subscription) {
        this.knownSubscriptions.push(teardown);
        for (const inner of teardowns(teardown)) {
          this.learn(inner);
        }
      }
    }
  }

  /** Whether anything is open that was not at the last look: it hangs on something that was. */
  private hasNew(): boolean {
    for (const subscription of this.knownSubscriptions) {
      for (const teardown of teardowns(subscription)) {
        if (!this.known.has(teardown)) {
          return true;
        }
      }
    }
    return false;
  }
}

/** What a subscription ends when it ends. RxJS 7, which `peerDependencies` pins, keeps that to itself; a test watches it. */
function teardowns(subscription: Subscription): readonly Exclude<TeardownLogic, void>[] {
  return subscription["_finalizers"] ?? [];
}

/** Tells of the subscribers of all operators that are applied to it and to what they make. */
class WatchedSource extends Observable<Any> {
  constructor(subscribe: ((to: Subscriber<Any>) => TeardownLogic) | null, entered: (subscriber: Subscription) => void) {
    super(subscribe ?? undefined);
    // How RxJS 7 applies an operator to a source. Some Observables of RxJS borrow it from their source: `this` is any of them.
    this.lift = function lift<R>(this: Observable<Any>, operator?: Operator<Any, R>): Observable<R> {
      const lifted = new WatchedSource(null, entered);
      lifted.source = this;
      lifted.operator = {
        call: (to: Subscriber<R>, from) => {
          entered(to);
          return operator === undefined ? from.subscribe(to) : operator.call(to, from);
        },
      };
      return lifted;
    };
  }
}
