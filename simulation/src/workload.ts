import type { Pipeline, StreamRecord, Topic } from "@millrace/core";
import type { Flow } from "@millrace/testing/history";
import type { SimulatedProcess } from "@millrace/testing/simulation";
import type { Item } from "./item.ts";
import type { Scenario } from "./scenario.ts";

/** What handlers have seen, in all processes. */
export interface Witness {
  /** A process of the scenario itself, where no pipeline runs. */
  readonly outside: SimulatedProcess;
  /** How long a handler takes: in simulated time of its process. */
  readonly pause: (process: SimulatedProcess) => Promise<void>;
  /** A broken promise that a handler has seen. */
  readonly saw: (violation: string) => void;
}

/** What is left when a scenario is over. */
export interface Remains {
  /** What lies in a topic, partition after partition. */
  readonly read: <A>(topic: Topic<A>) => Promise<readonly StreamRecord<A>[]>;
  /** The values in the dead letters of a pipeline. */
  readonly letters: (pipeline: Pipeline) => Promise<readonly unknown[]>;
}

/** A program to run under faults, and what must come out of it. */
export interface Workload {
  readonly source: Topic<Item>;
  readonly values: readonly Item[];
  /** The pipelines as one process has them. */
  readonly pipelines: (process: SimulatedProcess) => readonly Pipeline[];
  /** What the history of the calls is compared with, where each record is treated by itself. */
  readonly flows?: readonly Flow[];
  /** Compares what came out with what must; returns the differences. */
  readonly judge: (remains: Remains) => Promise<readonly string[]>;
}

/** Makes the workload of a scenario. */
export type MakeWorkload = (scenario: Scenario, witness: Witness) => Workload;

/** Values that belong together, in their order. */
export function grouped<A>(values: readonly A[], keyOf: (value: A) => string): ReadonlyMap<string, readonly A[]> {
  const groups = new Map<string, A[]>();
  for (const value of values) {
    const group = groups.get(keyOf(value)) ?? [];
    groups.set(keyOf(value), group);
    group.push(value);
  }
  return groups;
}

/** One difference, or none. */
export function same(what: string, found: unknown, expected: unknown): readonly string[] {
  const [a, b] = [JSON.stringify(found), JSON.stringify(expected)];
  return a === b ? [] : [`${what}: found ${a}, expected ${b}`];
}
