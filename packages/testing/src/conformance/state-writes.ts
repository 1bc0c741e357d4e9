import type { DuePage, DueRange, Ports, StateDelta, StatePut, TaskRef } from "@millrace/core";
import { ok } from "./outcome.ts";
import { commitOf } from "./requests.ts";

/** Takes a task over and commits changes of its stores. */
export async function write(ports: Ports, task: TaskRef, ...state: readonly StateDelta[]): Promise<void> {
  const owner = await ok(ports.tasks.acquire(task, 1));
  await ok(ports.tasks.commit(commitOf(task, owner, { state })));
}

/** A delta of puts only, by key. */
export function puts(store: string, entries: Readonly<Record<string, string>>): StateDelta {
  return { store, puts: Object.entries(entries), deletes: [] };
}

/** A delta of puts only, with due times or without. */
export function timed(store: string, ...entries: readonly StatePut[]): StateDelta {
  return { store, puts: entries, deletes: [] };
}

/** A delta of deletes only. */
export function deletes(store: string, ...keys: readonly string[]): StateDelta {
  return { store, puts: [], deletes: keys };
}

/** What is due in a store: everything that has a due time, except for what the test says. */
export function dueIn(ports: Ports, task: TaskRef, store: string, range: Partial<DueRange> = {}): Promise<DuePage> {
  const all: DueRange = { fromMs: Number.NEGATIVE_INFINITY, untilMs: Number.POSITIVE_INFINITY, limit: 20_000 };
  return ok(ports.state.due(task, store, { ...all, ...range }));
}
