/** What a group has left in the store: whether there is anything, and how it goes. All reject with `MillraceError`. */
import * as E from "fp-ts/lib/Either.js";
import { MillraceError } from "../errors.ts";
import type { Ports } from "../ports/adapter.ts";
import type { TopicInfo } from "../ports/log.ts";
import type { StatePage } from "../ports/state-store.ts";
import type { TaskRef } from "../ports/tasks.ts";
import { type LyingStore, updatesName } from "../topology/kept-topology.ts";
import { demand } from "./demand.ts";

/** Whose it is. */
interface Owner {
  readonly ports: Pick<Ports, "log" | "state" | "tasks">;
  readonly group: string;
}

/** Whether a store has an entry in any partition. */
export async function holdsEntries(owner: Owner, lying: LyingStore): Promise<boolean> {
  const found = await Promise.all(
    partsOf(owner, lying).map(async ([task, store]) => await hasEntry(owner, task, store)),
  );
  return found.includes(true);
}

/** Whether the group has not processed all that a topic holds. */
export async function hasUnread({ ports, group }: Owner, topic: TopicInfo): Promise<boolean> {
  const times = await ports.log.times(topic)();
  if (E.isLeft(times)) {
    if (times.left._tag === "TopicLost") {
      return false;
    }
    throw new MillraceError(times.left);
  }
  const positions = await demand(ports.tasks.positions(tasksOf(group, topic)));
  return times.right.partitions.some(({ appended }, partition) => appended > (positions[partition]?.processed ?? 0));
}

/** Deletes stores in all partitions. They may be deleted already. */
export async function deleteStores(owner: Owner, doomed: readonly LyingStore[]): Promise<void> {
  const parts = doomed.flatMap((lying) => partsOf(owner, lying));
  await Promise.all(parts.map(async ([task, store]) => await demand(owner.ports.state.drop(task, store))));
}

async function hasEntry({ ports }: Owner, task: TaskRef, store: string): Promise<boolean> {
  let cursor: string | null = null;
  do {
    const page: StatePage = await demand(ports.state.scan(task, store, cursor));
    if (page.entries.length > 0) {
      return true;
    }
    // A page may be empty though others are not.
    cursor = page.cursor;
  } while (cursor !== null);
  return false;
}

/** The store and the one beside it, in all partitions. */
function partsOf(
  { group }: Owner,
  { store, source }: LyingStore,
): readonly (readonly [task: TaskRef, store: string])[] {
  return tasksOf(group, source).flatMap((task) => [store, updatesName(store)].map((each) => [task, each] as const));
}

function tasksOf(group: string, topic: TopicInfo): readonly TaskRef[] {
  return Array.from({ length: topic.partitions }, (_, partition) => ({ group, topic, partition }));
}
