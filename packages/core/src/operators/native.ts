import type { OperatorFunction } from "rxjs";
import { type NativeOptions, nativeSpec } from "../topology/native-section.ts";
import { operator } from "../topology/operator.ts";

/**
 * Names a foreign RxJS operator, and says what the runtime cannot see of it.
 *
 * A foreign operator runs as it is, one record at a time. A record from which nothing comes out stays unacknowledged until
 * a later one yields something; `stateless` says that nothing will come. Its memory starts empty on every owner of a task.
 * Operators that emit on their own, work asynchronously or complete stop the task with an error.
 */
export function native<A, B>(
  name: string,
  op: OperatorFunction<A, B>,
  options: Omit<NativeOptions, "name"> = {},
): OperatorFunction<A, B> {
  return operator(nativeSpec(op, { ...options, name }), op);
}
