import type { Pipeline } from "@millrace/core";
import type { OperatorFunction } from "rxjs";
import { compile } from "../../src/topology/compile.ts";
import type { PlanNode } from "../../src/topology/node.ts";
import { unfold } from "../../src/topology/operator.ts";
import type { CompiledNode, SubTopology } from "../../src/topology/sub-topology.ts";

/** The node that a stream ends in; not part of the public types. */
export function nodeOf(stream: unknown): PlanNode {
  return (stream as { readonly node: PlanNode }).node;
}

/** The sub-topologies of a pipeline, as the group `app.<name>` would run them. */
export function compiled(pipeline: Pipeline): readonly SubTopology[] {
  const { ends } = pipeline as unknown as { readonly ends: readonly PlanNode[] };
  return compile(ends, `app.${pipeline.name}`);
}

/** The kinds of the nodes into which an operator function unfolds. */
export function kindsOf<A, B>(apply: OperatorFunction<A, B>): readonly string[] {
  return unfold(apply).map(({ kind }) => kind);
}

/** Compiled nodes as text, a node a line, indented below the node in front. */
export function outline(nodes: readonly CompiledNode[], depth = 0): string {
  return nodes.map((node) => `${"  ".repeat(depth)}${node.spec.kind}\n${outline(node.next, depth + 1)}`).join("");
}
