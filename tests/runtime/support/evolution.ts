/** Where pipelines are deployed one after the other: in memory, and on a real Redis. */
import { setTimeout as pause } from "node:timers/promises";
import {
  type Adapter,
  type AggregateOptions,
  type App,
  type AppOptions,
  aggregate,
  count,
  createApp,
  map,
  type Pipeline,
  type Ports,
  pipeline,
  type Running,
  type RunOptions,
  type Stream,
  type Sunk,
  sink,
  stream,
  type Topic,
} from "@millrace/core";
import { redisAdapter } from "@millrace/redis-adapter";
import {
  type RedisServer,
  startRedis,
  uniqueNamespace,
} from "../../../packages/redis-adapter/test/support/redis-server.ts";
import { bench, type Item, items } from "./bench-top.ts";

/** The group of the pipelines of {@link counting}. */
export const GROUP = "app.totals";

export const source = items("source", { partitions: 2 });
export const totals = items("totals", { partitions: 1 });

/** A store, an app's clock, and what a test does with them. */
export interface Place {
  readonly adapter: Adapter;
  readonly app: (options?: Partial<AppOptions>) => App;
  /** Lets time pass until the promise settles. */
  readonly settle: <A>(promise: Promise<A>) => Promise<A>;
  /** Sends as many records of the key `k`. */
  readonly send: (records: number, options?: { readonly end?: boolean }) => Promise<void>;
  /** Waits until all that was sent is processed. */
  readonly caughtUp: (running: Running) => Promise<void>;
  /** Runs a pipeline until it has processed all that was sent, and stops it. */
  readonly deploy: (plan: Pipeline, options?: RunOptions) => Promise<void>;
  /** The numbers in a topic, in order. */
  readonly numbers: (from?: Topic<Item>) => Promise<readonly number[]>;
  /** Ports beside those of the apps. */
  readonly ports: () => Promise<Ports>;
  readonly dispose: () => Promise<void>;
}

type Base = Pick<Place, "adapter" | "app" | "settle" | "dispose"> & {
  readonly passMs: (ms: number) => Promise<void>;
};

/** Counts the records of each key. Other options make it another version of the same pipeline. */
export function counting(options: AggregateOptions<Item> = {}): Pipeline {
  return pipeline("totals", counted(options));
}

/** The stream of {@link counting}, for pipelines with others beside it. */
export function counted(options: AggregateOptions<Item> = {}): Stream<Sunk> {
  return stream(source).pipe(
    aggregate({ n: count() }, { name: "totals", ...options }),
    map(({ key, value }) => totals.of({ key, n: value.n, at: 0 })),
    sink(totals),
  );
}

export function inMemory(): Place {
  const top = bench();
  return placeOn({
    adapter: top.adapter,
    app: (options) => top.app("app", options),
    settle: top.settle,
    passMs: (ms) => top.clock.advance(ms),
    dispose: async () => {},
  });
}

let redis: RedisServer | null = null;

/** On a server that all tests of a file share, in a namespace of its own. */
export async function onRedis(): Promise<Place & { readonly url: string; readonly namespace: string }> {
  redis ??= await startRedis();
  const apps: App[] = [];
  const { url } = redis;
  const namespace = uniqueNamespace();
  const adapter = redisAdapter({ url, namespace });
  const place = placeOn({
    adapter,
    app: (options) => {
      const app = createApp({ name: "app", adapter, restart: { attempts: 0 }, ...options });
      app.events$.subscribe();
      apps.push(app);
      return app;
    },
    settle: (promise) => promise,
    passMs: async (ms) => {
      await pause(ms);
    },
    dispose: async () => {
      await Promise.all(apps.map((app) => app.close()));
    },
  });
  return { ...place, url, namespace };
}

/** Ends the server of {@link onRedis}. */
export async function stopRedis(): Promise<void> {
  await redis?.stop();
  redis = null;
}

function placeOn({ passMs, ...base }: Base): Place {
  const { app, settle } = base;
  const tools = app();
  const opened: Ports[] = [];
  let sent = 0;
  const place: Place = {
    ...base,
    send: async (records, { end = false } = {}) => {
      const producer = await settle(tools.producer(source));
      const values = Array.from({ length: records }, (_, n) => ({ key: "k", n, at: (sent + n) * 1_000 }));
      sent += records;
      await settle(producer.sendAll(values));
      await settle(end ? producer.end() : producer.close());
    },
    caughtUp: async (running) => {
      // What is processed may not be committed yet; stopping commits it.
      while (running.status().reduce((sum, { processed }) => sum + processed, 0) < sent) {
        await passMs(10);
      }
    },
    deploy: async (plan, options) => {
      const running = await settle(app().run(plan, options));
      await place.caughtUp(running);
      await settle(running.stop());
    },
    numbers: async (from = totals) => {
      const found: number[] = [];
      const seen = tools.observe(from, { from: "start", untilEnd: true });
      await settle(seen.forEach(({ value }) => void found.push(value.n)));
      return found;
    },
    ports: async () => {
      const ports = await base.adapter.open()();
      if (ports._tag === "Left") {
        throw new Error(ports.left.message);
      }
      opened.push(ports.right);
      return ports.right;
    },
    dispose: async () => {
      await Promise.all(opened.map((ports) => ports.close()));
      await base.dispose();
    },
  };
  return place;
}
