import type { OperatorFunction } from "rxjs";
import type { Codec } from "../codec/codec.ts";
import type { Duration } from "../kernel/duration.ts";
import { type FailureOptions, failurePolicy } from "../topology/failure.ts";
import { operatorSpec } from "../topology/node.ts";
import { operator } from "../topology/operator.ts";
import { checkFunction, checkOptions } from "../topology/options.ts";
import type { CurrentRecord, RecordInfo } from "../topology/record.ts";
import { type Stage, type StageEnv, scope } from "../topology/stage.ts";
import { AggregateSet, type States } from "./aggregate-set.ts";
import type { Aggregates } from "./aggregates.ts";
import { checkedName, repartitionOf } from "./partition-by.ts";
import { numberAt, StateCodec, type StateOptions } from "./state-codec.ts";
import { StateLine, type StateOperator } from "./state-line.ts";
import { type StoreSchema, TaskStore } from "./task-store.ts";
import { duration } from "./window-spec.ts";

/** What `aggregate` emits: the newest results of a key. */
export interface Aggregated<O, K extends string = string> {
  readonly key: K;
  readonly value: O;
}

/** How a running aggregate groups and forgets. */
export interface AggregateOptions<A, K extends string = string>
  extends Pick<FailureOptions<A>, "onError" | "deadLetters"> {
  /** The key. Default: the record's key. Another key goes through a repartition topic, as `partitionBy`. */
  readonly by?: (value: A, record: RecordInfo) => K;
  /**
   * A key that had no record for so long, in event time, is forgotten, and begins anew with its next record. Default: never, so
   * that the store grows with the number of keys. Forgotten keys leave the store within another eighth of that time.
   */
  readonly ttl?: Duration;
  /** Names the store, and must stay the same over releases. Default: derived from the node in front. */
  readonly name?: string;
  /** Partitions of the repartition topic that `by` may need. Default: those of the topic that is read. */
  readonly partitions?: number;
  /** How values travel through that topic. Default: JSON. */
  readonly codec?: Codec<A>;
  /** How the aggregates' states are stored. */
  readonly state?: StateOptions;
}

/**
 * Aggregates all records of each key, without windows: each record yields the newest results of its key. State lives in the
 * task's store and is part of its commits. There are no late records here: each counts when it comes, unless its topic declares
 * it late because it is ahead of time (`ahead`).
 *
 * Needs a key: that of the topic, or `by`. Throws `InvalidOption` for no aggregates, and options that do not exist.
 *
 * @example
 * ```ts
 * aggregate({ n: count(), total: fold(0, (t, o) => t + o.total) }, { by: (o) => o.customer, ttl: "30 days" })
 * ```
 */
export function aggregate<A, O extends object, K extends string = string>(
  aggregates: Aggregates<A, O>,
  options: AggregateOptions<A, K> = {},
): OperatorFunction<A, Aggregated<O, K>> {
  checkOptions("aggregate", options, ["by", "ttl", "name", "partitions", "codec", "state", "onError", "deadLetters"]);
  const { by, state = {} } = options;
  if (by !== undefined) {
    checkFunction("aggregate: by", by);
  }
  const ttlMs = options.ttl === undefined ? null : duration("aggregate: ttl", options.ttl, 1);
  const set = new AggregateSet("aggregate", aggregates);
  const codec = new StateCodec("aggregate", set, state);
  const schema = aggregateSchema(codec, ttlMs);
  const definition = { set, schema, codec, ttlMs, by: by ?? null };
  return operator<A, Aggregated<O, K>>(
    operatorSpec({
      kind: "aggregate",
      detail: ttlMs === null ? set.text : `${set.text}, for ${options.ttl}`,
      keeps: `of each key: ${set.text}`,
      state: { version: codec.version, migrates: codec.migrates },
      name: checkedName(options.name),
      query: async (store, key) => {
        const [text] = await store.get([key]);
        return text == null ? [] : [{ key, value: set.out(schema.decode(text, key).states) }];
      },
      owns: "store",
      holds: true,
      needsKey: true,
      repartition: by === undefined ? null : repartitionOf(by, options),
      failure: failurePolicy("aggregate", options),
      handlesFailures: true,
      stage: (down, env) => new StateLine(new RunningAggregates(definition, down, env), down, env),
    }),
  );
}

