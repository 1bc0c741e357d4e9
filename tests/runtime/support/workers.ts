import { type App, type AppEvent, type MemberOptions, mapOrdered, type Pipeline } from "@millrace/core";
import { expect } from "vitest";
import type { Bench, Item } from "./bench-top.ts";

/** A worker of its own, with its events. */
export interface TestWorker {
  readonly app: App;
  readonly events: readonly AppEvent[];
}

/** Makes a worker; it runs nothing yet. */
export function workerOf(
  top: Bench,
  member: MemberOptions = {},
  options: Parameters<Bench["app"]>[1] = {},
): TestWorker {
  const events: AppEvent[] = [];
  const app = top.app("app", { ...options, member });
  app.events$.subscribe((event) => events.push(event));
  return { app, events };
}

/** How many tasks each member has, by the group itself; all tasks must have a member. */
export async function shares(top: Bench, app: App, plan: Pipeline): Promise<number[]> {
  const { members, tasks } = await top.settle(app.describeGroup(plan));
  expect(tasks.every(({ member }) => member !== null)).toBe(true);
  return members.map(({ tasks: own }) => own.length).toSorted((a, b) => a - b);
}

/** The events of one kind. */
export function pick<Tag extends AppEvent["_tag"]>(
  events: readonly AppEvent[],
  tag: Tag,
): readonly Extract<AppEvent, { _tag: Tag }>[] {
  return events.filter((event): event is Extract<AppEvent, { _tag: Tag }> => event._tag === tag);
}

/** An operator that takes its time. */
export function slow(top: Bench, ms: number): ReturnType<typeof mapOrdered<Item, Item>> {
  return mapOrdered(
    (item: Item) =>
      new Promise<Item>((resolve) => {
        top.clock.after(ms, () => resolve(item));
      }),
    { concurrency: 4 },
  );
}
