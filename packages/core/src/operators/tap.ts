import type { OperatorFunction } from "rxjs";
import { operatorSpec } from "../topology/node.ts";
import { operator } from "../topology/operator.ts";
import type { RecordInfo } from "../topology/record.ts";
import { type StageFactory, scope } from "../topology/stage.ts";

/** Calls `f` with each value and passes the value on. After a crash, records that were not committed are seen again. */
export function tap<A>(f: (value: A, record: RecordInfo) => void): OperatorFunction<A, A> {
  const stage: StageFactory<A, A> = (down, env) => ({
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
  return operator(operatorSpec({ kind: "tap", detail: f.name, passesValues: true, stage }));
}
