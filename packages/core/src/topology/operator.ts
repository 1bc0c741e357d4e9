/**
 * An operator is one function with two lives: in a {@link Stream} it becomes a node of the plan, on an ordinary RxJS
 * Observable it runs at once, without acknowledgement.
 */
import { Observable, type Operator, type OperatorFunction, Subscriber } from "rxjs";
import { MillraceError } from "../errors.ts";
import { systemClock } from "../ports/clock.ts";
import type { Any } from "./any.ts";
import { nativeSpec } from "./native-section.ts";
import type { OperatorSpec } from "./node.ts";
import { NO_UNIT, type Stage, type StageEnv, scope } from "./stage.ts";

const SPEC = Symbol("millrace.operator");

/** Stands for a source while a composite is unfolded: our operators leave their specs in it instead of running. */
class Probe extends Observable<never> {
  readonly specs: readonly OperatorSpec[];

  constructor(specs: readonly OperatorSpec[]) {
    super();
    this.specs = specs;
  }
}

/**
 * The operator function of a spec. `onObservable`: what it does on an ordinary Observable; by default the spec's stage
 * runs there.
 */
export function operator<A, B>(spec: OperatorSpec, onObservable?: OperatorFunction<A, B>): OperatorFunction<A, B> {
  const run = onObservable ?? ((source: Observable<A>) => runStage<A, B>(source, spec));
  const apply = (source: Observable<A>): Observable<B> => {
    const specs = planOf(source);
    return specs === null ? run(source) : new Probe([...specs, spec]);
  };
  return Object.assign(apply, { [SPEC]: spec });
}

/**
 * The nodes of an operator function: its own, those into which a composite unfolds, or one opaque foreign node. A
 * composite is called once, with a probe that emits nothing.
 */
export function unfold(apply: OperatorFunction<Any, Any>): readonly OperatorSpec[] {
  if (SPEC in apply) {
    return [apply[SPEC] as OperatorSpec];
  }
  const specs = planOf(apply(new Probe([])));
  // Applied anew in each task: `share` keeps what it shares beside its operator, not in it.
  const isOneForeign = specs?.length === 1 && specs[0]?.kind === "native" && specs[0].name === null;
  return specs === null || isOneForeign ? [nativeSpec(apply, {})] : specs;
}

/** What RxJS 7 remembers of an Observable that one of its operators made. */
interface Lifted {
  readonly source?: unknown;
  readonly operator?: Operator<Any, Any> | undefined;
}

/** The operators between a probe and an Observable that was made from it; `null` when it was made from something else. */
function planOf(made: unknown): readonly OperatorSpec[] | null {
  if (made instanceof Probe) {
    return made.specs;
  }
  if (!(made instanceof Observable)) {
    return null;
  }
  const { source, operator: lifted }: Lifted = made;
  const before = source === undefined || lifted === undefined ? null : planOf(source);
  if (before === null || lifted === undefined) {
    return null;
  }
  // `lift` is how RxJS 7 applies an operator to a source; `peerDependencies` pins that major version.
  const apply = (source$: Observable<Any>): Observable<Any> => source$.lift(lifted);
  return [...before, nativeSpec(apply, {})];
}

function runStage<A, B>(source: Observable<A>, spec: OperatorSpec): Observable<B> {
  return new Observable<B>((subscriber) => {
    if (scope.inTask && (spec.holds || spec.isEnd)) {
      throw new MillraceError(
        "InvalidOperator",
        `"${spec.kind}" was subscribed inside another operator's callback, where nothing acknowledges what it holds or writes: put it into the pipeline itself (mapOrdered has "lane" for work per key)`,
      );
    }
    source.subscribe(new StageSubscriber<A, B>(subscriber, spec));
  });
}

/**
 * Pushes what comes into a stage, and what leaves the stage to the subscriber behind it. Registered there as RxJS's operators
 * are: where that one listens no more, also in the midst of a source that emits at once, nothing more comes in here.
 */
class StageSubscriber<A, B> extends Subscriber<A> implements Stage<A> {
  private readonly behind: Subscriber<B>;
  private readonly stage: Stage<Any>;

  constructor(behind: Subscriber<B>, spec: OperatorSpec) {
    super(behind);
    this.behind = behind;
    this.stage = spec.stage(
      behind instanceof StageSubscriber ? behind : endOf(behind),
      envOnObservable(spec, (error) => behind.error(error)),
    );
    behind.add(() => this.stage.stop());
  }

  /** In place of `_next`, which RxJS would have called: this is the path of every value. */
  override next(value: A): void {
    if (this.isStopped) {
      super.next(value);
      return;
    }
    // Inside a task's callback the task's unit is current: nothing that runs here is part of it.
    const { unit } = scope;
    scope.unit = NO_UNIT;
    try {
      this.stage.next(value);
    } catch (error) {
      this.behind.error(error);
    } finally {
      scope.unit = unit;
    }
  }

  watermark(): void {}

  /** Each stage is stopped by what it was registered with. */
  stop(): void {}

  /** The stage may emit long after its input has ended. */
  protected override _complete(): void {
    try {
      this.stage.complete();
    } catch (error) {
      this.behind.error(error);
    } finally {
      this.unsubscribe();
    }
  }
}

function endOf<B>(subscriber: Subscriber<B>): Stage<B> {
  return {
    next: (value) => subscriber.next(value),
    watermark: () => {},
    complete: () => subscriber.complete(),
    stop: () => {},
  };
}

/** On an ordinary Observable errors stay what they are, as in any RxJS operator. */
function envOnObservable(spec: OperatorSpec, fail: (error: unknown) => void): StageEnv {
  return {
    node: spec.name ?? spec.kind,
    clock: systemClock,
    failure: (cause) => cause as MillraceError,
    failures: null,
    fail,
    again: () => {},
    store: null,
    updates: null,
    side: null,
    resumes: false,
    identity: spec.name ?? spec.kind,
    queues: () => {},
    retried: () => {},
    late: () => {},
    task: { topic: "", partition: 0 },
    inTask: false,
  };
}
