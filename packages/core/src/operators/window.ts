import type { OperatorFunction } from "rxjs";
import type { Codec } from "../codec/codec.ts";
import { kindOf } from "../codec/schema.ts";
import { MillraceError } from "../errors.ts";
import type { Duration } from "../kernel/duration.ts";
import { quote } from "../kernel/name.ts";
import type { Any } from "../topology/any.ts";
import { type FailureOptions, failurePolicy } from "../topology/failure.ts";
import { operatorSpec } from "../topology/node.ts";
import { operator } from "../topology/operator.ts";
import { checkFunction, checkOptions } from "../topology/options.ts";
import type { RecordInfo } from "../topology/record.ts";
import type { StageFactory, StoreReader } from "../topology/stage.ts";
import type { Topic } from "../topology/topic.ts";
import { AggregateSet } from "./aggregate-set.ts";
import type { Aggregates } from "./aggregates.ts";
import { checkedName, repartitionOf } from "./partition-by.ts";
import { StateCodec, type StateOptions } from "./state-codec.ts";
import { StateLine } from "./state-line.ts";
import { AlignedWindows, alignedQuery } from "./window-aligned.ts";
import { type Emit, type WindowDefinition, WindowFrame } from "./window-definition.ts";
import { KeyedWindows, keyedQuery } from "./window-keyed.ts";
import { duration, specText, type WindowSpec } from "./window-spec.ts";

/** What `window` emits. */
export interface Windowed<O, K extends string = string> {
  readonly key: K;
  /** First instant of the window, ms since the Unix epoch. */
  readonly start: number;
  /** First instant behind the window; of `unlimited`, the last one that a `Date` can hold. */
  readonly end: number;
  /**
   * Which state of the window it is. With `emit: "final"` there is one, 1. Else it grows with each change of the window; with
   * `every` some are left out.
   */
  readonly revision: number;
  readonly value: O;
}

/** With updates of sessions, `value: null` takes a session back that has grown, or become one with another. */
type Valued<S extends WindowSpec, E extends Emit, O> = "session" extends S["kind"]
  ? E extends "final"
    ? O
    : O | null
  : O;

/** How a window groups and waits. */
export interface WindowOptions<A, K extends string = string, E extends Emit = Emit>
  extends Pick<FailureOptions<A>, "onError" | "deadLetters"> {
  /**
   * For how long after its end a window still takes records; of a session, after its end and the gap. The result is final when
   * event time has passed that; a record that comes later is late. There is no default: `"0 s"` where nothing is late.
   */
  readonly grace: Duration;
  /** The key of a window. Default: the record's key. Another key goes through a repartition topic, as `partitionBy`. */
  readonly by?: (value: A, record: RecordInfo) => K;
  /**
   * When results come. `"final"` (the default): one for each window, when it closes. `"updates"`: one for each change, and none
   * when it closes. `every("5 s")`: what has changed, at most so long after the change, and when it closes. Which of the three it
   * is is part of the store, as the windows are (docs/guides/evolution.md).
   */
  readonly emit?: E;
  /**
   * Where values go that came too late for all of their windows: a topic, written in the same commit, or a function. They are
   * counted in any case (`LateRecord`), and acknowledged. Default: nowhere.
   */
  readonly lateTo?: Topic<NoInfer<A>> | ((value: A, record: RecordInfo) => void);
  /** Names the store, and must stay the same over releases. Default: derived from the node in front. */
  readonly name?: string;
  /** Partitions of the repartition topic that `by` may need. Default: those of the topic that is read. */
  readonly partitions?: number;
  /** How values travel through that topic. Default: JSON. */
  readonly codec?: Codec<A>;
  /** How the aggregates' states are stored. */
  readonly state?: StateOptions;
}

const OPTIONS = ["grace", "by", "emit", "lateTo", "name", "partitions", "codec", "state", "onError", "deadLetters"];

/**
 * Aggregates the records of each key in windows of event time: `tumbling`, `hopping`, `sliding`, `session`, `unlimited`. State
 * lives in the task's store and is part of its commits; of large state the worker holds a part. A result's event time is the
 * last instant of its window, so that a result is late for nobody.
 *
 * Whether a record is late is judged for each window by what the log had promised before the record, so that results depend
 * neither on how fast the log is read nor on how often a worker dies. Results of windows that close at the same time come by
 * end, then by key; at most 500 of them in one commit.
 *
 * Needs a key: that of the topic, or `by`. A finite input closes its last windows with `producer.end()`. On an ordinary
 * Observable, put `asRecords(topic)` in front; `lateTo(topic)` writes nothing there, and updates of `every` come with whatever
 * comes next.
 *
 * Throws `InvalidOption` for a missing or negative grace, no aggregates, aggregates without `merge` for sessions, and options
 * that do not exist.
 *
 * @example
 * ```ts
 * window(tumbling("1 minute"), { orders: count(), total: sum((o) => o.total) }, { by: (o) => o.region, grace: "10 s" })
 * ```
 */
