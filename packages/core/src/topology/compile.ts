/**
 * From plan to sub-topologies. A sub-topology reads one topic; a change of key ends one and begins another, with a
 * repartition topic between them. One sub-topology × one partition is a task.
 */

import type { Codec } from "../codec/codec.ts";
import { trustedJson } from "../codec/json.ts";
import type { Any } from "./any.ts";
import { letterName, nodeLabel, ownedName } from "./describe.ts";
import type { FailurePolicy } from "./failure.ts";
import { type FailureTarget, failureTarget, rawText } from "./failure-target.ts";
import { headersBeyond } from "./letter.ts";
import { type OperatorSpec, operatorSpec, type PlanNode } from "./node.ts";
import { type StageFactory, scope } from "./stage.ts";
import { type CompiledNode, type SubTopology, subTopologyOf } from "./sub-topology.ts";
import { checkKey, checkName, encodeParts, type Topic, topic } from "./topic.ts";
import { topicSinkStage } from "./topic-sink.ts";

type OperatorNode = Extract<PlanNode, { readonly topic: null }>;

interface Named {
  readonly name: string;
  readonly label: string;
}

/** The sub-topologies of a checked plan; sources come before what they feed. */
export function compile(ends: readonly PlanNode[], group: string): readonly SubTopology[] {
  const children = childrenOf(ends);
  const subTopologies: SubTopology[] = [];
  const cut = (source: Topic<Any>, upstream: Topic<Any> | null, first: readonly OperatorNode[]): void => {
    const index = subTopologies.length;
    const behind: (() => void)[] = [];
    const targetOf = (policy: FailurePolicy | null, of: Named, codec: Codec<Any>): FailureTarget | null =>
      failureTarget(policy, { ...of, codec, source, group });
    /** The node in front of a topic of its own, behind which another sub-topology begins. */
    const buildCut = (node: OperatorNode, codec: Codec<Any>): CompiledNode => {
      const through = repartitionTopic(node, source, group);
      behind.push(() => cut(through, source, [node]));
      const name = `${letterName(node)}.repartition`;
      const label = nodeLabel(node);
      const failure = targetOf(policyAt(node, node.spec), { name, label }, codec);
      return { label, name, store: null, spec: repartitionSink(node, through), side: null, failure, next: [] };
    };
    /** `codec` writes the node's input: the topic's own, as long as values are those of the topic. */
    const build = (node: OperatorNode, arrived: boolean, codec: Codec<Any>): CompiledNode => {
      if (!arrived && repartitionIsNeeded(node)) {
        return buildCut(node, codec);
      }
      const spec = node.spec.kind === "partitionBy" ? passOn(node.spec) : node.spec;
      const behindIt = spec.passesValues ? codec : trustedJson;
      const next = (children.get(node) ?? []).map((child) => build(child, false, behindIt));
      const of = { label: nodeLabel(node), name: letterName(node) };
      const failure = targetOf(policyAt(node, spec), of, codec);
      return { ...of, store: storeOf(node), spec, side: sideOf(node), failure, next };
    };
    const roots = first.map((node) => build(node, upstream !== null, source.codec));
    const undecodable = targetOf(undecodableOf(ends, source), sourceNode(source), rawText);
    subTopologies.splice(index, 0, subTopologyOf({ source, upstream, roots, undecodable, group }));
    for (const go of behind) {
      go();
    }
  };
  for (const [source, first] of sourcesOf(ends, children)) {
    cut(source, null, first);
  }
  return subTopologies;
}

/**
 * Whether a node's key needs a topic of its own: not when the topic is partitioned by that very function, and the values
 * are still those of the topic.
 */
function repartitionIsNeeded(node: PlanNode): boolean {
  if (node.spec === null || node.spec.repartition === null) {
    return false;
  }
  const { key } = node.spec.repartition;
  let before = node.parent;
  while (before.spec !== null) {
    if (before.spec.repartition !== null && before.spec.passesValues) {
      return before.spec.repartition.key !== key;
    }
    if (!before.spec.passesValues) {
      return true;
    }
    before = before.parent;
  }
  return before.topic.key !== key;
}

/** The operators behind each node. Sources are one by the topic's name, however often `stream` was called. */
function childrenOf(ends: readonly PlanNode[]): ReadonlyMap<PlanNode | string, readonly OperatorNode[]> {
  const children = new Map<PlanNode | string, OperatorNode[]>();
  const visit = (node: PlanNode): void => {
    if (node.parent === null) {
      return;
    }
    const at = node.parent.spec === null ? node.parent.topic.name : node.parent;
    const siblings = children.get(at) ?? [];
    if (!siblings.includes(node)) {
      children.set(at, [...siblings, node]);
      visit(node.parent);
    }
  };
  ends.forEach(visit);
  return children;
}

