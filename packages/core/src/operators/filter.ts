import type { OperatorFunction } from "rxjs";
import { type FailureOptions, failureParts } from "../topology/failure.ts";
import { operatorSpec } from "../topology/node.ts";
import { operator } from "../topology/operator.ts";
import { checkFunction } from "../topology/options.ts";
import type { RecordInfo } from "../topology/record.ts";
import { type StageFactory, scope } from "../topology/stage.ts";
import { aroundPush, wrappable } from "./around.ts";

/** Keeps the values that the predicate accepts, narrowed by a type guard. A dropped record counts as processed. */
export function filter<A, B extends A>(
  predicate: (value: A, record: RecordInfo) => value is B,
  options?: FailureOptions<NoInfer<A>>,
): OperatorFunction<A, B>;
/** Keeps the values for which the predicate is true. A dropped record counts as processed. */
export function filter<A>(
  predicate: (value: A, record: RecordInfo) => boolean,
  options?: FailureOptions<NoInfer<A>>,
): OperatorFunction<A, A>;
export function filter<A>(
  predicate: (value: A, record: RecordInfo) => boolean,
  options: FailureOptions<NoInfer<A>> = {},
): OperatorFunction<A, A> {
  checkFunction("filter: its first argument", predicate);
  const parts = failureParts("filter", options);
  return operator(
    wrappable({
      f: predicate,
      named: predicate.name,
      wrap: aroundPush,
      make: (call) =>
        operatorSpec({
          kind: "filter",
          detail: predicate.name,
          passesValues: true,
          ...parts,
          stage: filterStage(call),
        }),
    }),
  );
}

function filterStage<A>(predicate: (value: A, record: RecordInfo) => boolean): StageFactory<A, A> {
  return (down, env) => ({
    next: (value) => {
      let kept: boolean;
      try {
        kept = predicate(value, scope.record);
      } catch (cause) {
        throw env.failure(cause, scope.record);
      }
      if (kept) {
        down.next(value);
      }
    },
    watermark: (timeMs) => down.watermark(timeMs),
    complete: () => down.complete(),
    stop: () => down.stop(),
  });
}
