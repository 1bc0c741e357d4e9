import type { OperatorFunction } from "rxjs";
import { MillraceError } from "../errors.ts";
import { quote } from "../kernel/name.ts";
import type { Any } from "../topology/any.ts";
import type { AroundHandler, OperatorSpec } from "../topology/node.ts";
import { operator, unfold } from "../topology/operator.ts";
import type { RecordInfo } from "../topology/record.ts";
import type { Handler } from "./handler.ts";

const WRAPPABLE = "map, filter, tap, flatMap, mapOrdered, flatMapOrdered, mapUnordered, sink(fn)";

/**
 * Puts a handler around every call of an operator's function: to measure, trace, log, or pass a context on. Returns a function
 * that takes an operator and gives it back with the handler; the operator is otherwise the same, in a pipeline and on an
 * ordinary Observable. The last one that was put around is called first.
 *
 * - The handler returns what `next` returns, or its own in place of it. For `map`, `filter`, `tap` and `flatMap` (of which
 *   `next` returns an array) that is no promise; a handler that returns one there fails with `InvalidOperator`. For the others
 *   it is a promise, and the handler may be `async`.
 * - `next` may be left out: the function is not called then. It may be called again: so is the function, with the same
 *   arguments; within a call of `mapOrdered` that is the handler's own affair, `attempt` counts only what `retry` repeats.
 * - What the handler throws, or rejects with, counts as thrown by the function: `retry` and `onError` treat it alike.
 * - `timeout` is that of handler and function together.
 * - Of a batch of `sink(fn)`, `info.record` is the first record.
 *
 * A function composed of operators gets the handler around each of them. Throws `InvalidOption` for an operator that calls no
 * function for its values, alone or among others: `sink(topic)`, `partitionBy`, `window`, RxJS's own.
 *
 * @example
 * ```ts
 * const timed = around(async (next, { operator }) => {
 *   const startMs = performance.now();
 *   try {
 *     return await next();
 *   } finally {
 *     metrics.observe(operator, performance.now() - startMs);
 *   }
 * });
 * stream(orders).pipe(timed(mapOrdered(enrich)), sink(enriched))
 * ```
 */
export function around(handler: AroundHandler): <A, B>(op: OperatorFunction<A, B>) => OperatorFunction<A, B> {
  if (typeof handler !== "function") {
    throw new MillraceError("InvalidOption", `around: the handler must be a function, not ${quote(handler)}`);
  }
  return (op) => {
    const wrapped = unfold(op).map((spec) => operator<Any, Any>(wrap(spec, handler)));
    const [first, ...others] = wrapped;
    if (first === undefined) {
      throw new MillraceError("InvalidOption", `around: there is no operator to put a handler around (${WRAPPABLE})`);
    }
    return others.length === 0 ? first : (source) => wrapped.reduce((before, apply) => apply(before), source as Any);
  };
}

function wrap(spec: OperatorSpec, handler: AroundHandler): OperatorSpec {
  if (spec.around === null) {
    const named = called(spec.kind, spec.name ?? spec.sink?.name ?? "");
    throw new MillraceError(
      "InvalidOption",
      `around: "${named}" calls no function for its values: put the handler around those that do (${WRAPPABLE})`,
    );
  }
  return spec.around(handler);
}

/** How a handler is told of an operator. `name`: the one that it was given, else that of its function. */
function called(kind: string, name: string): string {
  return name === "" ? kind : `${kind} ${name}`;
}

/** An operator that can be made for another function. */
interface Wrappable<F> {
  readonly f: F;
  /** The name of the user's function. */
  readonly named: string;
  readonly make: (f: F) => OperatorSpec;
  /** The function with a handler around each call. */
  readonly wrap: (f: F, operatorName: string, handler: AroundHandler) => F;
}

/** The spec of an operator around whose function handlers can be put. */
export function wrappable<F>(of: Wrappable<F>): OperatorSpec {
  const spec = { ...of.make(of.f), functionName: of.named };
  const operatorName = called(spec.kind, spec.name ?? of.named);
  return { ...spec, around: (handler) => wrappable({ ...of, f: of.wrap(of.f, operatorName, handler) }) };
}

/** The function of an operator that works within the push, with a handler around each call. */
export function aroundPush<Args extends readonly [unknown, RecordInfo, ...unknown[]], R>(
  f: (...args: Args) => R,
  operatorName: string,
  handler: AroundHandler,
): (...args: Args) => R {
  return (...args) => {
    let isAsync = false;
    const next = (): R => {
      const result = f(...args);
      isAsync = isPromiseLike(result);
      return result;
    };
    const result = handler(next, { operator: operatorName, record: args[1], attempt: 1 });
    if (!isAsync && isPromiseLike(result)) {
      // The error below takes its place: nobody waits for what it rejects with.
      result.then(undefined, () => {});
      throw new MillraceError(
        "InvalidOperator",
        `around: the handler returned a promise, but "${operatorName}" is synchronous: use a handler without async, or mapOrdered`,
      );
    }
    return result as R;
  };
}

/** The handler of an operator that waits for promises, with another one around each call. */
export function aroundCall<A, B>(f: Handler<A, B>, operatorName: string, handler: AroundHandler): Handler<A, B> {
  return (value, record, call) => {
    const { attempt } = call;
    return handler(() => f(value, record, call), { operator: operatorName, record, attempt }) as PromiseLike<B>;
  };
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
