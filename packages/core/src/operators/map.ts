import type { OperatorFunction } from "rxjs";
import { type FailureOptions, failureParts } from "../topology/failure.ts";
import { operatorSpec } from "../topology/node.ts";
import { operator } from "../topology/operator.ts";
import { checkFunction } from "../topology/options.ts";
import type { RecordInfo } from "../topology/record.ts";
import { type StageFactory, scope } from "../topology/stage.ts";
import { aroundPush, wrappable } from "./around.ts";

/**
 * Each value as `f` makes it, synchronously and in order. For promises use `mapOrdered`. `options` say what happens to a
 * value for which `f` throws. Throws `InvalidOption` for options that make no sense.
 *
 * @example
 * ```ts
 * stream(orders).pipe(map((order) => order.total), …)
 * ```
 */
export function map<A, B>(
  f: (value: A, record: RecordInfo) => B,
  options: FailureOptions<NoInfer<A>> = {},
): OperatorFunction<A, B> {
  checkFunction("map: its first argument", f);
  const parts = failureParts("map", options);
  return operator(
    wrappable({
      f,
      named: f.name,
      wrap: aroundPush,
      make: (call) => operatorSpec({ kind: "map", detail: f.name, ...parts, stage: mapStage(call) }),
    }),
  );
}

function mapStage<A, B>(f: (value: A, record: RecordInfo) => B): StageFactory<A, B> {
  return (down, env) => ({
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
}
