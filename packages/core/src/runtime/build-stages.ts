import { HandlerError } from "../errors.ts";
import type { Any } from "../topology/any.ts";
import type { CompiledNode } from "../topology/compile.ts";
import { type Queue, type Stage, type StageEnv, scope } from "../topology/stage.ts";
import type { StoreContents } from "./load-stores.ts";
import { type TaskOptions, taskName } from "./task-options.ts";
import { TaskUnit } from "./task-unit.ts";

/** What operators may ask of their task. */
export interface StageHost {
  readonly options: TaskOptions;
  readonly stores: StoreContents;
  /** Ends the task with a failure. */
  readonly fail: (error: unknown) => void;
  /** There is more to emit than one unit should carry. */
  readonly again: () => void;
  /** A stage waits before it begins. */
  readonly queues: (queue: Queue) => void;
}

/** The stages of a task, fused: each calls the next directly. Sinks are numbered in the order of {@link sinksOf}. */
export function buildStages(host: StageHost): Stage<Any> {
  let sinks = 0;
  let nodes = 0;
  const build = (node: CompiledNode): Stage<Any> => {
    const number = nodes++;
    const down = node.spec.sink === null ? fork(node.next.map(build)) : sinkEnd(sinks++);
    return node.spec.stage(down, envOf(node, number, host));
  };
  return fork(host.options.subTopology.roots.map(build));
}

/** The sinks below the nodes, in the order in which {@link buildStages} numbers them. */
export function sinksOf(nodes: readonly CompiledNode[]): readonly CompiledNode[] {
  return nodes.flatMap((node) => (node.spec.sink === null ? sinksOf(node.next) : [node]));
}

function envOf(node: CompiledNode, number: number, host: StageHost): StageEnv {
  const { clock, ref, emit } = host.options;
  return {
    node: node.store ?? node.label,
    clock,
    failure: (cause, record) =>
      cause instanceof HandlerError ? cause : new HandlerError(node.label, record.offset === "" ? null : record, cause),
    fail: host.fail,
    again: host.again,
    restored: () => host.stores.get(node.store ?? "") ?? [],
    identity: `${ref.group}/${node.spec.name ?? number}/${ref.topic.incarnation}`,
    queues: host.queues,
    retried: (record, attempt, pauseMs) =>
      emit({ _tag: "Retried", task: taskName(ref), node: node.label, id: record.id, attempt, pauseMs }),
    late: (record) => emit({ _tag: "LateRecord", task: taskName(ref), node: node.label, id: record.id }),
    task: { topic: ref.topic.name, partition: ref.partition },
    inTask: true,
  };
}

/** Where values end: what a sink has written is in the unit; how far event time has come there belongs to the unit too. */
function sinkEnd(sink: number): Stage<Any> {
  return {
    next: () => {},
    watermark: (timeMs) => {
      if (scope.unit instanceof TaskUnit) {
        scope.unit.sinkWatermarks.set(sink, timeMs);
      }
    },
    complete: () => {},
    stop: () => {},
  };
}

/** One stage in front of several: each gets every value, in the order in which the plan names them. */
function fork(stages: readonly Stage<Any>[]): Stage<Any> {
  const [only] = stages;
  if (only !== undefined && stages.length === 1) {
    return only;
  }
  const each = (call: (stage: Stage<Any>) => void): void => {
    for (const stage of stages) {
      call(stage);
    }
  };
  return {
    next: (value) => each((stage) => stage.next(value)),
    watermark: (timeMs) => each((stage) => stage.watermark(timeMs)),
    complete: () => each((stage) => stage.complete()),
    stop: () => each((stage) => stage.stop()),
  };
}
