/** What can happen to a server under a group of workers, on a real one. */
import { rm } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { type App, type AppEvent, createApp, filter, type Pipeline, pipeline, sink, stream, tap } from "@millrace/core";
import { redisAdapter } from "@millrace/redis-adapter";
import { Redis } from "ioredis";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type RedisServer, startRedis, whyNoOwnRedis } from "../../packages/redis-adapter/test/support/redis-server.ts";
import { type Item, items, rejection, sequence } from "./support/bench-top.ts";

const TIMEOUT_MS = 60_000;
const source = items("source", { partitions: 8 });
const copy = items("copy", { partitions: 2 });
const plain = pipeline("copy", stream(source).pipe(sink(copy)));

let redis: RedisServer;
let apps: App[] = [];
let events: AppEvent[] = [];

beforeEach(async ({ skip }) => {
  skip(whyNoOwnRedis !== undefined, whyNoOwnRedis);
  redis = await startRedis({ own: true });
  apps = [];
  events = [];
}, TIMEOUT_MS);

afterEach(async () => {
  await Promise.all(apps.map((app) => app.close()));
  await redis.stop();
}, TIMEOUT_MS);

function newApp(url = redis.url): App {
  const app = createApp({ name: "app", adapter: redisAdapter({ url }), member: { session: "1 s" } });
  app.events$.subscribe((event) => events.push(event));
  apps.push(app);
  return app;
}

async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + 30_000;
  while (!(await condition())) {
    if (performance.now() > deadlineMs) {
      throw new Error(`waited in vain until ${what}`);
    }
    await pause(10);
  }
}

/** Waits until `workers` workers share all tasks evenly. */
async function settled(workers: number, app = newApp()): Promise<void> {
  await until(`${workers} workers share the tasks`, async () => {
    const { members, tasks } = await app.describeGroup(plain);
    const counts = members.map((member) => member.tasks.length);
    return (
      members.length === workers &&
      tasks.every(({ member }) => member !== null) &&
      Math.max(...counts) - Math.min(...counts) <= 1
    );
  });
}

async function send(values: readonly Item[], end: boolean, id: string): Promise<void> {
  await using producer = await newApp().producer(source, { id });
  await producer.sendAll(values);
  if (end) {
    await producer.end();
  }
}

async function command(name: string, ...args: readonly string[]): Promise<unknown> {
  const client = new Redis(redis.url);
  client.on("error", () => {});
  try {
    return await client.call(name, [...args]);
  } finally {
    client.disconnect();
  }
}

/** Ends the input, waits for all workers, and looks at what they have written. */
async function expectAllOnce(running: readonly { readonly done: Promise<void> }[], count: number): Promise<void> {
  await Promise.all(running.map(({ done }) => done));
  const written: number[] = [];
  await newApp()
    .observe(copy, { from: "start", untilEnd: true })
    .forEach(({ value }) => void written.push(value.n));
  expect(written.toSorted((a, b) => a - b)).toEqual(sequence(count).map(({ n }) => n));
}

async function runOn(count: number, plan: Pipeline = plain) {
  const running = await Promise.all(Array.from({ length: count }, () => newApp().run(plan)));
  await settled(count);
  return running;
}

it(
  "FLUSHALL stops all workers with an error that says what is lost: nobody pretends to work",
  async () => {
    const running = await runOn(2);
    await send(sequence(100, 20), false, "loader");
    await command("flushall");
    for (const { done } of running) {
      expect(await rejection(done)).toMatchObject({ _tag: "TopicLost" });
    }
  },
  TIMEOUT_MS,
);

it(
  "a server that comes back without its data does the same",
  async () => {
    const running = await runOn(2);
    const { port } = redis;
    await redis.kill("SIGKILL");
    redis = await startRedis({ own: true, port });
    for (const { done } of running) {
      expect(await rejection(done)).toMatchObject({ _tag: "TopicLost" });
    }
  },
  TIMEOUT_MS,
);

