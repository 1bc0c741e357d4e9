import { isName, NAME_RULE_TEXT } from "../kernel/name.ts";
import type { Any } from "./any.ts";
import { nodeLabel, ownedName } from "./describe.ts";
import type { PlanNode } from "./node.ts";
import type { Topic } from "./topic.ts";

type OperatorNode = Extract<PlanNode, { readonly topic: null }>;

/** What keeps a plan from running, a sentence each; empty when nothing does. */
export function findProblems(ends: readonly PlanNode[]): readonly string[] {
  if (ends.length === 0) {
    return ["it has no sink: end a stream with sink(topic)"];
  }
  const nodes = allNodes(ends);
  return [
    ...ends.flatMap(endProblems),
    ...nodes.flatMap(nodeProblems),
    ...sameTopicProblems(nodes),
    ...sameNameProblems(nodes),
    ...cycleProblems(ends),
  ];
}

/** Every node in front of the ends, the ends included, sources first, each once. */
function allNodes(ends: readonly PlanNode[]): readonly PlanNode[] {
  const seen = new Set<PlanNode>();
  const visit = (node: PlanNode): void => {
    if (node.parent !== null && !seen.has(node.parent)) {
      visit(node.parent);
    }
    seen.add(node);
  };
  ends.forEach(visit);
  return [...seen];
}

function endProblems(end: PlanNode): readonly string[] {
  return end.spec?.sink == null ? [`"${nodeLabel(end)}" is the end of a stream: end it with sink(topic)`] : [];
}

function nodeProblems(node: PlanNode): readonly string[] {
  if (node.spec === null) {
    return [];
  }
  const problems: string[] = [];
  if (node.parent.spec?.sink != null) {
    problems.push(`"${nodeLabel(node)}" stands behind "${nodeLabel(node.parent)}": a sink ends the stream`);
  }
  if (node.spec.needsKey && node.spec.repartition === null && !hasKey(node.parent)) {
    problems.push(`"${nodeLabel(node)}" needs a key: give topic "${sourceOf(node).name}" one, or say { by: … }`);
  }
  const name = ownedName(node);
  if (node.spec.owns !== null && !isName(name)) {
    problems.push(`"${nodeLabel(node)}" has no usable name: ${NAME_RULE_TEXT}, and give it one with { name: "…" }`);
  }
  return problems;
}

/** Whether records carry a key at this place: that of the topic, or one that `partitionBy` gave them. */
function hasKey(node: PlanNode): boolean {
  if (node.spec === null) {
    return node.topic.key !== null;
  }
  return node.spec.repartition !== null || hasKey(node.parent);
}

function sourceOf(node: PlanNode): Topic<Any> {
  return node.spec === null ? node.topic : sourceOf(node.parent);
}

function sameTopicProblems(nodes: readonly PlanNode[]): readonly string[] {
  const byName = new Map<string, Topic<Any>>();
  const problems = new Set<string>();
  for (const topic of nodes.flatMap((node) => node.topic ?? node.spec?.sink ?? [])) {
    const other = byName.get(topic.name);
    if (other !== undefined && other !== topic) {
      problems.add(`two declarations of topic "${topic.name}": declare it once and use that`);
    }
    byName.set(topic.name, topic);
  }
  return [...problems];
}

function sameNameProblems(nodes: readonly PlanNode[]): readonly string[] {
  const owners = nodes.filter((node): node is OperatorNode => node.spec !== null && node.spec.owns !== null);
  const counts = new Map<string, number>();
  for (const node of owners) {
    counts.set(ownedName(node), (counts.get(ownedName(node)) ?? 0) + 1);
  }
  return [...counts]
    .filter(([, count]) => count > 1)
    .map(([name]) => `two nodes are named "${name}": give one of them another name with { name: "…" }`);
}

/** What goes round in a circle never ends. */
function cycleProblems(ends: readonly PlanNode[]): readonly string[] {
  const writes = new Map<string, Set<string>>();
  for (const end of ends) {
    const from = sourceOf(end).name;
    const to = end.spec?.sink?.name;
    if (to !== undefined) {
      writes.set(from, (writes.get(from) ?? new Set()).add(to));
    }
  }
  return ends
    .filter((end) => end.spec?.sink != null && leadsTo(writes, end.spec.sink.name, sourceOf(end).name))
    .map((end) => `"${nodeLabel(end)}" writes what its own stream "${sourceOf(end).name}" is made from`);
}

/** Whether records of one topic become records of another, by any number of steps. */
function leadsTo(writes: ReadonlyMap<string, ReadonlySet<string>>, from: string, to: string): boolean {
  const seen = new Set<string>();
  const visit = (name: string): boolean => {
    if (name === to) {
      return true;
    }
    if (seen.has(name)) {
      return false;
    }
    seen.add(name);
    return [...(writes.get(name) ?? [])].some(visit);
  };
  return visit(from);
}
