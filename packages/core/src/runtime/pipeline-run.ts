/**
 * One pipeline at work on this worker: its topics exist, its tasks are entered as writers, the worker has joined the group,
 * and every task runs.
 */
import * as E from "fp-ts/lib/Either.js";
import type { TaskEither } from "fp-ts/lib/TaskEither.js";
import { MillraceError } from "../errors.ts";
import type { Ports } from "../ports/adapter.ts";
import type { Clock } from "../ports/clock.ts";
import type { TopicInfo } from "../ports/log.ts";
import type { PortError } from "../ports/port-error.ts";
import type { TaskRef } from "../ports/tasks.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import { compile, type SubTopology } from "../topology/compile.ts";
import type { Pipeline } from "../topology/pipeline.ts";
import { DEFAULT_PARTITIONS } from "../topology/topic.ts";
import { type Limits, shareOut } from "./limits.ts";
import { taskName } from "./task-options.ts";
import { TaskRunner, type TaskStatus } from "./task-runner.ts";
import { keepTime } from "./time-keeper.ts";

/** What running a pipeline needs. */
export interface PipelineRunOptions {
  readonly pipeline: Pipeline;
  /** The consumer group, `<app>.<pipeline>`. */
  readonly group: string;
  /** This worker's name in the group. */
  readonly member: string;
  readonly ports: Ports;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly emit: Telemetry;
}

export class PipelineRun {
  private readonly options: PipelineRunOptions;
  private readonly ended = new AbortController();
  private isStopped = false;
  private subTopologies: readonly SubTopology[] = [];
  private topics: ReadonlyMap<string, TopicInfo> = new Map();
  private runners: readonly TaskRunner[] = [];
  /** Resolves when every task is complete or stopped; rejects with the first failure, when all have stopped. */
  done: Promise<void> = Promise.resolve();

  constructor(options: PipelineRunOptions) {
    this.options = options;
  }

  /**
   * Creates the topics that are missing and enters the tasks as writers: every task of every pipeline counts before the
   * first one runs, so that no reader runs ahead of one that starts late. Rejects with `MillraceError`.
   */
  async prepare(): Promise<void> {
    this.subTopologies = compile(this.options.pipeline.ends, this.options.group);
    this.topics = await this.ensureTopics(this.subTopologies);
    await this.registerWriters(this.subTopologies, this.topics);
  }

  /** Joins the group and starts the tasks. Rejects with `MillraceError`; then nothing runs. */
  async start(): Promise<void> {
    const { group, member, ports, clock, limits, emit } = this.options;
    const { subTopologies, topics } = this;
    const { generation } = await demand(ports.group.join(group, member));
    const tasks = subTopologies.flatMap((subTopology) =>
      tasksOf(group, subTopology, topics).map((ref) => ({ ref, subTopology })),
    );
    const share = shareOut(limits, tasks.length);
    this.runners = tasks.map(
      ({ ref, subTopology }) =>
        new TaskRunner({ ports, clock, ref, subTopology, topics, limits: share, emit }, generation),
    );
    emit({ _tag: "Started", group, generation, tasks: tasks.map(({ ref }) => taskName(ref)) });
    for (const topic of new Set(tasks.map(({ ref }) => ref.topic))) {
      this.keepTimeOf(topic, tasks);
    }
    this.done = this.runAll();
    // The caller may look at `done` later; until then a failure is not unhandled.
    this.done.catch(() => {});
  }

  /** Lets what was read commit for up to `withinMs`, then gives every task up. */
  async stop(withinMs: number): Promise<void> {
    await Promise.all(this.runners.map((runner) => runner.stop(withinMs)));
    if (!this.isStopped) {
      this.isStopped = true;
      this.ended.abort();
      this.options.emit({ _tag: "Stopped", group: this.options.group });
    }
  }

  status(): readonly TaskStatus[] {
    return this.runners.map((runner) => runner.status());
  }

  private async runAll(): Promise<void> {
    const failures: unknown[] = [];
    const { emit } = this.options;
    const runs = this.runners.map(async (runner) => {
      try {
        await runner.run();
      } catch (error) {
        failures.push(error);
        if (error instanceof MillraceError) {
          emit({ _tag: "Failed", task: runner.status().task, error });
        }
        // One task that stops for good stops the pipeline: the others commit what they have.
        void Promise.all(this.runners.map((other) => other.stop(STOP_AFTER_FAILURE_MS))).catch(() => {});
      }
    });
    await Promise.all(runs);
    this.ended.abort();
    if (failures.length > 0) {
      throw failures[0];
    }
  }

  private keepTimeOf(topic: TopicInfo, tasks: readonly { readonly ref: TaskRef }[]): void {
    const { ports, clock } = this.options;
    const own = this.runners.filter((_runner, index) => tasks[index]?.ref.topic === topic);
    const partitions = tasks.filter(({ ref }) => ref.topic === topic).map(({ ref }) => ref.partition);
    // A read that waits would not notice that its topic is gone.
    const failAll = (error: unknown): void => {
      for (const runner of own) {
        runner.fail(error);
      }
    };
    keepTime(
      { log: ports.log, clock, topic, signal: this.ended.signal },
      {
        times: ({ writers, partitions: times }) => {
          own.forEach((runner, index) => {
            const time = times[partitions[index] ?? -1];
            if (time !== undefined) {
              runner.onTimes({ ...time, writers });
            }
          });
        },
        lost: (error) => failAll(new MillraceError(error)),
      },
    ).catch(failAll);
  }

  private async ensureTopics(subTopologies: readonly SubTopology[]): Promise<ReadonlyMap<string, TopicInfo>> {
    const topics = new Map<string, TopicInfo>();
    const upstreams = new Map(subTopologies.map(({ source, upstream }) => [source.name, upstream]));
    for (const { name, partitions } of subTopologies.flatMap(({ source, writes }) => [source, ...writes])) {
      if (!topics.has(name)) {
        const upstream = upstreams.get(name) ?? null;
        const sameAsUpstream = upstream === null ? null : (topics.get(upstream.name)?.partitions ?? null);
        topics.set(name, await this.ensureTopic(name, partitions ?? sameAsUpstream));
      }
    }
    return topics;
  }

  private ensureTopic(name: string, partitions: number | null): Promise<TopicInfo> {
    return demand(this.options.ports.log.ensureTopic({ name, partitions, defaultPartitions: DEFAULT_PARTITIONS }));
  }

  private async registerWriters(
    subTopologies: readonly SubTopology[],
    topics: ReadonlyMap<string, TopicInfo>,
  ): Promise<void> {
    const { group, ports } = this.options;
    for (const subTopology of subTopologies) {
      const writers = tasksOf(group, subTopology, topics).map(taskName);
      for (const { name } of subTopology.writes) {
        const topic = topics.get(name);
        if (topic !== undefined) {
          await demand(ports.log.registerWriters(topic, writers));
        }
      }
    }
  }
}

/** How long the other tasks may finish when one has failed. */
const STOP_AFTER_FAILURE_MS = 5_000;

function tasksOf(group: string, { source }: SubTopology, topics: ReadonlyMap<string, TopicInfo>): readonly TaskRef[] {
  const topic = topics.get(source.name);
  return topic === undefined
    ? []
    : Array.from({ length: topic.partitions }, (_, partition) => ({ group, topic, partition }));
}

/** The result of a call; throws its failure as a `MillraceError`. */
export async function demand<A>(call: TaskEither<PortError, A>): Promise<A> {
  const result = await call();
  if (E.isLeft(result)) {
    throw new MillraceError(result.left);
  }
  return result.right;
}