it(
  "a server that comes back with its data after more than a session finds all workers at work again",
  async () => {
    const args = ["--appendonly", "yes", "--appendfsync", "always"];
    await redis.stop();
    redis = await startRedis({ own: true, args });
    const { port, dir } = redis;
    try {
      const running = await runOn(3);
      await send(sequence(2_000, 40), false, "loader");
      await redis.kill("SIGKILL");
      await pause(1_500);
      redis = await startRedis({ own: true, args, port, dir });
      await settled(3);
      await send(sequence(4_000, 40), true, "loader");
      await expectAllOnce(running, 4_000);
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  },
  TIMEOUT_MS,
);

it(
  "CLIENT PAUSE for longer than a session, and CLIENT KILL of everything, lose nothing",
  async () => {
    const running = await runOn(3);
    await send(sequence(2_000, 40), false, "loader");
    await command("client", "pause", "1500", "all");
    await pause(1_600);
    await command("client", "kill", "type", "normal");
    await command("client", "kill", "type", "pubsub");
    await send(sequence(4_000, 40), true, "loader");
    await expectAllOnce(running, 4_000);
  },
  TIMEOUT_MS,
);

it(
  "a server without room: heartbeats, hand-overs and commits without outputs go on; the rest waits for room",
  async () => {
    let seen = 0;
    const counting = pipeline(
      "copy",
      stream(source).pipe(
        tap(() => {
          seen += 1;
        }),
        filter(({ n }) => n >= 1_000),
        sink(copy),
      ),
    );
    await send(sequence(1_000, 40), false, "loader");
    // Topics cannot be made without room; workers of those that exist can start.
    await (await newApp().producer(copy)).close();
    await command("config", "set", "maxmemory", "1");
    const first = await newApp().run(counting);
    await settled(1);
    await until("all is processed", () => seen >= 1_000);
    const second = await newApp().run(counting);
    await settled(2);
    await first.stop();
    await settled(1);
    expect(events.filter(({ _tag }) => _tag === "Lost" || _tag === "SessionLost" || _tag === "Failed")).toEqual([]);

    await command("config", "set", "maxmemory", "0");
    await send(sequence(2_000, 40), true, "loader");
    await second.done;
    const written: number[] = [];
    await newApp()
      .observe(copy, { from: "start", untilEnd: true })
      .forEach(({ value }) => void written.push(value.n));
    expect(written.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 1_000 }, (_, n) => 1_000 + n));
  },
  TIMEOUT_MS,
);

it(
  "a native group that a tool deletes is made again by the next commit, and nothing else notices",
  async () => {
    const running = await runOn(2);
    await send(sequence(1_000, 40), false, "loader");
    await until("all is processed", async () =>
      (await newApp().describeGroup(plain)).tasks.every(({ lag }) => lag === 0),
    );
    expect(await command("xgroup", "destroy", "millrace:{source/0}:log", "app.copy")).toBe(1);
    await running[0]?.stop();
    await send(sequence(2_000, 40), true, "loader");
    await expectAllOnce(running, 2_000);
    const groups = (await command("xinfo", "groups", "millrace:{source/0}:log")) as string[][];
    expect(groups.flat()).toContain("app.copy");
  },
  TIMEOUT_MS,
);

it(
  "a user who may not use pub/sub gets no hints, and everything all the same (H7)",
  async () => {
    await command("acl", "setuser", "worker", "on", ">secret", "~*", "resetchannels", "+@all", "-@pubsub");
    const url = redis.url.replace("redis://", "redis://worker:secret@");
    const running = [await newApp(url).run(plain), await newApp(url).run(plain)];
    await settled(2);
    await send(sequence(1_000, 40), false, "loader");
    running.push(await newApp(url).run(plain));
    await settled(3);
    await running[0]?.stop();
    await settled(2);
    await send(sequence(2_000, 40), true, "loader");
    await expectAllOnce(running, 2_000);
  },
  TIMEOUT_MS,
);
