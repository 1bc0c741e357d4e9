import type { OperatorFunction } from "rxjs";
import { operatorSpec } from "../topology/node.ts";
import { operator } from "../topology/operator.ts";
import type { RecordInfo } from "../topology/record.ts";
import { type StageFactory, scope } from "../topology/stage.ts";

/**
 * Each value as `f` makes it, synchronously and in order. For promises use `mapOrdered`.
 *
 * @example
 * ```ts
 * stream(orders).pipe(map((order) => order.total), …)
 * ```
 */
export function map<A, B>(f: (value: A, record: RecordInfo) => B): OperatorFunction<A, B> {
  const stage: StageFactory<A, B> = (down, env) => ({
    next: (value) => {
      let result: B;
      try {
        result = f(value, scope.record);
      } catch (cause) {
        throw env.failure(cause, scope.record);
      }
      down.next(result);
    },
    watermark: (timeMs) => down.watermark(timeMs),
    complete: () => down.complete(),
    stop: () => down.stop(),
  });
  return operator(operatorSpec({ kind: "map", detail: f.name, stage }));
}