interface AggregateDefinition {
  readonly set: AggregateSet;
  readonly schema: StoreSchema<AggregateState>;
  readonly codec: StateCodec;
  /** `null`: for ever. */
  readonly ttlMs: number | null;
  readonly by: ((value: never, record: RecordInfo) => string) | null;
}

/** Of one key. Immutable. */
interface AggregateState {
  /** The largest event time (ms) of the key's records. */
  readonly lastMs: number;
  readonly states: States;
}

/** How the entries are stored. */
function aggregateSchema(codec: StateCodec, ttlMs: number | null): StoreSchema<AggregateState> {
  // So that not each record of a key changes when it is due.
  const roundMs = Math.max(1, Math.floor((ttlMs ?? 0) / 8));
  return {
    encode: ({ lastMs, states }) => codec.write([lastMs, codec.pack(states)]),
    decode: (text) => {
      const { entry, unpack } = codec.read(text);
      return { lastMs: numberAt(entry, 0), states: unpack(entry[1]) };
    },
    timeMs: (_key, { lastMs }) => (ttlMs === null ? null : Math.ceil(lastMs / roundMs) * roundMs),
    delayMs: ttlMs ?? 0,
    // Without a time to live entries have none, and they keep none when they get one.
    isAlwaysDue: false,
  };
}

class RunningAggregates<A> implements StateOperator<A, AggregateState> {
  readonly store: TaskStore<AggregateState>;
  readonly updates = null;
  private readonly definition: AggregateDefinition;
  private readonly down: Stage<unknown>;
  private readonly env: StageEnv;

  constructor(definition: AggregateDefinition, down: Stage<unknown>, env: StageEnv) {
    this.definition = definition;
    this.down = down;
    this.env = env;
    this.store = new TaskStore(definition.schema, env.store);
  }

  keysOf(value: A, record: CurrentRecord): readonly string[] {
    return [this.keyOf(value, record)];
  }

  process(value: A, record: CurrentRecord, [key = ""]: readonly string[]): () => void {
    const { set, codec } = this.definition;
    if (record.watermarkMs === Number.POSITIVE_INFINITY) {
      // Its time is not to be trusted, and would say for how long the key is remembered.
      return () => this.env.late(record, 1);
    }
    const before = this.living(key, record);
    const states = set.add(before?.states ?? set.init(), value, record);
    codec.check(states);
    const lastMs = Math.max(before?.lastMs ?? Number.NEGATIVE_INFINITY, record.timestamp);
    const result = { key, value: set.out(states) };
    return () => {
      this.store.put(key, { lastMs, states });
      const { record: current } = scope;
      try {
        scope.record = this.env.inTask ? current : { ...current, key };
        this.down.next(result);
      } finally {
        scope.record = current;
      }
    };
  }

  moved(): void {}

  expire(key: string): number {
    this.store.put(key, null);
    return 0;
  }

  promise(watermarkMs: number): number {
    return watermarkMs;
  }

  /** What is known of the key, unless it is forgotten. By the record alone, not by whether the entry is still there. */
  private living(key: string, record: CurrentRecord): AggregateState | null {
    const { ttlMs } = this.definition;
    const before = this.store.get(key);
    const isForgotten =
      before !== null && ttlMs !== null && Math.max(record.timestamp, record.watermarkMs) >= before.lastMs + ttlMs;
    return isForgotten ? null : before;
  }

  private keyOf(value: A, record: CurrentRecord): string {
    const { by } = this.definition;
    return this.env.inTask || by === null ? record.key : by(value as never, record);
  }
}
