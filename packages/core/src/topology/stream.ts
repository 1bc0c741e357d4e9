import type { OperatorFunction as Op } from "rxjs";
import type { Any } from "./any.ts";
import { describeNodes, type PlanDescription, toMermaid, toText } from "./describe.ts";
import { type DeadLetterOptions, type FailureOptions, failurePolicy } from "./failure.ts";
import type { PlanNode } from "./node.ts";
import { unfold } from "./operator.ts";
import { checkOptions } from "./options.ts";
import type { Topic } from "./topic.ts";

/** What a stream is behind a sink. `pipeline` takes nothing else, so a missing sink does not compile. */
export interface Sunk {
  readonly endsInASink: unique symbol;
}

/**
 * Up to 20 operators, each typed by the one before it.
 *
 * `NoInfer`: an operator that does not fit is reported where it stands, not at the one in front. `= never`: while TypeScript
 * postpones a generic call such as `map(f)`, what it yields is not `unknown`, which a ready-made operator behind it would refuse.
 */
// biome-ignore format: a table, one row for each number of operators.
interface Pipe<out A> {
  <T1 = never>(o1: Op<A, T1>): Stream<T1>;
  <T1 = never, T2 = never>(o1: Op<A, T1>, o2: Op<NoInfer<T1>, T2>): Stream<T2>;
  <T1 = never, T2 = never, T3 = never>(o1: Op<A, T1>, o2: Op<NoInfer<T1>, T2>, o3: Op<NoInfer<T2>, T3>): Stream<T3>;
  <T1 = never, T2 = never, T3 = never, T4 = never>(o1: Op<A, T1>, o2: Op<NoInfer<T1>, T2>, o3: Op<NoInfer<T2>, T3>, o4: Op<NoInfer<T3>, T4>): Stream<T4>;
  <T1 = never, T2 = never, T3 = never, T4 = never, T5 = never>(o1: Op<A, T1>, o2: Op<NoInfer<T1>, T2>, o3: Op<NoInfer<T2>, T3>, o4: Op<NoInfer<T3>, T4>, o5: Op<NoInfer<T4>, T5>): Stream<T5>;
  <T1 = never, T2 = never, T3 = never, T4 = never, T5 = never, T6 = never>(o1: Op<A, T1>, o2: Op<NoInfer<T1>, T2>, o3: Op<NoInfer<T2>, T3>, o4: Op<NoInfer<T3>, T4>, o5: Op<NoInfer<T4>, T5>, o6: Op<NoInfer<T5>, T6>): Stream<T6>;
  <T1 = never, T2 = never, T3 = never, T4 = never, T5 = never, T6 = never, T7 = never>(o1: Op<A, T1>, o2: Op<NoInfer<T1>, T2>, o3: Op<NoInfer<T2>, T3>, o4: Op<NoInfer<T3>, T4>, o5: Op<NoInfer<T4>, T5>, o6: Op<NoInfer<T5>, T6>, o7: Op<NoInfer<T6>, T7>): Stream<T7>;
  <T1 = never, T2 = never, T3 = never, T4 = never, T5 = never, T6 = never, T7 = never, T8 = never>(o1: Op<A, T1>, o2: Op<NoInfer<T1>, T2>, o3: Op<NoInfer<T2>, T3>, o4: Op<NoInfer<T3>, T4>, o5: Op<NoInfer<T4>, T5>, o6: Op<NoInfer<T5>, T6>, o7: Op<NoInfer<T6>, T7>, o8: Op<NoInfer<T7>, T8>): Stream<T8>;
  <T1 = never, T2 = never, T3 = never, T4 = never, T5 = never, T6 = never, T7 = never, T8 = never, T9 = never>(o1: Op<A, T1>, o2: Op<NoInfer<T1>, T2>, o3: Op<NoInfer<T2>, T3>, o4: Op<NoInfer<T3>, T4>, o5: Op<NoInfer<T4>, T5>, o6: Op<NoInfer<T5>, T6>, o7: Op<NoInfer<T6>, T7>, o8: Op<NoInfer<T7>, T8>, o9: Op<NoInfer<T8>, T9>): Stream<T9>;
  <T1 = never, T2 = never, T3 = never, T4 = never, T5 = never, T6 = never, T7 = never, T8 = never, T9 = never, T10 = never>(o1: Op<A, T1>, o2: Op<NoInfer<T1>, T2>, o3: Op<NoInfer<T2>, T3>, o4: Op<NoInfer<T3>, T4>, o5: Op<NoInfer<T4>, T5>, o6: Op<NoInfer<T5>, T6>, o7: Op<NoInfer<T6>, T7>, o8: Op<NoInfer<T7>, T8>, o9: Op<NoInfer<T8>, T9>, o10: Op<NoInfer<T9>, T10>): Stream<T10>;
  <T1 = never, T2 = never, T3 = never, T4 = never, T5 = never, T6 = never, T7 = never, T8 = never, T9 = never, T10 = never, T11 = never>(o1: Op<A, T1>, o2: Op<NoInfer<T1>, T2>, o3: Op<NoInfer<T2>, T3>, o4: Op<NoInfer<T3>, T4>, o5: Op<NoInfer<T4>, T5>, o6: Op<NoInfer<T5>, T6>, o7: Op<NoInfer<T6>, T7>, o8: Op<NoInfer<T7>, T8>, o9: Op<NoInfer<T8>, T9>, o10: Op<NoInfer<T9>, T10>, o11: Op<NoInfer<T10>, T11>): Stream<T11>;
  <T1 = never, T2 = never, T3 = never, T4 = never, T5 = never, T6 = never, T7 = never, T8 = never, T9 = never, T10 = never, T11 = never, T12 = never>(o1: Op<A, T1>, o2: Op<NoInfer<T1>, T2>, o3: Op<NoInfer<T2>, T3>, o4: Op<NoInfer<T3>, T4>, o5: Op<NoInfer<T4>, T5>, o6: Op<NoInfer<T5>, T6>, o7: Op<NoInfer<T6>, T7>, o8: Op<NoInfer<T7>, T8>, o9: Op<NoInfer<T8>, T9>, o10: Op<NoInfer<T9>, T10>, o11: Op<NoInfer<T10>, T11>, o12: Op<NoInfer<T11>, T12>): Stream<T12>;
  <T1 = never, T2 = never, T3 = never, T4 = never, T5 = never, T6 = never, T7 = never, T8 = never, T9 = never, T10 = never, T11 = never, T12 = never, T13 = never>(o1: Op<A, T1>, o2: Op<NoInfer<T1>, T2>, o3: Op<NoInfer<T2>, T3>, o4: Op<NoInfer<T3>, T4>, o5: Op<NoInfer<T4>, T5>, o6: Op<NoInfer<T5>, T6>, o7: Op<NoInfer<T6>, T7>, o8: Op<NoInfer<T7>, T8>, o9: Op<NoInfer<T8>, T9>, o10: Op<NoInfer<T9>, T10>, o11: Op<NoInfer<T10>, T11>, o12: Op<NoInfer<T11>, T12>, o13: Op<NoInfer<T12>, T13>): Stream<T13>;
  <T1 = never, T2 = never, T3 = never, T4 = never, T5 = never, T6 = never, T7 = never, T8 = never, T9 = never, T10 = never, T11 = never, T12 = never, T13 = never, T14 = never>(o1: Op<A, T1>, o2: Op<NoInfer<T1>, T2>, o3: Op<NoInfer<T2>, T3>, o4: Op<NoInfer<T3>, T4>, o5: Op<NoInfer<T4>, T5>, o6: Op<NoInfer<T5>, T6>, o7: Op<NoInfer<T6>, T7>, o8: Op<NoInfer<T7>, T8>, o9: Op<NoInfer<T8>, T9>, o10: Op<NoInfer<T9>, T10>, o11: Op<NoInfer<T10>, T11>, o12: Op<NoInfer<T11>, T12>, o13: Op<NoInfer<T12>, T13>, o14: Op<NoInfer<T13>, T14>): Stream<T14>;
  <T1 = never, T2 = never, T3 = never, T4 = never, T5 = never, T6 = never, T7 = never, T8 = never, T9 = never, T10 = never, T11 = never, T12 = never, T13 = never, T14 = never, T15 = never>(o1: Op<A, T1>, o2: Op<NoInfer<T1>, T2>, o3: Op<NoInfer<T2>, T3>, o4: Op<NoInfer<T3>, T4>, o5: Op<NoInfer<T4>, T5>, o6: Op<NoInfer<T5>, T6>, o7: Op<NoInfer<T6>, T7>, o8: Op<NoInfer<T7>, T8>, o9: Op<NoInfer<T8>, T9>, o10: Op<NoInfer<T9>, T10>, o11: Op<NoInfer<T10>, T11>, o12: Op<NoInfer<T11>, T12>, o13: Op<NoInfer<T12>, T13>, o14: Op<NoInfer<T13>, T14>, o15: Op<NoInfer<T14>, T15>): Stream<T15>;
  <T1 = never, T2 = never, T3 = never, T4 = never, T5 = never, T6 = never, T7 = never, T8 = never, T9 = never, T10 = never, T11 = never, T12 = never, T13 = never, T14 = never, T15 = never, T16 = never>(o1: Op<A, T1>, o2: Op<NoInfer<T1>, T2>, o3: Op<NoInfer<T2>, T3>, o4: Op<NoInfer<T3>, T4>, o5: Op<NoInfer<T4>, T5>, o6: Op<NoInfer<T5>, T6>, o7: Op<NoInfer<T6>, T7>, o8: Op<NoInfer<T7>, T8>, o9: Op<NoInfer<T8>, T9>, o10: Op<NoInfer<T9>, T10>, o11: Op<NoInfer<T10>, T11>, o12: Op<NoInfer<T11>, T12>, o13: Op<NoInfer<T12>, T13>, o14: Op<NoInfer<T13>, T14>, o15: Op<NoInfer<T14>, T15>, o16: Op<NoInfer<T15>, T16>): Stream<T16>;
  <T1 = never, T2 = never, T3 = never, T4 = never, T5 = never, T6 = never, T7 = never, T8 = never, T9 = never, T10 = never, T11 = never, T12 = never, T13 = never, T14 = never, T15 = never, T16 = never, T17 = never>(o1: Op<A, T1>, o2: Op<NoInfer<T1>, T2>, o3: Op<NoInfer<T2>, T3>, o4: Op<NoInfer<T3>, T4>, o5: Op<NoInfer<T4>, T5>, o6: Op<NoInfer<T5>, T6>, o7: Op<NoInfer<T6>, T7>, o8: Op<NoInfer<T7>, T8>, o9: Op<NoInfer<T8>, T9>, o10: Op<NoInfer<T9>, T10>, o11: Op<NoInfer<T10>, T11>, o12: Op<NoInfer<T11>, T12>, o13: Op<NoInfer<T12>, T13>, o14: Op<NoInfer<T13>, T14>, o15: Op<NoInfer<T14>, T15>, o16: Op<NoInfer<T15>, T16>, o17: Op<NoInfer<T16>, T17>): Stream<T17>;
  <T1 = never, T2 = never, T3 = never, T4 = never, T5 = never, T6 = never, T7 = never, T8 = never, T9 = never, T10 = never, T11 = never, T12 = never, T13 = never, T14 = never, T15 = never, T16 = never, T17 = never, T18 = never>(o1: Op<A, T1>, o2: Op<NoInfer<T1>, T2>, o3: Op<NoInfer<T2>, T3>, o4: Op<NoInfer<T3>, T4>, o5: Op<NoInfer<T4>, T5>, o6: Op<NoInfer<T5>, T6>, o7: Op<NoInfer<T6>, T7>, o8: Op<NoInfer<T7>, T8>, o9: Op<NoInfer<T8>, T9>, o10: Op<NoInfer<T9>, T10>, o11: Op<NoInfer<T10>, T11>, o12: Op<NoInfer<T11>, T12>, o13: Op<NoInfer<T12>, T13>, o14: Op<NoInfer<T13>, T14>, o15: Op<NoInfer<T14>, T15>, o16: Op<NoInfer<T15>, T16>, o17: Op<NoInfer<T16>, T17>, o18: Op<NoInfer<T17>, T18>): Stream<T18>;
  <T1 = never, T2 = never, T3 = never, T4 = never, T5 = never, T6 = never, T7 = never, T8 = never, T9 = never, T10 = never, T11 = never, T12 = never, T13 = never, T14 = never, T15 = never, T16 = never, T17 = never, T18 = never, T19 = never>(o1: Op<A, T1>, o2: Op<NoInfer<T1>, T2>, o3: Op<NoInfer<T2>, T3>, o4: Op<NoInfer<T3>, T4>, o5: Op<NoInfer<T4>, T5>, o6: Op<NoInfer<T5>, T6>, o7: Op<NoInfer<T6>, T7>, o8: Op<NoInfer<T7>, T8>, o9: Op<NoInfer<T8>, T9>, o10: Op<NoInfer<T9>, T10>, o11: Op<NoInfer<T10>, T11>, o12: Op<NoInfer<T11>, T12>, o13: Op<NoInfer<T12>, T13>, o14: Op<NoInfer<T13>, T14>, o15: Op<NoInfer<T14>, T15>, o16: Op<NoInfer<T15>, T16>, o17: Op<NoInfer<T16>, T17>, o18: Op<NoInfer<T17>, T18>, o19: Op<NoInfer<T18>, T19>): Stream<T19>;
  <T1 = never, T2 = never, T3 = never, T4 = never, T5 = never, T6 = never, T7 = never, T8 = never, T9 = never, T10 = never, T11 = never, T12 = never, T13 = never, T14 = never, T15 = never, T16 = never, T17 = never, T18 = never, T19 = never, T20 = never>(o1: Op<A, T1>, o2: Op<NoInfer<T1>, T2>, o3: Op<NoInfer<T2>, T3>, o4: Op<NoInfer<T3>, T4>, o5: Op<NoInfer<T4>, T5>, o6: Op<NoInfer<T5>, T6>, o7: Op<NoInfer<T6>, T7>, o8: Op<NoInfer<T7>, T8>, o9: Op<NoInfer<T8>, T9>, o10: Op<NoInfer<T9>, T10>, o11: Op<NoInfer<T10>, T11>, o12: Op<NoInfer<T11>, T12>, o13: Op<NoInfer<T12>, T13>, o14: Op<NoInfer<T13>, T14>, o15: Op<NoInfer<T14>, T15>, o16: Op<NoInfer<T15>, T16>, o17: Op<NoInfer<T16>, T17>, o18: Op<NoInfer<T17>, T18>, o19: Op<NoInfer<T18>, T19>, o20: Op<NoInfer<T19>, T20>): Stream<T20>;
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
  readonly pipe: Pipe<A> = (...operators: readonly Op<Any, Any>[]): Stream<Any> => {
    let node = this.node;
    for (const op of operators) {
      for (const spec of unfold(op)) {
        node = { topic: null, parent: node, spec };
      }
    }
    return new Stream(node);
  };

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

/** What happens to entries of a topic that do not decode. Their operator's name is the topic's. */
export type StreamOptions = Pick<FailureOptions<string>, "onError"> & {
  readonly deadLetters?: Pick<DeadLetterOptions<string>, "topic">;
};

/** The records of a topic. `options` say what happens to entries that do not decode. Throws `InvalidOption`. */
export function stream<A>(from: Topic<A>, options: StreamOptions = {}): Stream<A> {
  checkOptions("stream", options, ["onError", "deadLetters"]);
  return new Stream<A>({ topic: from, parent: null, spec: null, failure: failurePolicy("stream", options) });
}
