/** A worker that takes a task with state over, and how that state comes about. */
import {
  type Adapter,
  type Aggregate,
  type App,
  aggregate,
  createApp,
  type Pipeline,
  type Ports,
  pipeline,
  sink,
  stream,
  type Tasks,
  type Topic,
  tumbling,
  window,
} from "@millrace/core";
import { redisAdapter } from "@millrace/redis-adapter";
import * as TE from "fp-ts/lib/TaskEither.js";
import { Redis } from "ioredis";
import { first, firstValueFrom } from "rxjs";
import { appOf, logsOf, NAMESPACE, runUntilCommitted } from "../millrace.ts";
import type { Figures } from "../race.ts";
import { countTopic, type Visit, visit, visits, visitTopic, windowTopic } from "./visits.ts";

/** What has state: an entry for each key, or one for each window and key. */
export type TakeOverVariant = "count" | "window";

/** What is taken over. */
interface Moved {
  readonly variant: TakeOverVariant;
  readonly url: string;
  /** Keys of state on the one partition. */
  readonly keys: number;
}

/** All that is written falls into one window, which stays open. */
const LONG_WINDOW = "365 days";

function appName({ variant, keys }: Moved): string {
  return `${variant}-${keys}`;
}

function inputOf(moved: Moved): Topic<Visit> {
  return visitTopic(`visits-${appName(moved)}`, 1);
}

/** `seen` is told of each state, before it counts up. */
function pipelineOf(moved: Moved, seen: (state: number) => void): Pipeline {
  const input = inputOf(moved);
  const name = appName(moved);
  const n: Aggregate<unknown, number> = {
    name: "watched count",
    isPlain: true,
    init: () => 0,
    add: (state: number) => {
      seen(state);
      return state + 1;
    },
    out: (state: number) => state,
  };
  return moved.variant === "count"
    ? pipeline("moved", stream(input).pipe(aggregate({ n }), sink(countTopic(`counts-${name}`, 1))))
    : pipeline(
        "moved",
        stream(input).pipe(
          window(tumbling(LONG_WINDOW), { n }, { grace: "0 s" }),
          sink(windowTopic(`windows-${name}`, 1)),
        ),
      );
}

/** The first worker: makes the state, and leaves. */
export async function makeState(moved: Moved): Promise<void> {
  await using app = appOf(moved.url, appName(moved));
  const producer = await app.producer(inputOf(moved));
  await producer.sendAll(visits(moved.keys, moved.keys));
  await runUntilCommitted(
    app,
    pipelineOf(moved, () => {}),
    moved.keys,
  );
}

/**
 * A worker that takes over, `<variant> <url> <keys>`, in a process that has done nothing else yet. Answers with the time from the
 * call that acquires the task to the first record that the aggregate sees, and to the commit of that record. Rejects unless the
 * aggregate sees the state that the first worker left.
 */
export function openTakeOver(args: readonly string[]): Promise<() => Promise<Figures>> {
  const [variant, url = "", keys = ""] = args;
  const moved = { variant: variant as TakeOverVariant, url, keys: Number(keys) };
  return Promise.resolve(async () => {
    let acquireMs = Number.NaN;
    const adapter = watched(redisAdapter({ url, namespace: NAMESPACE }), () => {
      acquireMs = performance.now();
    });
    await using app = createApp({ name: appName(moved), adapter });
    await appendOne(app, moved);
    return await takeOver(app, moved, () => acquireMs);
  });
}

async function takeOver(app: App, moved: Moved, acquiredMs: () => number): Promise<Figures> {
  let firstMs = Number.NaN;
  const states: number[] = [];
  const watching = pipelineOf(moved, (state) => {
    states.push(state);
    firstMs = performance.now();
  });
  let assignedMs = Number.NaN;
  app.events$.subscribe(({ _tag }) => {
    if (_tag === "Assigned") {
      assignedMs = performance.now();
    }
  });
  const committed = firstValueFrom(
    app.events$.pipe(first((event) => event._tag === "Committed" && event.records > 0)),
  ).then(() => performance.now());
  const running = await app.run(watching);
  const committedMs = await Promise.race([committed, running.done.then(() => committed)]);
  await running.stop();
  if (states.length !== 1 || states[0] !== 1) {
    throw new Error(`the aggregate saw the states ${states.join(", ")}, and not that of one earlier record`);
  }
  const fromMs = acquiredMs();
  return {
    assignedMs: assignedMs - fromMs,
    firstMs: firstMs - fromMs,
    committedMs: committedMs - fromMs,
    rssBytes: process.memoryUsage.rss(),
  };
}

/** A record of a key that has one already, each time another one. */
async function appendOne(app: App, moved: Moved): Promise<void> {
  const input = inputOf(moved);
  const redis = new Redis(moved.url);
  try {
    const [log = ""] = logsOf(input);
    const producer = await app.producer(input);
    await producer.send(visit(await redis.xlen(log), moved.keys));
    await producer.close();
  } finally {
    redis.disconnect();
  }
}

/** The adapter, saying when a task is about to be acquired. */
function watched(adapter: Adapter, acquiring: () => void): Adapter {
  const watchedTasks = (tasks: Tasks): Tasks => ({
    ...tasks,
    acquire: (task, generation) => {
      const acquire = tasks.acquire(task, generation);
      return () => {
        acquiring();
        return acquire();
      };
    },
  });
  return {
    name: adapter.name,
    open: () => TE.map((ports: Ports) => ({ ...ports, tasks: watchedTasks(ports.tasks) }))(adapter.open()),
  };
}
