import type { Codec } from "../codec/codec.ts";
import type { Any } from "./any.ts";
import type { CurrentRecord } from "./record.ts";
import type { StageFactory } from "./stage.ts";
import type { Topic } from "./topic.ts";

/** Where a change of key goes through a topic of its own. */
export interface Repartition {
  readonly key: (value: Any, record: CurrentRecord) => string;
  /** `null`: as many as the topic that is read. */
  readonly partitions: number | null;
  readonly codec: Codec<Any>;
}

/** What an operator says of itself. */
export interface OperatorSpec {
  /** The operator's name: `"map"`, `"window"`, … */
  readonly kind: string;
  /** Parameters, for people: `"1 day, grace 1 h"`; `""` for none. */
  readonly detail: string;
  /** The name that the user gave, or `null`. */
  readonly name: string | null;
  /** What its store holds, as text: who shares the store must say the same. `null`: it has none. */
  readonly keeps: string | null;
  /** What the operator keeps under a stable name. */
  readonly owns: "store" | "topic" | null;
  /** Whether the very same values leave, in the same order. */
  readonly passesValues: boolean;
  /** Whether values may stay inside beyond the push that brought them. */
  readonly holds: boolean;
  /** Whether the operator needs a key: its own, or that of the topic. */
  readonly needsKey: boolean;
  readonly repartition: Repartition | null;
  /** Where values end, for a sink. */
  readonly sink: Topic<Any> | null;
  /** A foreign RxJS operator: what it holds is unknown. */
  readonly native: { readonly stateless: boolean } | null;
  readonly stage: StageFactory<Any, Any>;
}

/** A spec with the common answers filled in. */
export function operatorSpec(spec: Pick<OperatorSpec, "kind" | "stage"> & Partial<OperatorSpec>): OperatorSpec {
  return {
    detail: "",
    name: null,
    keeps: null,
    owns: null,
    passesValues: false,
    holds: false,
    needsKey: false,
    repartition: null,
    sink: null,
    native: null,
    ...spec,
  };
}

/** A node of the plan: a topic that is read, or an operator behind another node. */
export type PlanNode =
  | { readonly topic: Topic<Any>; readonly parent: null; readonly spec: null }
  | { readonly topic: null; readonly parent: PlanNode; readonly spec: OperatorSpec };
