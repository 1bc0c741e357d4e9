import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type AppEvent, createApp, pipeline, sink, stream } from "@millrace/core";
import { redisAdapter } from "@millrace/redis-adapter";
import { expect, it } from "vitest";
import { startRedis, uniqueNamespace } from "../../packages/redis-adapter/test/support/redis-server.ts";
import { items, sequence } from "./support/bench-top.ts";

const TIMEOUT_MS = 60_000;
const source = items("source", { partitions: 4 });
const copy = items("copy", { partitions: 1 });
const plan = pipeline("copy", stream(source).pipe(sink(copy)));

/** A worker in a process of its own whose code blocks the event loop once, in the middle of a task, for 2.5 sessions. */
const BLOCKING_WORKER = `
import { createApp, json, pipeline, sink, stream, tap, topic } from "@millrace/core";
import { redisAdapter } from "@millrace/redis-adapter";
import * as t from "io-ts";
const [url, namespace] = process.argv.slice(1);
const options = { codec: json(t.type({ key: t.string, n: t.number, at: t.number })), key: (item) => item.key, timestamp: (item) => item.at };
let isFirst = true;
const block = tap(() => {
  if (isFirst) {
    isFirst = false;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_500);
  }
});
const plan = pipeline("copy", stream(topic("source", { ...options, partitions: 4 })).pipe(block, sink(topic("copy", { ...options, partitions: 1 }))));
const app = createApp({ name: "app", adapter: redisAdapter({ url, namespace }), member: { session: "1 s" } });
app.events$.subscribe((event) => console.log(JSON.stringify(event)));
const running = await app.run(plan);
await running.done;
await app.close();
`;

it(
  "a worker whose event loop is blocked past its session commits nothing of what it held, and joins again (H9)",
  async () => {
    const redis = await startRedis();
    const namespace = uniqueNamespace();
    const app = createApp({
      name: "app",
      adapter: redisAdapter({ url: redis.url, namespace }),
      member: { session: "1 s" },
    });
    const cwd = fileURLToPath(new URL("../../", import.meta.url));
    const child = spawn(process.execPath, ["--input-type=module", "-e", BLOCKING_WORKER, redis.url, namespace], {
      cwd,
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      const events: AppEvent[] = [];
      const lines = createInterface({ input: child.stdout });
      const joined = new Promise<void>((resolve) => {
        lines.on("line", (line) => {
          const event = JSON.parse(line) as AppEvent;
          events.push(event);
          if (event._tag === "RebalanceFinished") {
            resolve();
          }
        });
      });
      const ended = once(child, "close");
      await joined;
      const running = await app.run(plan);
      await using producer = await app.producer(source);
      // A first portion that blocks the child in its middle, and one that comes while it is blocked.
      await producer.sendAll(sequence(1_000, 40));
      await new Promise((resolve) => setTimeout(resolve, 1_800));
      await producer.sendAll(sequence(2_000, 40).slice(1_000));
      await producer.end();
      await running.done;
      await ended;
      expect(child.exitCode).toBe(0);
      const tags = events.map(({ _tag }) => _tag);
      expect(tags.filter((tag) => tag === "Joined")).toHaveLength(2);
      expect(tags).toContain("SessionLost");
      const written: number[] = [];
      await app.observe(copy, { from: "start", untilEnd: true }).forEach(({ value }) => void written.push(value.n));
      expect(written.toSorted((a, b) => a - b)).toEqual(sequence(2_000).map(({ n }) => n));
    } finally {
      child.kill("SIGKILL");
      await app.close();
      await redis.stop();
    }
  },
  TIMEOUT_MS,
);
