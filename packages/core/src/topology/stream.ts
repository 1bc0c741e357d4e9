import type { OperatorFunction as Op } from "rxjs";
import type { Any } from "./any.ts";
import { describeNodes, type PlanDescription, toMermaid, toText } from "./describe.ts";
import type { PlanNode } from "./node.ts";
import { unfold } from "./operator.ts";
import type { Topic } from "./topic.ts";

/** What a stream is behind a sink. `pipeline` takes nothing else, so a missing sink does not compile. */
export interface Sunk {
  readonly endsInASink: unique symbol;
}

/**
 * A plan: a topic and the operators behind it. Not an Observable: nothing runs, and nothing can be acknowledged, before an
 * app runs the pipeline that it belongs to. Immutable; two pipes from one stream share what is in front of them.
 */
export class Stream<out A> {
  /** Carries the type of the values; no such property exists at run time. */
  declare protected readonly values: A;
  /** @internal */
  readonly node: PlanNode;

  /** @internal Use {@link stream}. */
  constructor(node: PlanNode) {
    this.node = node;
  }

  /** Puts operators behind this stream: ours, RxJS's own, or functions composed of them. */
  pipe<T1>(o1: Op<A, T1>): Stream<T1>;
  pipe<T1, T2>(o1: Op<A, T1>, o2: Op<NoInfer<T1>, T2>): Stream<T2>;
  pipe<T1, T2, T3>(o1: Op<A, T1>, o2: Op<NoInfer<T1>, T2>, o3: Op<NoInfer<T2>, T3>): Stream<T3>;
  pipe<T1, T2, T3, T4>(
    o1: Op<A, T1>,
    o2: Op<NoInfer<T1>, T2>,
    o3: Op<NoInfer<T2>, T3>,
    o4: Op<NoInfer<T3>, T4>,
  ): Stream<T4>;
  pipe<T1, T2, T3, T4, T5>(
    o1: Op<A, T1>,
    o2: Op<NoInfer<T1>, T2>,
    o3: Op<NoInfer<T2>, T3>,
    o4: Op<NoInfer<T3>, T4>,
    o5: Op<NoInfer<T4>, T5>,
  ): Stream<T5>;
  pipe<T1, T2, T3, T4, T5, T6>(
    o1: Op<A, T1>,
    o2: Op<NoInfer<T1>, T2>,
    o3: Op<NoInfer<T2>, T3>,
    o4: Op<NoInfer<T3>, T4>,
    o5: Op<NoInfer<T4>, T5>,
    o6: Op<NoInfer<T5>, T6>,
  ): Stream<T6>;
  pipe<T1, T2, T3, T4, T5, T6, T7>(
    o1: Op<A, T1>,
    o2: Op<NoInfer<T1>, T2>,
    o3: Op<NoInfer<T2>, T3>,
    o4: Op<NoInfer<T3>, T4>,
    o5: Op<NoInfer<T4>, T5>,
    o6: Op<NoInfer<T5>, T6>,
    o7: Op<NoInfer<T6>, T7>,
  ): Stream<T7>;
  pipe<T1, T2, T3, T4, T5, T6, T7, T8>(
    o1: Op<A, T1>,
    o2: Op<NoInfer<T1>, T2>,
    o3: Op<NoInfer<T2>, T3>,
    o4: Op<NoInfer<T3>, T4>,
    o5: Op<NoInfer<T4>, T5>,
    o6: Op<NoInfer<T5>, T6>,
    o7: Op<NoInfer<T6>, T7>,
    o8: Op<NoInfer<T7>, T8>,
  ): Stream<T8>;
  pipe<T1, T2, T3, T4, T5, T6, T7, T8, T9>(
    o1: Op<A, T1>,
    o2: Op<NoInfer<T1>, T2>,
    o3: Op<NoInfer<T2>, T3>,
    o4: Op<NoInfer<T3>, T4>,
    o5: Op<NoInfer<T4>, T5>,
    o6: Op<NoInfer<T5>, T6>,
    o7: Op<NoInfer<T6>, T7>,
    o8: Op<NoInfer<T7>, T8>,
    o9: Op<NoInfer<T8>, T9>,
  ): Stream<T9>;
  pipe<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10>(
    o1: Op<A, T1>,
    o2: Op<NoInfer<T1>, T2>,
    o3: Op<NoInfer<T2>, T3>,
    o4: Op<NoInfer<T3>, T4>,
    o5: Op<NoInfer<T4>, T5>,
    o6: Op<NoInfer<T5>, T6>,
    o7: Op<NoInfer<T6>, T7>,
    o8: Op<NoInfer<T7>, T8>,
    o9: Op<NoInfer<T8>, T9>,
    o10: Op<NoInfer<T9>, T10>,
  ): Stream<T10>;
  pipe<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11>(
    o1: Op<A, T1>,
    o2: Op<NoInfer<T1>, T2>,
    o3: Op<NoInfer<T2>, T3>,
    o4: Op<NoInfer<T3>, T4>,
    o5: Op<NoInfer<T4>, T5>,
    o6: Op<NoInfer<T5>, T6>,
    o7: Op<NoInfer<T6>, T7>,
    o8: Op<NoInfer<T7>, T8>,
    o9: Op<NoInfer<T8>, T9>,
    o10: Op<NoInfer<T9>, T10>,
    o11: Op<NoInfer<T10>, T11>,
  ): Stream<T11>;
  pipe<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12>(
    o1: Op<A, T1>,
    o2: Op<NoInfer<T1>, T2>,
    o3: Op<NoInfer<T2>, T3>,
    o4: Op<NoInfer<T3>, T4>,
    o5: Op<NoInfer<T4>, T5>,
    o6: Op<NoInfer<T5>, T6>,
    o7: Op<NoInfer<T6>, T7>,
    o8: Op<NoInfer<T7>, T8>,
    o9: Op<NoInfer<T8>, T9>,
    o10: Op<NoInfer<T9>, T10>,
    o11: Op<NoInfer<T10>, T11>,
    o12: Op<NoInfer<T11>, T12>,
  ): Stream<T12>;
  pipe<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13>(
    o1: Op<A, T1>,
    o2: Op<NoInfer<T1>, T2>,
    o3: Op<NoInfer<T2>, T3>,
    o4: Op<NoInfer<T3>, T4>,
    o5: Op<NoInfer<T4>, T5>,
    o6: Op<NoInfer<T5>, T6>,
    o7: Op<NoInfer<T6>, T7>,
    o8: Op<NoInfer<T7>, T8>,
    o9: Op<NoInfer<T8>, T9>,
    o10: Op<NoInfer<T9>, T10>,
    o11: Op<NoInfer<T10>, T11>,
    o12: Op<NoInfer<T11>, T12>,
    o13: Op<NoInfer<T12>, T13>,
  ): Stream<T13>;
  pipe<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14>(
    o1: Op<A, T1>,
    o2: Op<NoInfer<T1>, T2>,
    o3: Op<NoInfer<T2>, T3>,
    o4: Op<NoInfer<T3>, T4>,
    o5: Op<NoInfer<T4>, T5>,
    o6: Op<NoInfer<T5>, T6>,
    o7: Op<NoInfer<T6>, T7>,
    o8: Op<NoInfer<T7>, T8>,
    o9: Op<NoInfer<T8>, T9>,
    o10: Op<NoInfer<T9>, T10>,
    o11: Op<NoInfer<T10>, T11>,
    o12: Op<NoInfer<T11>, T12>,
    o13: Op<NoInfer<T12>, T13>,
    o14: Op<NoInfer<T13>, T14>,
  ): Stream<T14>;
  pipe<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14, T15>(
    o1: Op<A, T1>,
    o2: Op<NoInfer<T1>, T2>,
    o3: Op<NoInfer<T2>, T3>,
    o4: Op<NoInfer<T3>, T4>,
    o5: Op<NoInfer<T4>, T5>,
    o6: Op<NoInfer<T5>, T6>,
    o7: Op<NoInfer<T6>, T7>,
    o8: Op<NoInfer<T7>, T8>,
    o9: Op<NoInfer<T8>, T9>,
    o10: Op<NoInfer<T9>, T10>,
    o11: Op<NoInfer<T10>, T11>,
    o12: Op<NoInfer<T11>, T12>,
    o13: Op<NoInfer<T12>, T13>,
    o14: Op<NoInfer<T13>, T14>,
    o15: Op<NoInfer<T14>, T15>,
  ): Stream<T15>;
  pipe<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14, T15, T16>(
    o1: Op<A, T1>,
    o2: Op<NoInfer<T1>, T2>,
    o3: Op<NoInfer<T2>, T3>,
    o4: Op<NoInfer<T3>, T4>,
    o5: Op<NoInfer<T4>, T5>,
    o6: Op<NoInfer<T5>, T6>,
    o7: Op<NoInfer<T6>, T7>,
    o8: Op<NoInfer<T7>, T8>,
    o9: Op<NoInfer<T8>, T9>,
    o10: Op<NoInfer<T9>, T10>,
    o11: Op<NoInfer<T10>, T11>,
    o12: Op<NoInfer<T11>, T12>,
    o13: Op<NoInfer<T12>, T13>,
    o14: Op<NoInfer<T13>, T14>,
    o15: Op<NoInfer<T14>, T15>,
    o16: Op<NoInfer<T15>, T16>,
  ): Stream<T16>;
  pipe<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14, T15, T16, T17>(
    o1: Op<A, T1>,
    o2: Op<NoInfer<T1>, T2>,
    o3: Op<NoInfer<T2>, T3>,
    o4: Op<NoInfer<T3>, T4>,
    o5: Op<NoInfer<T4>, T5>,
    o6: Op<NoInfer<T5>, T6>,
    o7: Op<NoInfer<T6>, T7>,
    o8: Op<NoInfer<T7>, T8>,
    o9: Op<NoInfer<T8>, T9>,
    o10: Op<NoInfer<T9>, T10>,
    o11: Op<NoInfer<T10>, T11>,
    o12: Op<NoInfer<T11>, T12>,
    o13: Op<NoInfer<T12>, T13>,
    o14: Op<NoInfer<T13>, T14>,
    o15: Op<NoInfer<T14>, T15>,
    o16: Op<NoInfer<T15>, T16>,
    o17: Op<NoInfer<T16>, T17>,
  ): Stream<T17>;
  pipe<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14, T15, T16, T17, T18>(
    o1: Op<A, T1>,
    o2: Op<NoInfer<T1>, T2>,
    o3: Op<NoInfer<T2>, T3>,
    o4: Op<NoInfer<T3>, T4>,
    o5: Op<NoInfer<T4>, T5>,
    o6: Op<NoInfer<T5>, T6>,
    o7: Op<NoInfer<T6>, T7>,
    o8: Op<NoInfer<T7>, T8>,
    o9: Op<NoInfer<T8>, T9>,
    o10: Op<NoInfer<T9>, T10>,
    o11: Op<NoInfer<T10>, T11>,
    o12: Op<NoInfer<T11>, T12>,
    o13: Op<NoInfer<T12>, T13>,
    o14: Op<NoInfer<T13>, T14>,
    o15: Op<NoInfer<T14>, T15>,
    o16: Op<NoInfer<T15>, T16>,
    o17: Op<NoInfer<T16>, T17>,
    o18: Op<NoInfer<T17>, T18>,
  ): Stream<T18>;
  pipe<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14, T15, T16, T17, T18, T19>(
    o1: Op<A, T1>,
    o2: Op<NoInfer<T1>, T2>,
    o3: Op<NoInfer<T2>, T3>,
    o4: Op<NoInfer<T3>, T4>,
    o5: Op<NoInfer<T4>, T5>,
    o6: Op<NoInfer<T5>, T6>,
    o7: Op<NoInfer<T6>, T7>,
    o8: Op<NoInfer<T7>, T8>,
    o9: Op<NoInfer<T8>, T9>,
    o10: Op<NoInfer<T9>, T10>,
    o11: Op<NoInfer<T10>, T11>,
    o12: Op<NoInfer<T11>, T12>,
    o13: Op<NoInfer<T12>, T13>,
    o14: Op<NoInfer<T13>, T14>,
    o15: Op<NoInfer<T14>, T15>,
    o16: Op<NoInfer<T15>, T16>,
    o17: Op<NoInfer<T16>, T17>,
    o18: Op<NoInfer<T17>, T18>,
    o19: Op<NoInfer<T18>, T19>,
  ): Stream<T19>;
  pipe<T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14, T15, T16, T17, T18, T19, T20>(
    o1: Op<A, T1>,
    o2: Op<NoInfer<T1>, T2>,
    o3: Op<NoInfer<T2>, T3>,
    o4: Op<NoInfer<T3>, T4>,
    o5: Op<NoInfer<T4>, T5>,
    o6: Op<NoInfer<T5>, T6>,
    o7: Op<NoInfer<T6>, T7>,
    o8: Op<NoInfer<T7>, T8>,
    o9: Op<NoInfer<T8>, T9>,
    o10: Op<NoInfer<T9>, T10>,
    o11: Op<NoInfer<T10>, T11>,
    o12: Op<NoInfer<T11>, T12>,
    o13: Op<NoInfer<T12>, T13>,
    o14: Op<NoInfer<T13>, T14>,
    o15: Op<NoInfer<T14>, T15>,
    o16: Op<NoInfer<T15>, T16>,
    o17: Op<NoInfer<T16>, T17>,
    o18: Op<NoInfer<T17>, T18>,
    o19: Op<NoInfer<T18>, T19>,
    o20: Op<NoInfer<T19>, T20>,
  ): Stream<T20>;
  pipe(...operators: readonly Op<Any, Any>[]): Stream<Any> {
    let node = this.node;
    for (const op of operators) {
      for (const spec of unfold(op)) {
        node = { topic: null, parent: node, spec };
      }
    }
    return new Stream(node);
  }

  /** The plan as data. */
  describe(): PlanDescription {
    return describeNodes([this.node]);
  }

  /** The plan as text, a node a line. */
  toText(): string {
    return toText(this.describe());
  }

  /** The plan as a Mermaid flow chart. */
  toMermaid(): string {
    return toMermaid(this.describe());
  }
}

/** The records of a topic. */
export function stream<A>(from: Topic<A>): Stream<A> {
  return new Stream<A>({ topic: from, parent: null, spec: null });
}
