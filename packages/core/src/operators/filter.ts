import type { OperatorFunction } from "rxjs";
import { operatorSpec } from "../topology/node.ts";
import { operator } from "../topology/operator.ts";
import type { RecordInfo } from "../topology/record.ts";
import { type StageFactory, scope } from "../topology/stage.ts";

/** Keeps the values that the predicate accepts, narrowed by a type guard. A dropped record counts as processed. */
export function filter<A, B extends A>(predicate: (value: A, record: RecordInfo) => value is B): OperatorFunction<A, B>;
/** Keeps the values for which the predicate is true. A dropped record counts as processed. */
export function filter<A>(predicate: (value: A, record: RecordInfo) => boolean): OperatorFunction<A, A>;
export function filter<A>(predicate: (value: A, record: RecordInfo) => boolean): OperatorFunction<A, A> {
  const stage: StageFactory<A, A> = (down, env) => ({
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
  return operator(operatorSpec({ kind: "filter", detail: predicate.name, passesValues: true, stage }));
}