export function window<
  A,
  O extends object,
  K extends string = string,
  const S extends WindowSpec = WindowSpec,
  const E extends Emit = "final",
>(
  spec: S,
  aggregates: Aggregates<A, O>,
  options: WindowOptions<A, K, E>,
): OperatorFunction<A, Windowed<Valued<S, E, O>, K>> {
  checkOptions("window", options, OPTIONS);
  const { by, lateTo, state = {} } = options;
  checkSpec(spec);
  const graceMs = duration("window: grace", options.grace, 0);
  const set = new AggregateSet("window", aggregates);
  if (spec.kind === "session") {
    set.requireMerge("sessions that become one merge their states");
  }
  if (by !== undefined) {
    checkFunction("window: by", by);
  }
  const emit = checkEmit(options.emit === undefined ? "final" : options.emit);
  const codec = new StateCodec("window", set, state);
  const definition: WindowDefinition = {
    spec,
    graceMs,
    waitMs: graceMs + (spec.kind === "session" ? spec.gapMs : 0),
    aggregates: set,
    codec,
    emit,
    by: by ?? null,
    whenLate: typeof lateTo === "function" ? lateTo : null,
  };
  return operator(
    operatorSpec({
      kind: "window",
      detail: `${spec.kind} ${spec.text}, grace ${options.grace}: ${set.text}`.replace(" ,", ","),
      // What was told of open windows is part of the state.
      keeps: `${specText(spec)}${emit === "final" ? "" : `, ${typeof emit === "string" ? emit : emit.kind}`}: ${set.text}`,
      state: { version: codec.version, migrates: codec.migrates },
      keepsUpdates: typeof emit !== "string",
      query: windowQuery(definition),
      name: checkedName(options.name),
      owns: "store",
      holds: true,
      needsKey: true,
      repartition: by === undefined ? null : repartitionOf(by, options),
      late: lateTopic(lateTo),
      failure: failurePolicy("window", options),
      handlesFailures: true,
      stage: windowStage(definition),
    }),
  );
}

function windowStage(definition: WindowDefinition): StageFactory<unknown, unknown> {
  const { spec } = definition;
  return (down, env) => {
    const frame = new WindowFrame(definition, down, env);
    return spec.kind === "session" || spec.kind === "sliding"
      ? new StateLine(new KeyedWindows(spec, frame), down, env)
      : new StateLine(new AlignedWindows(spec, frame), down, env);
  };
}

function windowQuery(definition: WindowDefinition): (store: StoreReader, key: string) => Promise<readonly Any[]> {
  const { spec } = definition;
  return spec.kind === "session" || spec.kind === "sliding"
    ? keyedQuery(spec, definition)
    : alignedQuery(spec, definition);
}

const KINDS: readonly string[] = [
  "tumbling",
  "hopping",
  "sliding",
  "session",
  "unlimited",
] satisfies WindowSpec["kind"][];

function checkSpec(spec: WindowSpec): void {
  if (typeof spec !== "object" || spec === null || !KINDS.includes(spec.kind)) {
    throw new MillraceError(
      "InvalidOption",
      `window: its first argument must be tumbling(…), hopping(…), sliding(…), session(…) or unlimited(), not ${kindOf(spec)}`,
    );
  }
}

function checkEmit(emit: Emit): Emit {
  const isEvery = typeof emit === "object" && emit !== null && emit.kind === "every";
  if (emit !== "final" && emit !== "updates" && !isEvery) {
    throw new MillraceError("InvalidOption", `window: emit is "final", "updates" or every("5 s"), not ${quote(emit)}`);
  }
  return emit;
}

function lateTopic(lateTo: unknown): Topic<Any> | null {
  if (lateTo === undefined || typeof lateTo === "function") {
    return null;
  }
  if (typeof lateTo !== "object" || lateTo === null || !("codec" in lateTo)) {
    throw new MillraceError("InvalidOption", `window: lateTo must be a topic or a function, not ${kindOf(lateTo)}`);
  }
  return lateTo as Topic<Any>;
}
