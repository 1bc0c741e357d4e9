import { isName, NAME_RULE_TEXT } from "../kernel/name.ts";
import { MAX_UNIT_RECORDS } from "../kernel/unit-limit.ts";
import type { Any } from "./any.ts";
import { compile } from "./compile.ts";
import { letterName, nodeLabel } from "./describe.ts";
import { type FailurePolicy, mayLeaveBehind, mayWriteLetters } from "./failure.ts";
import type { PlanNode } from "./node.ts";
import { type CompiledNode, failureTargetsOf, type SubTopology } from "./sub-topology.ts";
import type { Topic } from "./topic.ts";

/** What keeps a plan from running, a sentence each; empty when nothing does. */
export function findProblems(ends: readonly PlanNode[]): readonly string[] {
  if (ends.length === 0) {
    return ["it has no sink: end a stream with sink(topic)"];
  }
  const nodes = allNodes(ends);
  const problems = [
    ...ends.flatMap(endProblems),
    ...nodes.flatMap(nodeProblems),
    ...sameTopicProblems(nodes),
    ...sameNameProblems(nodes),
    ...samePolicyProblems(nodes),
    ...cycleProblems(nodes),
  ];
  // What is wrong with the plan itself keeps it from being cut into parts.
  return problems.length > 0
    ? problems
    : compile(ends, "app").flatMap((part) => [...failureProblems(part, nodes), ...batchProblems(part)]);
}

/** A batch that cannot fill before its unit ends would promise what it never does. */
function batchProblems({ roots }: SubTopology): readonly string[] {
  const problems: string[] = [];
  const visit = (node: CompiledNode, before: readonly number[]): void => {
    const { fills } = node.spec;
    const sizes = fills === null ? before : [...before, fills.size];
    const sum = sizes.reduce((total, size) => total + size, 0);
    if (fills !== null && sum > MAX_UNIT_RECORDS) {
      problems.push(
        `"${node.label}" cannot fill: batches of ${sizes.join(" + ")} = ${sum} values, and one commit unit takes ${MAX_UNIT_RECORDS} records: make them smaller`,
      );
    }
    for (const next of node.next) {
      visit(next, sizes);
    }
  };
  for (const root of roots) {
    visit(root, []);
  }
  return problems;
}

/** Policies that could not keep their promise. */
function failureProblems(part: SubTopology, nodes: readonly PlanNode[]): readonly string[] {
  const targets = failureTargetsOf(part);
  const writing = targets.filter(({ letters }) => letters !== null);
  const problems: string[] = [];
  const taken = new Set(nodes.flatMap(topicsAt).map(({ name }) => name));
  for (const { label, letters, policy } of writing) {
    const to = letters?.topic.name ?? "";
    if (taken.has(to)) {
      problems.push(
        `"${label}" sends dead letters to "${to}", which the pipeline reads or writes: give them a topic of their own`,
      );
    }
    if (policy.onError === "park" && !policy.mayPark) {
      problems.push(
        `"${label}" parks keys, which needs records in order that have a key: not behind mapUnordered or batch, nor of a topic without a key; use "deadLetter"`,
      );
    }
  }
  const first = targets.find(({ policy }) => mayLeaveBehind(policy));
  if (first !== undefined && part.needsSingleRecordUnits) {
    problems.push(
      `"${first.label}" has onError ${typeof first.policy.onError === "string" ? `"${first.policy.onError}"` : "by function"} beside a foreign operator that may hold records back: a redriven letter could not be committed before another record comes; say native(name, op, { stateless: true }) where that is so, or put the foreign operator behind a partitionBy or into a pipeline of its own`,
    );
  }
  return problems;
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
  return end.spec?.isEnd !== true ? [`"${nodeLabel(end)}" is the end of a stream: end it with sink(topic)`] : [];
}

