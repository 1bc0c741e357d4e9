import * as E from "fp-ts/lib/Either.js";
import { DecodeError, HandlerError } from "../errors.ts";
import type { Any } from "../topology/any.ts";
import type { FailureTarget } from "../topology/failure-target.ts";
import { guarded } from "../topology/guard.ts";
import { updatesName } from "../topology/kept-topology.ts";
import type { CurrentRecord } from "../topology/record.ts";
import { type Queue, type Stage, type StageEnv, type StoreSource, scope } from "../topology/stage.ts";
import type { CompiledNode } from "../topology/sub-topology.ts";
import type { Topic } from "../topology/topic.ts";
import type { StoreContents } from "./load-stores.ts";
import { NodeFailures } from "./node-failures.ts";
import { type TaskOptions, taskName } from "./task-options.ts";
import { TaskUnit } from "./task-unit.ts";

/** What operators may ask of their task. */
export interface StageHost {
  readonly options: TaskOptions;
  /** What became of dead letters. */
  readonly stores: StoreContents;
  /** The stores of operators, by their names. */
  readonly sources: ReadonlyMap<string, StoreSource>;
  /** Whether records were committed before, and the input had not ended then. */
  readonly resumes: boolean;
  /** Ends the task with a failure. */
  readonly fail: (error: unknown) => void;
  /** There is more to emit than one unit should carry. */
  readonly again: () => void;
  /** A stage waits before it begins. */
  readonly queues: (queue: Queue) => void;
}

/** The operators of a task at work. */
export interface TaskStages {
  /** What records are pushed into. */
  readonly root: Stage<Any>;
  /** What becomes of entries that do not decode; `null`: the task fails. */
  readonly undecodable: NodeFailures | null;
  /** The operators that write dead letters, by their names. Redriven letters enter at `stage`. */
  readonly entries: ReadonlyMap<string, LetterEntry>;
}

/** Where the letters of one operator come from, and enter again. */
export interface LetterEntry {
  /** Event time where letters enter (ms); `null` before it is known: it may trail that of the task. */
  readonly watermarkMs: number | null;
  readonly failures: NodeFailures;
  readonly target: FailureTarget;
  readonly stage: Stage<Any>;
}

/** The stages of a task, fused: each calls the next directly. Sinks are numbered in the order of {@link sinksOf}. */
export function buildStages(host: StageHost): TaskStages {
  const { source, undecodable: target, roots } = host.options.subTopology;
  const entries = new Map<string, LetterEntry>();
  let sinks = 0;
  const named = new Map<string, number>();
  const failuresOf = (of: FailureTarget): NodeFailures =>
    new NodeFailures(of, host.options, host.stores.get(of.letters?.store ?? "") ?? []);
  const build = (node: CompiledNode): Stage<Any> => {
    const identity = identityOf(node, named);
    const side = node.side === null ? null : build(node.side);
    const down = node.spec.sink === null ? fork(node.next.map(build)) : sinkEnd(sinks++);
    const { failure, spec } = node;
    const plain = { ...envOf(node, identity, host), side };
    if (failure === null) {
      return spec.stage(down, plain);
    }
    const failures = failuresOf(failure);
    const env = { ...plain, failures };
    const stage = spec.handlesFailures ? spec.stage(down, env) : guarded(spec.stage, failures)(down, env);
    const entry = new Entry(failures, failure, stage);
    entries.set(failure.name, entry);
    return entry;
  };
  const root = fork(roots.map(build));
  const undecodable = target === null ? null : failuresOf(target);
  if (target !== null && undecodable !== null) {
    const stage = decoder(source, undecodable, root);
    entries.set(target.name, { watermarkMs: null, failures: undecodable, target, stage });
  }
  return { root, undecodable, entries };
}

/** The operator as others push into it, and what letters need to know of it. */
class Entry implements Stage<Any>, LetterEntry {
  readonly failures: NodeFailures;
  readonly target: FailureTarget;
  readonly stage: Stage<Any>;
  watermarkMs: number | null = null;

  constructor(failures: NodeFailures, target: FailureTarget, stage: Stage<Any>) {
    this.failures = failures;
    this.target = target;
    this.stage = stage;
  }

  next(value: Any): void {
    this.stage.next(value);
  }

  watermark(timeMs: number): void {
    this.watermarkMs = timeMs;
    this.stage.watermark(timeMs);
  }

  complete(): void {
    this.stage.complete();
  }

  stop(): void {
    this.stage.stop();
  }
}

/** Where letters enter whose entry did not decode: perhaps it does now. */
function decoder(source: Topic<Any>, failures: NodeFailures, root: Stage<Any>): Stage<Any> {
  return {
    ...root,
    next: (text: string) => {
      const { record } = scope;
      const refused = failures.admit(record);
      const decoded = refused === null ? source.codec.decode(text) : null;
      if (decoded === null) {
        failures.settle(text, refused);
      } else if (E.isLeft(decoded)) {
        const { topic, partition, offset } = record;
        const cause = new DecodeError({ topic, partition, offset, raw: text, issues: decoded.left });
        failures.settle(text, failures.decide(cause, { record, attempts: 1 }));
      } else {
        failures.settle(text, null);
        root.next(decoded.right);
      }
    },
  };
}

/** The sinks below the nodes, in the order in which {@link buildStages} numbers them. */
export function sinksOf(nodes: readonly CompiledNode[]): readonly CompiledNode[] {
  return nodes.flatMap((node) => [
    ...(node.side === null ? [] : sinksOf([node.side])),
    ...(node.spec.sink === null ? sinksOf(node.next) : [node]),
  ]);
}

/** Tells an operator from all others, also where several have one name. The same in every run, with or without a policy. */
function identityOf({ name }: CompiledNode, named: Map<string, number>): string {
  const before = named.get(name) ?? 0;
  named.set(name, before + 1);
  return before === 0 ? name : `${name}#${before}`;
}

function envOf(node: CompiledNode, identity: string, host: StageHost): StageEnv {
  const { clock, ref, emit } = host.options;
  return {
    node: node.store ?? node.label,
    clock,
    failure: (cause, record) => (cause instanceof HandlerError ? cause : handlerError(node.label, record, cause)),
    failures: null,
    fail: host.fail,
    again: host.again,
    resumes: host.resumes,
    store: host.sources.get(node.store ?? "") ?? null,
    updates: host.sources.get(updatesName(node.store ?? "")) ?? null,
    side: null,
    identity: `${ref.group}/${identity}/${ref.topic.incarnation}`,
    queues: host.queues,
    retried: (record, attempt, pauseMs) =>
      emit({ _tag: "Retried", task: taskName(ref), node: node.label, id: record.id, attempt, pauseMs }),
    late: (record, windows) =>
      emit({ _tag: "LateRecord", task: taskName(ref), node: node.label, id: record.id, windows }),
    task: { topic: ref.topic.name, partition: ref.partition },
    inTask: true,
  };
}

/** Results that time has brought forth have no place in the log: their id says what they are. */
function handlerError(label: string, record: CurrentRecord, cause: unknown): HandlerError {
  const letter = record.letter?.id ?? null;
  return record.offset === ""
    ? new HandlerError(label, null, cause, letter, record.id === "" ? null : record.id)
    : new HandlerError(label, record, cause, letter);
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
