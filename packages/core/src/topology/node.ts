import type { Codec } from "../codec/codec.ts";
import type { Any } from "./any.ts";
import type { FailurePolicy } from "./failure.ts";
import type { CurrentRecord, RecordInfo } from "./record.ts";
import type { StageFactory, StoreReader } from "./stage.ts";
import type { Topic } from "./topic.ts";

/** Where a change of key goes through a topic of its own. */
export interface Repartition {
  readonly key: (value: Any, record: CurrentRecord) => string;
  /** `null`: as many as the topic that is read. */
  readonly partitions: number | null;
  readonly codec: Codec<Any>;
}

/** What a handler of `around` is told of a call of an operator's function. */
export interface CallInfo {
  /** What kind of operator it is, and its name or that of its function: `"mapOrdered enrich"`. */
  readonly operator: string;
  /** The record beneath the value; the first one beneath a batch. */
  readonly record: RecordInfo;
  /** 1 for the first call, one more for each repetition; always 1 where calls are not repeated. */
  readonly attempt: number;
}

/** Goes around each call of an operator's function: `next` makes the call, and what the handler returns is its result. */
export type AroundHandler = <R>(next: () => R, info: CallInfo) => R | Promise<R> | Promise<Awaited<R>>;

/** What an operator says of itself. */
export interface OperatorSpec {
  /** The operator's name: `"map"`, `"window"`, … */
  readonly kind: string;
  /** Parameters, for people: `"1 day, grace 1 h"`; `""` for none. */
  readonly detail: string;
  /** The name of the user's function; `""` where it has none. */
  readonly functionName: string;
  /** The name that the user gave, or `null`. */
  readonly name: string | null;
  /** What its store holds, as text: who shares the store must say the same. `null`: it has none. */
  readonly keeps: string | null;
  /** The version of what its store holds, 1 or more, and whether it can read what earlier versions wrote. `null`: it has none. */
  readonly state: { readonly version: number; readonly migrates: boolean } | null;
  /** Whether it keeps a second store beside the first, of results that are to be emitted at a time of the clock. */
  readonly keepsUpdates: boolean;
  /** What its store says of a key, in the form of its results; `null`: that cannot be asked. */
  readonly query: ((store: StoreReader, key: string) => Promise<readonly Any[]>) | null;
  /** What the operator keeps under a stable name. */
  readonly owns: "store" | "topic" | null;
  /** Whether the very same values leave, in the same order. */
  readonly passesValues: boolean;
  /** Whether values may stay inside beyond the push that brought them. */
  readonly holds: boolean;
  /** For an operator that gathers values until it is full: how many, and for how long. */
  readonly fills: { readonly size: number; readonly withinMs: number } | null;
  /** Whether values may leave in another order than they came, also those of one key. */
  readonly shuffles: boolean;
  /** Whether the operator needs a key: its own, or that of the topic. */
  readonly needsKey: boolean;
  readonly repartition: Repartition | null;
  /** The topic that it writes, for a sink that writes one. */
  readonly sink: Topic<Any> | null;
  /** Where values go that come too late for it; `null`: nowhere. */
  readonly late: Topic<Any> | null;
  /** Whether values end here, in a topic or elsewhere. */
  readonly isEnd: boolean;
  /** What becomes of values for which it fails; `null`: the task fails. */
  readonly failure: FailurePolicy | null;
  /** Whether the stage itself asks {@link StageEnv.failures}, because its work outlasts the push. */
  readonly handlesFailures: boolean;
  /** The same operator with a handler around each call of its function; `null`: it has no function that it calls for values. */
  readonly around: ((handler: AroundHandler) => OperatorSpec) | null;
  /** A foreign RxJS operator: what it holds is unknown. */
  readonly native: { readonly stateless: boolean } | null;
  readonly stage: StageFactory<Any, Any>;
}

/** A spec with the common answers filled in. */
export function operatorSpec(spec: Pick<OperatorSpec, "kind" | "stage"> & Partial<OperatorSpec>): OperatorSpec {
  return {
    detail: "",
    functionName: "",
    name: null,
    keeps: null,
    state: null,
    keepsUpdates: false,
    query: null,
    owns: null,
    passesValues: false,
    holds: false,
    fills: null,
    shuffles: false,
    needsKey: false,
    repartition: null,
    sink: null,
    late: null,
    isEnd: (spec.sink ?? null) !== null,
    failure: null,
    handlesFailures: false,
    around: null,
    native: null,
    ...spec,
  };
}

/** A node of the plan: a topic that is read, or an operator behind another node. */
export type PlanNode =
  | {
      readonly topic: Topic<Any>;
      readonly parent: null;
      readonly spec: null;
      /** What becomes of entries that do not decode; `null`: the task fails. */
      readonly failure: FailurePolicy | null;
    }
  | { readonly topic: null; readonly parent: PlanNode; readonly spec: OperatorSpec };
