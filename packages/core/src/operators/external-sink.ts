import type { OperatorFunction } from "rxjs";
import { MillraceError } from "../errors.ts";
import { quote } from "../kernel/name.ts";
import { type FailureOptions, failureParts } from "../topology/failure.ts";
import { type AroundHandler, operatorSpec } from "../topology/node.ts";
import { operator } from "../topology/operator.ts";
import type { RecordInfo } from "../topology/record.ts";
import type { Sunk } from "../topology/stream.ts";
import { wrappable } from "./around.ts";
import { CALL_OPTIONS, type CallOptions, callingOf, wholeOption } from "./call-options.ts";
import type { SinkCall } from "./external-sink-call.ts";
import { ExternalSinkStage } from "./external-sink-stage.ts";

const DEFAULT_BATCH = 100;
const LARGEST_BATCH = 500;

/** Writes values to wherever they are to go. Resolves when all of them are there to stay. */
export type SinkFunction<A> = (values: readonly A[], call: SinkCall) => PromiseLike<unknown>;

/** How an external sink is called, and what happens when a call is late or fails. */
export interface SinkOptions<A> extends CallOptions, FailureOptions<A> {
  /** The most values that one call gets. A whole number from 1 to 500; default 100. */
  readonly maxBatch?: number;
  /**
   * The idempotency key of a value: what the other side knows it by, such as its own id. Default: the operator, the record and
   * which of the values this is that were made of it. What it throws fails the call that asks for the keys.
   */
  readonly idempotencyKey?: (value: A, record: RecordInfo) => string;
}

/** The operator behind `sink(fn, options)`. Throws `InvalidOption`, `InvalidName`. */
export function externalSink<A>(fn: SinkFunction<A>, options: SinkOptions<A>): OperatorFunction<A, Sunk> {
  const { maxBatch = DEFAULT_BATCH, idempotencyKey } = options;
  if (idempotencyKey !== undefined && typeof idempotencyKey !== "function") {
    throw new MillraceError("InvalidOption", `sink: idempotencyKey must be a function, not ${quote(idempotencyKey)}`);
  }
  const how = {
    ...callingOf("sink", options),
    maxBatch: wholeOption("sink: maxBatch", maxBatch, LARGEST_BATCH),
    keyOf: idempotencyKey ?? null,
  };
  const parts = failureParts("sink", options, ["maxBatch", "idempotencyKey", ...CALL_OPTIONS]);
  return operator(
    wrappable({
      f: fn,
      named: fn.name,
      wrap: aroundBatch,
      make: (write) =>
        operatorSpec({
          kind: "sink",
          detail: `${fn.name === "" ? "" : `${fn.name}, `}batches of up to ${how.maxBatch}`,
          isEnd: true,
          holds: true,
          handlesFailures: true,
          ...parts,
          stage: (down, env) => new ExternalSinkStage<A>({ ...how, write }, down, env),
        }),
    }),
  );
}

function aroundBatch<A>(write: SinkFunction<A>, operatorName: string, handler: AroundHandler): SinkFunction<A> {
  return (values, call) => {
    const { records, attempt } = call;
    const [record] = records;
    return handler(() => write(values, call), { operator: operatorName, record, attempt }) as PromiseLike<unknown>;
  };
}
