/** What the tasks of one topic run, and what follows from it for units, stores and topics. */
import type { Any } from "./any.ts";
import { controlTopic, type FailureTarget, letterTopics } from "./failure-target.ts";
import type { OperatorSpec } from "./node.ts";
import type { Topic } from "./topic.ts";

/** How long a unit waits for records. */
export interface UnitFill {
  readonly records: number;
  readonly withinMs: number;
}

/** An operator of a sub-topology and what stands behind it. */
export interface CompiledNode {
  /** For messages. */
  readonly label: string;
  /** Its stable name; operators that keep nothing may share one. */
  readonly name: string;
  /** The name of its store; `null` where it keeps nothing. */
  readonly store: string | null;
  readonly spec: OperatorSpec;
  /** The sink of values that come too late for it; `null`: it has none. */
  readonly side: CompiledNode | null;
  /** What becomes of values for which it fails; `null`: the task fails. */
  readonly failure: FailureTarget | null;
  readonly next: readonly CompiledNode[];
}

/** What the tasks of one topic run. */
export interface SubTopology {
  readonly source: Topic<Any>;
  /** Whether Millrace made the topic, for a change of key: its number of partitions is that of `upstream`. */
  readonly upstream: Topic<Any> | null;
  readonly roots: readonly CompiledNode[];
  /** What becomes of entries that do not decode; `null`: the task fails. */
  readonly undecodable: FailureTarget | null;
  /** Topics for dead letters, with as many partitions as `source`. */
  readonly letterTopics: readonly Topic<Any>[];
  /** The topic in which tasks are asked to redrive, discard and resume; `null` where there is nothing to ask. */
  readonly control: Topic<Any> | null;
  /** Topics that its commits write, repartition topics included. */
  readonly writes: readonly Topic<Any>[];
  /** Its operators' stores, and whether there is one of updates beside. */
  readonly stateStores: readonly { readonly store: string; readonly keepsUpdates: boolean }[];
  /** Names of the stores in which its operators keep what became of dead letters. */
  readonly letterStores: readonly string[];
  /**
   * What batches ask of units: up to so many records a unit waits to be filled, and for how long (ms); `null`: there are none.
   * Each unit then ends with a watermark, also where event time stands still.
   */
  readonly fill: UnitFill | null;
  /** Whether a unit may hold one record only, because a foreign operator may keep it. */
  readonly needsSingleRecordUnits: boolean;
}

/** Puts together what is known of a sub-topology. */
export function subTopologyOf(of: {
  readonly source: Topic<Any>;
  readonly upstream: Topic<Any> | null;
  readonly roots: readonly CompiledNode[];
  readonly undecodable: FailureTarget | null;
  readonly group: string;
}): SubTopology {
  const { source, upstream, roots, undecodable, group } = of;
  const all = roots.flatMap(flatten);
  const targets = failureTargetsOf(of);
  const control = controlTopic(targets, source, group);
  const letters = targets.flatMap((target) => target.letters?.store ?? []);
  return {
    source,
    upstream,
    roots,
    undecodable,
    letterTopics: letterTopics(targets),
    control,
    writes: [...new Set(all.flatMap(({ spec }) => spec.sink ?? []))],
    stateStores: all.flatMap(({ store, spec }) => (store === null ? [] : [{ store, keepsUpdates: spec.keepsUpdates }])),
    letterStores: letters,
    fill: fillOf(all),
    needsSingleRecordUnits: all.some(({ spec }) => spec.native !== null && !spec.native.stateless),
  };
}

/** All operators of a sub-topology with a policy, and its codec where that has one. */
export function failureTargetsOf({
  undecodable,
  roots,
}: Pick<SubTopology, "undecodable" | "roots">): readonly FailureTarget[] {
  return [undecodable, ...roots.flatMap(flatten).map(({ failure }) => failure)].filter((target) => target !== null);
}

/** Units take what the largest batch takes, and wait for as long as the least patient one. */
function fillOf(nodes: readonly CompiledNode[]): UnitFill | null {
  const fills = nodes.flatMap(({ spec }) => spec.fills ?? []);
  return fills.length === 0
    ? null
    : {
        records: Math.max(...fills.map(({ size }) => size)),
        withinMs: Math.min(...fills.map(({ withinMs }) => withinMs)),
      };
}

/** All operators of a sub-topology. */
export function nodesOf({ roots }: SubTopology): readonly CompiledNode[] {
  return roots.flatMap(flatten);
}

/** The node and all behind it. */
function flatten(node: CompiledNode): readonly CompiledNode[] {
  return [node, ...(node.side === null ? [] : [node.side]), ...node.next.flatMap(flatten)];
}
