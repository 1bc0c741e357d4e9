import type { CompiledNode } from "../topology/compile.ts";
import type { Any } from "../topology/any.ts";
import type { Stage, StageEnv } from "../topology/stage.ts";

/** What building the stages of a task needs. */
export interface StageHost {
  /** The surroundings of an operator. */
  env(node: CompiledNode): StageEnv;
  /** The end of a sink, by its number. */
  end(sink: number): Stage<Any>;
}

/** The stages of a sub-topology, fused: each calls the next directly. Sinks are numbered in the order of `sinksOf`. */
export function buildStages(roots: readonly CompiledNode[], host: StageHost): Stage<Any> {
  let sinks = 0;
  const build = (node: CompiledNode): Stage<Any> => {
    const down = node.spec.sink === null ? fork(node.next.map(build)) : host.end(sinks++);
    return node.spec.stage(down, host.env(node));
  };
  return fork(roots.map(build));
}

/** The sinks below the nodes, in the order in which {@link buildStages} numbers them. */
export function sinksOf(nodes: readonly CompiledNode[]): readonly CompiledNode[] {
  return nodes.flatMap((node) => (node.spec.sink === null ? sinksOf(node.next) : [node]));
}

/** One stage in front of several: each gets every value, in the order in which the plan names them. */
function fork(stages: readonly Stage<Any>[]): Stage<Any> {
  const [only] = stages;
  if (only !== undefined && stages.length === 1) {
    return only;
  }
  return {
    next: (value) => {
      for (const stage of stages) {
        stage.next(value);
      }
    },
    watermark: (timeMs) => {
      for (const stage of stages) {
        stage.watermark(timeMs);
      }
    },
    complete: () => {
      for (const stage of stages) {
        stage.complete();
      }
    },
    stop: () => {
      for (const stage of stages) {
        stage.stop();
      }
    },
  };
}