function nodeProblems(node: PlanNode): readonly string[] {
  if (node.spec === null) {
    return [];
  }
  const problems: string[] = [];
  if (node.parent.spec?.isEnd === true) {
    problems.push(`"${nodeLabel(node)}" stands behind "${nodeLabel(node.parent)}": a sink ends the stream`);
  }
  if (node.spec.needsKey && node.spec.repartition === null && !hasKey(node.parent)) {
    problems.push(`"${nodeLabel(node)}" needs a key: give topic "${sourceOf(node).name}" one, or say { by: … }`);
  }
  const shuffler = node.spec.owns === "store" ? shufflerInFront(node.parent) : null;
  if (shuffler !== null) {
    problems.push(
      `"${nodeLabel(node)}" needs the records of a key in order, which "${nodeLabel(shuffler)}" in front of it gives up: use mapOrdered`,
    );
  }
  const name = letterName(node);
  if ((node.spec.owns !== null || mayWriteLetters(node.spec.failure)) && !isName(name)) {
    problems.push(`"${nodeLabel(node)}" has no usable name: ${NAME_RULE_TEXT}, and give it one with { name: "…" }`);
  }
  return problems;
}

/** The operator in front that lets values overtake each other, however far. */
function shufflerInFront(node: PlanNode): PlanNode | null {
  if (node.spec === null) {
    return null;
  }
  return node.spec.shuffles ? node : shufflerInFront(node.parent);
}

/** Whether records carry a key at this place: that of the topic, or one that `partitionBy` gave them. */
function hasKey(node: PlanNode): boolean {
  if (node.spec === null) {
    return node.topic.key !== null;
  }
  // A batch is of many keys.
  return node.spec.repartition !== null || (node.spec.fills === null && hasKey(node.parent));
}

function sourceOf(node: PlanNode): Topic<Any> {
  return node.spec === null ? node.topic : sourceOf(node.parent);
}

/** The topics that a node names: what is read, what is written, and where late values go. */
function topicsAt(node: PlanNode): readonly Topic<Any>[] {
  return node.spec === null ? [node.topic] : [node.spec.sink, node.spec.late].filter((topic) => topic !== null);
}

function sameTopicProblems(nodes: readonly PlanNode[]): readonly string[] {
  const byName = new Map<string, Topic<Any>>();
  const problems = new Set<string>();
  for (const topic of nodes.flatMap(topicsAt)) {
    const other = byName.get(topic.name);
    if (other !== undefined && other !== topic) {
      problems.add(`two declarations of topic "${topic.name}": declare it once and use that`);
    }
    byName.set(topic.name, topic);
  }
  return [...problems];
}

function sameNameProblems(nodes: readonly PlanNode[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const name of new Set(nodes.flatMap((node) => (writesLettersAsSource(node) ? letterName(node) : [])))) {
    counts.set(name, 1);
  }
  for (const node of nodes) {
    if (node.spec !== null && (node.spec.owns !== null || mayWriteLetters(node.spec.failure))) {
      counts.set(letterName(node), (counts.get(letterName(node)) ?? 0) + 1);
    }
  }
  return [...counts]
    .filter(([, count]) => count > 1)
    .map(([name]) => `two nodes are named "${name}": give one of them another name with { name: "…" }`);
}

function writesLettersAsSource(node: PlanNode): boolean {
  return node.spec === null && mayWriteLetters(node.failure);
}

/** Streams of one topic are one source, however often they are made. */
function samePolicyProblems(nodes: readonly PlanNode[]): readonly string[] {
  const policies = new Map<string, FailurePolicy | null>();
  const problems = new Set<string>();
  for (const node of nodes) {
    if (node.spec === null) {
      const { topic, failure } = node;
      const other = policies.get(topic.name);
      if (other !== undefined && (other?.onError !== failure?.onError || other?.topic !== failure?.topic)) {
        problems.add(`two streams of topic "${topic.name}" differ in onError: make one, and use it twice`);
      }
      policies.set(topic.name, failure);
    }
  }
  return [...problems];
}

/** What goes round in a circle never ends. */
function cycleProblems(nodes: readonly PlanNode[]): readonly string[] {
  const writes = new Map<string, Set<string>>();
  const written = nodes.flatMap((node) =>
    node.spec === null ? [] : topicsAt(node).map(({ name }) => ({ node, from: sourceOf(node).name, to: name })),
  );
  for (const { from, to } of written) {
    writes.set(from, (writes.get(from) ?? new Set()).add(to));
  }
  return written
    .filter(({ from, to }) => leadsTo(writes, to, from))
    .map(({ node, from }) => `"${nodeLabel(node)}" writes what its own stream "${from}" is made from`);
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
