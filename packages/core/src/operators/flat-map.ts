import type { OperatorFunction } from "rxjs";
import { MillraceError } from "../errors.ts";
import { operatorSpec } from "../topology/node.ts";
import { operator } from "../topology/operator.ts";
import type { RecordInfo } from "../topology/record.ts";
import { type StageFactory, scope } from "../topology/stage.ts";

/** The most values that one record may become: its outputs travel in one commit. */
const MAX_RESULTS = 1_000;

/**
 * Each value as the values that `f` yields, in their order. At most 1,000 for one record; more is an error, because all of
 * them are committed in one step.
 */
export function flatMap<A, B>(f: (value: A, record: RecordInfo) => Iterable<B>): OperatorFunction<A, B> {
  const stage: StageFactory<A, B> = (down, env) => ({
    next: (value) => {
      let results: B[];
      try {
        results = take(f(value, scope.record), env.inTask ? MAX_RESULTS : Number.POSITIVE_INFINITY);
      } catch (cause) {
        throw env.failure(cause, scope.record);
      }
      for (const result of results) {
        down.next(result);
      }
    },
    watermark: (timeMs) => down.watermark(timeMs),
    complete: () => down.complete(),
    stop: () => down.stop(),
  });
  return operator(operatorSpec({ kind: "flatMap", detail: f.name, stage }));
}

/** Ends the iteration at the limit, so that an endless generator is an error and not a hang. */
function take<B>(results: Iterable<B>, most: number): B[] {
  const taken: B[] = [];
  for (const result of results) {
    if (taken.length === most) {
      throw new MillraceError(
        "InvalidOperator",
        `flatMap yielded more than ${MAX_RESULTS} values for one record: split the work over several records`,
      );
    }
    taken.push(result);
  }
  return taken;
}
