import { BEFORE_FIRST, type Commit, type Ownership, type TaskRef, type TopicInfo } from "@millrace/core";
import { expect } from "vitest";
import { payloads, stateOf } from "./contents.ts";
import { ok } from "./outcome.ts";
import { commitOf, records } from "./requests.ts";
import type { Rig } from "./rig.ts";
import { dueIn } from "./state-writes.ts";
import type { Site } from "./target.ts";

/** A task with one commit behind it, the two topics it writes, and a next commit that touches everything. */
export interface Scene {
  readonly task: TaskRef;
  readonly owner: Ownership;
  readonly outputs: readonly [TopicInfo, TopicInfo];
  readonly next: Commit;
}

/** A place where the next commit would leave a trace, and how to see that it did not. */
export interface Trace {
  readonly site: Site;
  readonly absent: () => Promise<void>;
}

/** Sets a {@link Scene} with topics and a group of its own. */
export async function setScene(rig: Rig): Promise<Scene> {
  const [task, one, two] = [await rig.task(), await rig.topic(), await rig.topic()];
  const acquired = await ok(rig.ports.tasks.acquire(task, 1));
  await ok(rig.ports.tasks.commit(commitOf(task, acquired, { time: "before", processed: 1 })));
  const owner = { ...acquired, sequence: 1, processed: 1, time: "before" };
  const next = commitOf(task, owner, {
    processed: 2,
    outputs: [
      { topic: one, partition: 0, records: records(2) },
      { topic: two, partition: 0, records: records(2) },
    ],
    state: [
      { store: "s", puts: [["k", "v", 7]], deletes: [] },
      { store: "t", puts: [["k", "v", 7]], deletes: [] },
    ],
    time: "after",
    watermarks: [
      { topic: one, writer: "w", watermarkMs: 5 },
      { topic: two, writer: "w", watermarkMs: 5 },
    ],
  });
  return { task, owner, outputs: [one, two], next };
}

/** Destinations, writers' tables, stores and their due times, two of each, in the order in which the next commit names them. */
export function tracesOf(rig: Rig, { task, outputs }: Scene): readonly Trace[] {
  const { log } = rig.ports;
  const destinations = outputs.map((topic) => ({
    site: { kind: "partition", topic, partition: 0 } as const,
    absent: async () => expect(await payloads(log, topic)).toEqual([]),
  }));
  const writers = outputs.map((topic) => ({
    site: { kind: "writers", topic } as const,
    absent: async () => expect((await ok(log.times(topic))).writers).toEqual({}),
  }));
  const stores = ["s", "t"].map((store) => ({
    site: { kind: "store", task, store } as const,
    absent: async () => expect(await stateOf(rig.ports, task, store)).toEqual(new Map()),
  }));
  const dues = ["s", "t"].map((store) => ({
    site: { kind: "dues", task, store } as const,
    absent: async () => expect(await dueIn(rig.ports, task, store)).toEqual({ entries: [], nextMs: null }),
  }));
  return [...destinations, ...writers, ...stores, ...dues];
}

/** The task's sequence, position and time are those of the commit before {@link Scene.next}. Takes the task over. */
export async function ownerIsWhereItWas(rig: Rig, { task }: Scene): Promise<void> {
  const left = await ok(rig.ports.tasks.acquire(task, 1));
  expect(left).toMatchObject({ sequence: 1, offset: BEFORE_FIRST, processed: 1, time: "before" });
}
