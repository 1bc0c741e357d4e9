import type { PlanNode } from "./node.ts";

/** A node of a plan, as data. */
export interface NodeDescription {
  /** Unique in this description. */
  readonly id: string;
  readonly kind: string;
  /** Stable name of a node that owns a topic or a store, the topic's name of a source or sink; else `null`. */
  readonly name: string | null;
  readonly detail: string;
  /** Ids of the nodes in front. */
  readonly inputs: readonly string[];
}

/** A plan, as data. */
export interface PlanDescription {
  readonly nodes: readonly NodeDescription[];
}

/**
 * The stable name of a node that owns a topic or a store: given by the user, or that of the nearest owning node in front
 * and the kind. Never a counter: an operator put in between renames nothing.
 */
export function ownedName(node: PlanNode): string {
  if (node.spec === null) {
    return node.topic.name;
  }
  if (node.spec.owns === null) {
    return ownedName(node.parent);
  }
  return node.spec.name ?? `${ownedName(node.parent)}.${node.spec.kind}`;
}

/** The name by which dead letters know a node: as {@link ownedName}, also for operators that own nothing else. */
export function letterName(node: PlanNode): string {
  if (node.spec === null || node.spec.owns !== null) {
    return ownedName(node);
  }
  const { name, kind, sink } = node.spec;
  return name ?? `${ownedName(node.parent)}.${kind}${sink === null ? "" : `-${sink.name}`}`;
}

/** The operator as messages name it: its kind, its own name or function, and the topic that it stands behind. */
export function nodeLabel(node: PlanNode): string {
  if (node.spec === null) {
    return `stream ${node.topic.name}`;
  }
  if (node.spec.owns !== null) {
    return `${node.spec.kind} ${ownedName(node)}`;
  }
  const { kind, name, functionName } = node.spec;
  const called = name ?? functionName;
  return `${kind}${called === "" ? "" : ` ${called}`} behind ${ownedName(node.parent)}`;
}

/** All nodes in front of the given ones, sources first; equal topics are one source. */
export function describeNodes(ends: readonly PlanNode[]): PlanDescription {
  const ids = new Map<PlanNode | string, string>();
  const nodes: NodeDescription[] = [];
  const visit = (node: PlanNode): string => {
    const identity = node.spec === null ? `source ${node.topic.name}` : node;
    const known = ids.get(identity);
    if (known !== undefined) {
      return known;
    }
    const inputs = node.parent === null ? [] : [visit(node.parent)];
    const kind = node.spec?.kind ?? "stream";
    const id = `${kind}-${nodes.length + 1}`;
    ids.set(identity, id);
    const name =
      node.spec === null || node.spec.owns !== null ? ownedName(node) : (node.spec.sink?.name ?? node.spec.name);
    nodes.push({ id, kind, name, detail: detailOf(node), inputs });
    return id;
  };
  ends.forEach(visit);
  return { nodes };
}

function detailOf(node: PlanNode): string {
  const detail = node.spec?.detail ?? sourceDetail(node);
  const onError = (node.spec ?? node).failure?.onError ?? "fail";
  const policy = onError === "fail" ? "" : `onError ${typeof onError === "function" ? "by function" : onError}`;
  return [detail, policy].filter((part) => part !== "").join(", ");
}

function sourceDetail(node: PlanNode): string {
  const partitions = node.topic?.partitions ?? null;
  return `${node.topic?.codec.name ?? ""}${partitions === null ? "" : `, ${partitions} partitions`}`;
}

/** A node a line, indented below the node in front. */
export function toText(plan: PlanDescription): string {
  const lines: string[] = [];
  const print = (node: NodeDescription, depth: number): void => {
    lines.push(`${"  ".repeat(depth)}${title(node)}`);
    for (const next of plan.nodes.filter(({ inputs }) => inputs.includes(node.id))) {
      print(next, depth + 1);
    }
  };
  for (const source of plan.nodes.filter(({ inputs }) => inputs.length === 0)) {
    print(source, 0);
  }
  return lines.join("\n");
}

/** A Mermaid flow chart (https://mermaid.js.org/syntax/flowchart.html). */
export function toMermaid(plan: PlanDescription): string {
  const lines = plan.nodes.map((node) => `  ${node.id}${shape(node, title(node))}`);
  const arrows = plan.nodes.flatMap((node) => node.inputs.map((input) => `  ${input} --> ${node.id}`));
  return ["flowchart TD", ...lines, ...arrows].join("\n");
}

function title(node: NodeDescription): string {
  const name = node.name === null ? "" : ` ${node.name}`;
  return `${node.kind}${name}${node.detail === "" ? "" : ` (${node.detail})`}`;
}

function shape(node: NodeDescription, text: string): string {
  const quoted = `"${text.replaceAll('"', "#quot;")}"`;
  return node.kind === "stream" || node.kind === "sink" ? `[(${quoted})]` : `[${quoted}]`;
}
