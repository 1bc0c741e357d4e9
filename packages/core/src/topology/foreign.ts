import { nodeLabel } from "./describe.ts";
import type { PlanNode } from "./node.ts";

/**
 * The foreign operators of a plan, as messages name them, each once and sources first: RxJS's own, functions of the user
 * that unfold into no operators of Millrace, and what `native` names. Empty when every operator is one of Millrace's.
 */
export function foreignOperators(ends: readonly PlanNode[]): readonly string[] {
  const seen = new Set<PlanNode>();
  const labels: string[] = [];
  const visit = (node: PlanNode): void => {
    if (seen.has(node)) {
      return;
    }
    seen.add(node);
    if (node.parent !== null) {
      visit(node.parent);
    }
    if (node.spec !== null && node.spec.native !== null) {
      labels.push(nodeLabel(node));
    }
  };
  ends.forEach(visit);
  return labels;
}
