import type { OperatorFunction } from "rxjs";
import { MillraceError } from "../errors.ts";
import { type FailureOptions, failureParts } from "../topology/failure.ts";
import { type AroundHandler, operatorSpec } from "../topology/node.ts";
import { operator } from "../topology/operator.ts";
import { checkFunction } from "../topology/options.ts";
import { PartOfRecord, type RecordInfo } from "../topology/record.ts";
import { type Stage, type StageFactory, scope } from "../topology/stage.ts";
import { aroundPush, wrappable } from "./around.ts";

/** The most values that one record may become: its outputs travel in one commit. */
const MAX_RESULTS = 1_000;

/** Calls the user's function and takes what it yields. */
type Spread<A, B> = (value: A, record: RecordInfo, inTask: boolean) => B[];

/**
 * Each value as the values that `f` yields, in their order. At most 1,000 for one record; more is an error, because all of
 * them are committed in one step.
 */
export function flatMap<A, B>(
  f: (value: A, record: RecordInfo) => Iterable<B>,
  options: FailureOptions<NoInfer<A>> = {},
): OperatorFunction<A, B> {
  checkFunction("flatMap: its first argument", f);
  const parts = failureParts("flatMap", options);
  const spread: Spread<A, B> = (value, record, inTask) => taken("flatMap", f(value, record), inTask);
  return operator(
    wrappable({
      f: spread,
      named: f.name,
      wrap: aroundSpread,
      make: (call) => operatorSpec({ kind: "flatMap", detail: f.name, ...parts, stage: flatMapStage(call) }),
    }),
  );
}

function aroundSpread<A, B>(spread: Spread<A, B>, operatorName: string, handler: AroundHandler): Spread<A, B> {
  const wrapped = aroundPush(spread, operatorName, handler);
  return (value, record, inTask) => taken("flatMap", wrapped(value, record, inTask), inTask);
}

function flatMapStage<A, B>(spread: Spread<A, B>): StageFactory<A, B> {
  return (down, env) => ({
    next: (value) => {
      let results: B[];
      try {
        results = spread(value, scope.record, env.inTask);
      } catch (cause) {
        throw env.failure(cause, scope.record);
      }
      pushParts(results, down);
    },
    watermark: (timeMs) => down.watermark(timeMs),
    complete: () => down.complete(),
    stop: () => down.stop(),
  });
}

/** Pushes what was made of the current record, each part told from the others. */
export function pushParts<B>(results: readonly B[], down: Stage<B>): void {
  const whole = scope.record;
  try {
    for (const [index, result] of results.entries()) {
      scope.record = new PartOfRecord(whole, index);
      down.next(result);
    }
  } finally {
    scope.record = whole;
  }
}

/** All results. In a task the iteration ends at the limit, so that an endless generator is an error and not a hang. */
export function taken<B>(kind: string, results: Iterable<B>, inTask: boolean): B[] {
  const all: B[] = [];
  for (const result of results) {
    if (inTask && all.length === MAX_RESULTS) {
      throw new MillraceError(
        "InvalidOperator",
        `${kind} yielded more than ${MAX_RESULTS} values for one record: split the work over several records`,
      );
    }
    all.push(result);
  }
  return all;
}
