import type { OperatorFunction } from "rxjs";
import { type FailureOptions, failureParts } from "../topology/failure.ts";
import { operatorSpec } from "../topology/node.ts";
import { operator } from "../topology/operator.ts";
import { checkFunction } from "../topology/options.ts";
import type { RecordInfo } from "../topology/record.ts";
import { type StageFactory, scope } from "../topology/stage.ts";
import { aroundPush, wrappable } from "./around.ts";

/** Calls `f` with each value and passes the value on. After a crash, records that were not committed are seen again. */
export function tap<A>(
  f: (value: A, record: RecordInfo) => void,
  options: FailureOptions<NoInfer<A>> = {},
): OperatorFunction<A, A> {
  checkFunction("tap: its first argument", f);
  const parts = failureParts("tap", options);
  return operator(
    wrappable({
      f,
      named: f.name,
      wrap: aroundPush,
      make: (call) =>
        operatorSpec({ kind: "tap", detail: f.name, passesValues: true, ...parts, stage: tapStage(call) }),
    }),
  );
}

function tapStage<A>(f: (value: A, record: RecordInfo) => void): StageFactory<A, A> {
  return (down, env) => ({
    next: (value) => {
      try {
        f(value, scope.record);
      } catch (cause) {
        throw env.failure(cause, scope.record);
      }
      down.next(value);
    },
    watermark: (timeMs) => down.watermark(timeMs),
    complete: () => down.complete(),
    stop: () => down.stop(),
  });
}
