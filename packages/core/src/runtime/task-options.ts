import { MillraceError } from "../errors.ts";
import type { RetrySchedule } from "../kernel/retry.ts";
import { taskIdOf } from "../kernel/task-id.ts";
import type { Ports } from "../ports/adapter.ts";
import type { Clock } from "../ports/clock.ts";
import type { TopicInfo } from "../ports/log.ts";
import type { TaskRef } from "../ports/tasks.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import type { SubTopology } from "../topology/sub-topology.ts";
import type { TaskLimits } from "./limits.ts";

/** What a task needs to run. */
export interface TaskOptions {
  readonly ports: Ports;
  readonly clock: Clock;
  readonly ref: TaskRef;
  readonly subTopology: SubTopology;
  /** Every topic that the pipeline reads or writes, by name. */
  readonly topics: ReadonlyMap<string, TopicInfo>;
  readonly limits: TaskLimits;
  /** The name under which a store of the plan is kept: another one after each reset. */
  readonly storeName: (store: string) => string;
  /** How it starts again when an operator has failed. */
  readonly restart: RetrySchedule;
  readonly emit: Telemetry;
  /** Records were read. */
  readonly stirred: () => void;
}

/** Why a task has ended. */
export type Outcome =
  | { readonly kind: "stopped" }
  /** Its input was ended, and all of it is processed. */
  | { readonly kind: "complete" }
  /** Everything before the record at which the run was to be cut is committed. */
  | { readonly kind: "reachedCut" }
  | { readonly kind: "failed"; readonly error: MillraceError };

/** The task's name in events, messages and writers' tables: `<group>/<topic>/<partition>`. */
export function taskName(ref: {
  readonly group: string;
  readonly topic: { readonly name: string };
  readonly partition: number;
}): string {
  return `${ref.group}/${taskIdOf(ref.topic.name, ref.partition)}`;
}

/** Why a task cannot go on whose foreign operators keep everything. */
export function stuck(task: string): MillraceError {
  return new MillraceError(
    "NativeOperatorError",
    `the foreign operators of task ${task} hold all records that it may read: raise limits, or say native(name, op, { stateless: true }) where an operator only drops them`,
  );
}
