import type { OperatorFunction } from "rxjs";
import { MillraceError } from "../errors.ts";
import { quote } from "../kernel/name.ts";
import { type FailureOptions, type FailurePolicy, failureParts } from "../topology/failure.ts";
import { type OperatorSpec, operatorSpec } from "../topology/node.ts";
import { operator } from "../topology/operator.ts";
import { checkFunction } from "../topology/options.ts";
import type { RecordInfo } from "../topology/record.ts";
import { aroundCall, wrappable } from "./around.ts";
import { CALL_OPTIONS, type CallOptions, callingOf, wholeOption } from "./call-options.ts";
import { taken } from "./flat-map.ts";
import type { Handler } from "./handler.ts";
import { type Handling, MapOrderedStage } from "./map-ordered-stage.ts";

/** How handlers run beside each other, and what happens when one is late or fails. */
export interface MapOrderedOptions<A> extends CallOptions, FailureOptions<A> {
  /** Handlers that run at once, in each task. A whole number >= 1; default 16. */
  readonly concurrency?: number;
  /**
   * Which handlers may not overlap: those of one key (the default), of one result of a function, or `"none"`: all may.
   * Records of a topic without a key all have the key `""`: one lane, unless another is said.
   */
  readonly lane?: "key" | "none" | ((value: A, record: RecordInfo) => string);
}

/**
 * Each value as the promise of `f` resolves, in the order of the input. Handlers of one key never overlap; those of
 * different keys run beside each other, up to `concurrency`, and later values wait for earlier results before they leave.
 *
 * A record is acknowledged when its result has left downstream and was committed. A handler that fails is called again as
 * `retry` says; when that is used up, the task stops, and what came before the record commits. After a crash, handlers of
 * records that were not committed run again: side effects are at-least-once, and `call.idempotencyKey` lets the other side
 * recognise them. In a task the number of waiting values is bounded by the worker's limits; on an ordinary Observable by
 * nothing.
 *
 * Throws `InvalidOption` for options that make no sense.
 *
 * @example
 * ```ts
 * mapOrdered((order, record, { signal }) => enrich(order, signal), {
 *   concurrency: 32,
 *   timeout: "2 s",
 *   retry: { attempts: 5, when: (error) => error instanceof TypeError },
 * })
 * ```
 */
export function mapOrdered<A, B>(f: Handler<A, B>, options: MapOrderedOptions<A> = {}): OperatorFunction<A, B> {
  return operator(handlerSpec("mapOrdered", f, options));
}

/**
 * Each value as the values that the promise of `f` resolves to, at most 1,000, in the order of the input and of the iterable.
 * As {@link mapOrdered} in everything else.
 */
export function flatMapOrdered<A, B>(
  f: Handler<A, Iterable<B>>,
  options: MapOrderedOptions<A> = {},
): OperatorFunction<A, B> {
  return operator(handlerSpec("flatMapOrdered", f, options));
}

/** As {@link MapOrderedOptions}, without lanes: nothing waits for its key. */
export type MapUnorderedOptions<A> = Omit<MapOrderedOptions<A>, "lane">;

/**
 * Each value as the promise of `f` resolves, in the order in which they do, also where they have the same key. A slow
 * handler holds back results of later commit units only. Gives up order (G1) for latency: what needs order cannot stand behind
 * it, and `"park"`, which keeps it, is refused. As {@link mapOrdered} in everything else.
 */
export function mapUnordered<A, B>(f: Handler<A, B>, options: MapUnorderedOptions<A> = {}): OperatorFunction<A, B> {
  return operator(handlerSpec("mapUnordered", f, { ...options, lane: "none" }));
}

function handlerSpec<A>(
  kind: "mapOrdered" | "flatMapOrdered" | "mapUnordered",
  f: Handler<A, unknown>,
  options: MapOrderedOptions<A>,
): OperatorSpec {
  checkFunction(`${kind}: its first argument`, f);
  const { lane = "key" } = options;
  const how = {
    ...handlingOf(kind, f, options),
    spreads: kind === "flatMapOrdered",
    shuffles: kind === "mapUnordered",
  };
  const { name, failure } = failureParts(kind, options, ["concurrency", "lane", ...CALL_OPTIONS]);
  if (lane !== "key") {
    refuseToPark(kind, failure);
  }
  const lanes = how.shuffles ? "" : `lane ${typeof lane === "string" ? lane : "by function"}`;
  const detail = [f.name, `concurrency ${how.concurrency}`, lanes];
  return wrappable({
    f,
    named: f.name,
    wrap: aroundCall,
    make: (call: Handler<A, unknown>) =>
      operatorSpec({
        kind,
        detail: detail.filter((part) => part !== "").join(", "),
        name,
        failure: failure === null ? null : { ...failure, mayPark: lane === "key" },
        handlesFailures: true,
        holds: true,
        shuffles: how.shuffles,
        stage: (down, env) => new MapOrderedStage<A>({ ...how, f: how.spreads ? spread(call) : call }, down, env),
      }),
  });
}

/** The handler's results as a list that has come to its end. */
function spread<A>(f: Handler<A, unknown>): Handler<A, unknown> {
  return async (value, record, call) =>
    taken("flatMapOrdered", (await f(value, record, call)) as Iterable<unknown>, true);
}

/** Calls of one key may have overtaken the one that fails: nothing could keep its later records behind it. */
function refuseToPark(kind: string, failure: FailurePolicy | null): void {
  if (failure?.onError === "park") {
    const remedy = kind === "mapUnordered" ? "use mapOrdered" : `say lane: "key", which is the default`;
    throw new MillraceError(
      "InvalidOption",
      `${kind}: onError "park" keeps the records of a key in order, which only lanes by key do: ${remedy}`,
    );
  }
}

function handlingOf<A>(
  kind: string,
  f: Handler<A, unknown>,
  options: MapOrderedOptions<A>,
): Omit<Handling<A>, "spreads" | "shuffles"> {
  const { concurrency = 16, lane = "key" } = options;
  if (lane !== "key" && lane !== "none" && typeof lane !== "function") {
    throw new MillraceError("InvalidOption", `${kind}: lane must be "key", "none" or a function, not ${quote(lane)}`);
  }
  return {
    operator: kind,
    f,
    concurrency: wholeOption(`${kind}: concurrency`, concurrency),
    laneOf: lane === "none" ? null : lane === "key" ? (_value, record) => record.key : lane,
    ...callingOf(kind, options),
  };
}
