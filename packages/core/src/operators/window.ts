import * as E from "fp-ts/lib/Either.js";
import type { OperatorFunction } from "rxjs";
import type { Codec } from "../codec/codec.ts";
import { MillraceError } from "../errors.ts";
import type { Duration } from "../kernel/duration.ts";
import { parseDuration } from "../kernel/duration.ts";
import { type FailureOptions, failurePolicy } from "../topology/failure.ts";
import { operatorSpec } from "../topology/node.ts";
import { operator } from "../topology/operator.ts";
import { checkOptions } from "../topology/options.ts";
import type { RecordInfo } from "../topology/record.ts";
import type { Aggregate, Aggregates } from "./aggregates.ts";
import { checkedName, repartitionOf } from "./partition-by.ts";
import { windowStage } from "./window-stage.ts";

/** How event time is cut into windows. */
export interface WindowSpec {
  readonly kind: "tumbling";
  /** Length of a window in ms, > 0. */
  readonly sizeMs: number;
  /** As it was written. */
  readonly text: string;
}

/** What `window` emits: one result for each key and window. */
export interface Windowed<O, K extends string = string> {
  readonly key: K;
  /** First instant of the window, ms since the Unix epoch. */
  readonly start: number;
  /** First instant behind the window. */
  readonly end: number;
  /** 1 for the first result of a window. Results are final, so it stays 1. */
  readonly revision: number;
  readonly value: O;
}

/** How a window groups and waits. */
export interface WindowOptions<A, K extends string> extends Pick<FailureOptions<A>, "onError" | "deadLetters"> {
  /**
   * For how long after its end a window still takes records. The result comes, once and final, when event time has passed
   * `end + grace`; a record that comes later is dropped and counted. There is no default: `"0 s"` where nothing is late.
   */
  readonly grace: Duration;
  /** The key of a window. Default: the record's key. Another key goes through a repartition topic, as `partitionBy`. */
  readonly by?: (value: A, record: RecordInfo) => K;
  /** Names the store, and must stay the same over releases. Default: derived from the node in front. */
  readonly name?: string;
  /** Partitions of the repartition topic that `by` may need. Default: those of the topic that is read. */
  readonly partitions?: number;
  /** How values travel through that topic. Default: JSON. */
  readonly codec?: Codec<A>;
}

/**
 * Windows of one size that follow each other without gaps, `[start, end)`, starts being multiples of the size since the
 * Unix epoch: `tumbling("1 day")` cuts at midnight UTC. Throws `InvalidOption` unless the size is a duration > 0.
 */
export function tumbling(size: Duration): WindowSpec {
  const sizeMs = parsed("tumbling", size);
  if (sizeMs === 0) {
    throw new MillraceError("InvalidOption", "tumbling: a window must be longer than 0 ms");
  }
  return { kind: "tumbling", sizeMs, text: size };
}

/**
 * Aggregates the records of each key in windows of event time. State lives in the task's store and is part of its commits.
 * A result's event time is the last instant of its window.
 *
 * Needs a key: that of the topic, or `by`. A finite input closes its last windows with `producer.end()`.
 *
 * @example
 * ```ts
 * window(tumbling("1 minute"), { orders: count(), total: sum((o) => o.total) }, { by: (o) => o.region, grace: "10 s" })
 * ```
 */
export function window<A, O extends object, K extends string = string>(
  spec: WindowSpec,
  aggregates: Aggregates<A, O>,
  options: WindowOptions<A, K>,
): OperatorFunction<A, Windowed<O, K>> {
  checkOptions("window", options, ["grace", "by", "name", "partitions", "codec", "onError", "deadLetters"]);
  const graceMs = parsed("window: grace", options.grace);
  const { by } = options;
  const named = Object.entries(aggregates) as [string, Aggregate<unknown, unknown>][];
  if (named.length === 0) {
    throw new MillraceError("InvalidOption", "window: name at least one aggregate, such as { n: count() }");
  }
  const kinds = named.map(([name, { name: kind }]) => `${name} ${kind}`).join(", ");
  const text = `${spec.kind} ${spec.sizeMs} ms: ${kinds}`;
  return operator(
    operatorSpec({
      kind: "window",
      detail: `${spec.kind} ${spec.text}, grace ${options.grace}: ${kinds}`,
      keeps: text,
      name: checkedName(options.name),
      owns: "store",
      holds: true,
      needsKey: true,
      repartition: by === undefined ? null : repartitionOf(by, options),
      failure: failurePolicy("window", options),
      stage: windowStage({ text, sizeMs: spec.sizeMs, graceMs, aggregates: named, by: by ?? null }),
    }),
  );
}

function parsed(what: string, duration: unknown): number {
  const result = parseDuration(duration);
  if (E.isLeft(result)) {
    throw new MillraceError("InvalidOption", `${what}: ${result.left.message}`);
  }
  return result.right;
}
