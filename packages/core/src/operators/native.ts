import type { OperatorFunction } from "rxjs";
import { type NativeOptions, nativeSpec } from "../topology/native-section.ts";
import { operator } from "../topology/operator.ts";

/**
 * Names a foreign RxJS operator, and says what the runtime cannot see of it. Several in one `rx.pipe(…)` become one section:
 * needed where one hands Observables to the next, as `groupBy` does.
 *
 * A foreign operator runs as it is, one record at a time, and each task has its own. Results keep their order. A record is
 * acknowledged with what comes out while it is pushed; a record from which nothing comes out is held, up to 256 of them,
 * until a later one yields something, and both commit together. Nothing is lost over a crash but what the operator
 * remembers beyond that: its memory starts empty on every owner of a task.
 *
 * What throws fails its record, as in any operator. Operators that emit on their own, work asynchronously, complete, subscribe
 * again or stop listening end the pipeline on this worker with `NativeOperatorError`, which says what to use instead, and
 * commit nothing by guesswork. `docs/guides/rxjs-operators.md` has a table of all.
 *
 * On an ordinary Observable it is `op` itself.
 *
 * @example
 * ```ts
 * native("rare", rx.filter((order: Order) => order.total > 1_000_000), { stateless: true })
 * ```
 */
export function native<A, B>(
  name: string,
  op: OperatorFunction<A, B>,
  options: Omit<NativeOptions, "name"> = {},
): OperatorFunction<A, B> {
  return operator(nativeSpec(op, { ...options, name }), op);
}