function sourcesOf(
  ends: readonly PlanNode[],
  children: ReadonlyMap<PlanNode | string, readonly OperatorNode[]>,
): readonly (readonly [Topic<Any>, readonly OperatorNode[]])[] {
  const topics = new Map<string, Topic<Any>>();
  for (const end of ends) {
    let node = end;
    while (node.parent !== null) {
      node = node.parent;
    }
    topics.set(node.topic.name, node.topic);
  }
  return [...topics].map(([name, source]) => [source, children.get(name) ?? []]);
}

/** The policy of an operator, which may not park where the records of a key have no order. */
function policyAt(node: OperatorNode, { failure }: OperatorSpec): FailurePolicy | null {
  return failure === null || keepsKeys(node.parent) ? failure : { ...failure, mayPark: false };
}

/** Whether the records of a key leave a node, and all in front of it, in their order and with that key. */
function keepsKeys(node: PlanNode): boolean {
  // A change of key puts records into the order of another topic.
  if (node.spec === null || node.spec.repartition !== null) {
    return true;
  }
  return !node.spec.shuffles && node.spec.fills === null && keepsKeys(node.parent);
}

/** The name of a node's store; `null` where it keeps nothing. */
function storeOf(node: OperatorNode): string | null {
  return node.spec.owns === "store" ? ownedName(node) : null;
}

/** Where values go that came too late for a node: as a sink would write them. */
function sideOf(node: OperatorNode): CompiledNode | null {
  const { late } = node.spec;
  if (late === null) {
    return null;
  }
  const name = `${letterName(node)}.late`;
  return {
    label: `${nodeLabel(node)} to ${late.name}`,
    name,
    store: null,
    spec: operatorSpec({ kind: "sink", sink: late, stage: topicSinkStage(late) }),
    side: null,
    failure: null,
    next: [],
  };
}

function sourceNode({ name }: Topic<Any>): Named {
  return { name, label: `stream ${name}` };
}

/** The policy that the plan gives for the entries of a topic. */
function undecodableOf(ends: readonly PlanNode[], source: Topic<Any>): FailurePolicy | null {
  for (const end of ends) {
    let node = end;
    while (node.parent !== null) {
      node = node.parent;
    }
    if (node.topic === source && node.failure !== null) {
      return node.failure;
    }
  }
  return null;
}

/** The topic between two sub-topologies. Its records carry the new key and the old event time. */
function repartitionTopic(node: OperatorNode, source: Topic<Any>, group: string): Topic<Any> {
  const { repartition } = node.spec;
  const name = `${group}.${ownedName(node)}.repartition`;
  checkName("repartition topic", name);
  // Records bring their key along, `""` included; the function says that they have one, and is never called.
  const options = { codec: repartition?.codec ?? never(), key: never };
  const through = topic<Any>(
    name,
    repartition?.partitions == null ? options : { ...options, partitions: repartition.partitions },
  );
  return { ...through, time: { outOfOrdernessMs: 0, idleAfterMs: source.time.idleAfterMs } };
}

function never(): never {
  throw new Error("a repartition topic without a repartition");
}

/** In front of the topic: the value goes there under its new key. */
function repartitionSink(node: OperatorNode, through: Topic<Any>): OperatorSpec {
  const key = node.spec.repartition?.key ?? never();
  const stage: StageFactory<Any, Any> = (down, env) => ({
    next: (value) => {
      const { record, unit } = scope;
      try {
        const { timestamp: timestampMs, watermarkMs } = record;
        const headers = headersBeyond(record.headers);
        const newKey = checkKey(through.name, key(value, record));
        unit.output(through, encodeParts(through, value, { key: newKey, timestampMs, headers, watermarkMs }));
      } catch (cause) {
        throw env.failure(cause, record);
      }
    },
    watermark: (timeMs) => down.watermark(timeMs),
    complete: () => down.complete(),
    stop: () => down.stop(),
  });
  return operatorSpec({ kind: "repartition", sink: through, stage });
}

/** Behind the topic, or where none was needed: the records already carry the key, and nothing can fail. */
function passOn(spec: OperatorSpec): OperatorSpec {
  return { ...spec, failure: null, stage: (down) => down };
}
