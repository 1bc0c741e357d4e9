/** What the driver looks up in the plans of pipelines, and changes in copies: the one place that knows how core keeps them. */
import type { AroundHandler, Pipeline, Topic } from "@millrace/core";
import { TestDriverError } from "./test-driver-error.ts";

/** Of what core's operators say of themselves, what counts here. */
interface PlanSpec {
  readonly holds: boolean;
  readonly fills: { readonly withinMs: number } | null;
  readonly around: ((handler: AroundHandler) => PlanSpec) | null;
}

type PlanNode =
  | { readonly topic: Topic<unknown>; readonly parent: null; readonly spec: null }
  | { readonly parent: PlanNode; readonly spec: PlanSpec };

/** A pipeline with its sinks, which its type hides. */
type PlannedPipeline = Omit<Pipeline, "ends"> & { readonly ends: readonly PlanNode[] };

/** One pipeline or several, as a list. Throws `InvalidCall` for anything else, and for none. */
export function listOf(call: string, pipelines: Pipeline | readonly Pipeline[]): readonly Pipeline[] {
  const list: readonly unknown[] = Array.isArray(pipelines) ? pipelines : [pipelines];
  if (list.length === 0) {
    throw new TestDriverError("InvalidCall", `${call}: there is no pipeline to run`);
  }
  return list.map((one) => {
    if (!isPipeline(one)) {
      throw new TestDriverError("InvalidCall", `${call}: what is to run must be made by pipeline(…)`);
    }
    return one;
  });
}

function isPipeline(value: unknown): value is Pipeline {
  return typeof value === "object" && value !== null && "ends" in value && "describe" in value;
}

/** The topic from which what lies in a topic of the pipeline comes: of one that a change of key has made, that in front of it. */
export function sourceOf(pipeline: Pipeline, group: string, topic: string): string {
  const { nodes } = pipeline.describe();
  let node = nodes.find(({ name }) => topic === `${group}.${name}.repartition`);
  while (node !== undefined && node.inputs.length > 0) {
    const [input] = node.inputs;
    node = nodes.find(({ id }) => id === input);
  }
  return node?.name ?? topic;
}

/** For how long a batch of the pipeline waits at most to be filled (ms); 0: there is none. */
export function longestFillMs(pipeline: Pipeline): number {
  const fillMs = (node: PlanNode): number =>
    node.parent === null ? 0 : Math.max(node.spec.fills?.withinMs ?? 0, fillMs(node.parent));
  return Math.max(0, ...endsOf(pipeline).map(fillMs));
}

/** Whether a partition of a topic that the pipeline reads counts as idle when nothing has come for some time. */
export function mindsSilence(pipeline: Pipeline): boolean {
  const isIdle = (node: PlanNode): boolean =>
    node.parent === null ? node.topic.time.idleAfterMs !== null : isIdle(node.parent);
  return endsOf(pipeline).some(isIdle);
}

/** The same pipeline with a handler around each asynchronous call of a user's function, as `around` puts it there. */
export function aroundCalls(pipeline: Pipeline, handler: AroundHandler): Pipeline {
  const known = new Map<PlanNode, PlanNode>();
  // Nodes that several branches share stay shared.
  const copy = (node: PlanNode): PlanNode => {
    const found = known.get(node);
    if (found !== undefined || node.parent === null) {
      return found ?? node;
    }
    const { spec } = node;
    // Only what holds values waits for promises.
    const wrapped = spec.around === null || !spec.holds ? spec : spec.around(handler);
    const made = { ...node, parent: copy(node.parent), spec: wrapped };
    known.set(node, made);
    return made;
  };
  const planned: PlannedPipeline = { ...pipeline, ends: endsOf(pipeline).map(copy) };
  return planned as unknown as Pipeline;
}

function endsOf(pipeline: Pipeline): readonly PlanNode[] {
  return (pipeline as unknown as PlannedPipeline).ends;
}
