import {
  type App,
  type AppEvent,
  type AppOptions,
  createApp,
  json,
  type Pipeline,
  type Running,
  type StreamRecord,
  sleep,
  type Topic,
  topic,
} from "@millrace/core";
import { createVirtualClock, type MemoryAdapter, memoryAdapter, type VirtualClock } from "@millrace/testing";
import * as t from "io-ts";
import { until } from "./until.ts";

/** The value of most tests: a number with a key and an event time. */
export const Item = t.type({ key: t.string, n: t.number, at: t.number });
export type Item = t.TypeOf<typeof Item>;

/** A topic of items; options as of `topic`. */
export function items(name: string, options: Partial<Parameters<typeof topic<Item>>[1]> = {}): Topic<Item> {
  return topic<Item>(name, { codec: json(Item), key: (item) => item.key, timestamp: (item) => item.at, ...options });
}

/** `count` items of `keys` keys, one a second. */
export function sequence(count: number, keys = 3): Item[] {
  return Array.from({ length: count }, (_, n) => ({ key: `k${n % keys}`, n, at: n * 1_000 }));
}

/** A broker in memory, its clock, and what a test does with them. */
export interface Bench {
  readonly clock: VirtualClock;
  readonly adapter: MemoryAdapter;
  /** Events of all apps, in order. */
  readonly events: AppEvent[];
  readonly app: (name?: string, options?: Partial<Omit<AppOptions, "name" | "clock">>) => App;
  /** Runs virtual time until the promise settles. */
  readonly settle: <A>(promise: Promise<A>) => Promise<A>;
  /** Sends values and, unless told otherwise, ends the topic. */
  readonly send: <A>(
    to: Topic<A>,
    values: readonly A[],
    options?: { readonly end?: boolean; readonly id?: string },
  ) => Promise<void>;
  /** Runs pipelines to the end of their input. */
  readonly complete: (app: App, pipelines: Pipeline | readonly Pipeline[]) => Promise<Running>;
  /** Lets time pass until so many records are processed, in all tasks of these pipelines. */
  readonly caughtUp: (running: Running, records: number) => Promise<void>;
  /** Everything in a topic, partition after partition. */
  readonly read: <A>(from: Topic<A>) => Promise<readonly StreamRecord<A>[]>;
}

export function bench(): Bench {
  const clock = createVirtualClock();
  const adapter = memoryAdapter({ clock });
  const events: AppEvent[] = [];
  const settle = <A>(promise: Promise<A>): Promise<A> => until(clock, promise);
  const app: Bench["app"] = (name = "app", options = {}) => {
    // Unless a test says otherwise, a failure is seen at once instead of being tried again.
    const made = createApp({ name, adapter, clock, restart: { attempts: 0 }, ...options });
    made.events$.subscribe((event) => events.push(event));
    return made;
  };
  const tools = app("tools");
  return {
    clock,
    adapter,
    events,
    app,
    settle,
    send: async (to, values, { end = true, id } = {}) => {
      const producer = await settle(tools.producer(to, id === undefined ? {} : { id }));
      await settle(producer.sendAll(values));
      if (end) {
        await settle(producer.end());
      }
    },
    complete: async (by, pipelines) => {
      const running = await settle(by.run(pipelines));
      await settle(running.done);
      return running;
    },
    caughtUp: async (running, records) => {
      const processed = (): number => running.status().reduce((sum, task) => sum + task.processed, 0);
      while (processed() < records) {
        await settle(sleep(clock, 10));
      }
      // What was processed commits.
      await settle(sleep(clock, 100));
    },
    read: async (from) => {
      const records: StreamRecord<ReturnType<typeof from.of>>[] = [];
      const read = new Promise<void>((resolve, reject) => {
        tools
          .observe(from, { from: "start", untilEnd: true })
          .subscribe({ next: (record) => records.push(record), error: reject, complete: resolve });
      });
      await settle(read);
      return records.toSorted((a, b) => a.partition - b.partition);
    },
  };
}

/** What a promise rejects with; throws when it does not. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("expected a rejection");
}
