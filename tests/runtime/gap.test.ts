import { type AppEvent, createApp, pipeline, sink, stream } from "@millrace/core";
import { redisAdapter } from "@millrace/redis-adapter";
import { Redis } from "ioredis";
import { expect, it } from "vitest";
import { startRedis, uniqueNamespace } from "../../packages/redis-adapter/test/support/redis-server.ts";
import { items, sequence } from "./support/bench-top.ts";

const source = items("source", { partitions: 1 });
const copy = items("copy", { partitions: 1 });

it.each([
  ["all of them", 0],
  ["the oldest", 400],
])(
  "G3: records that something else has trimmed are reported with their number: %s",
  async (_name, kept) => {
    await using redis = await startRedis();
    const namespace = uniqueNamespace();
    const app = createApp({ name: "app", adapter: redisAdapter({ url: redis.url, namespace }) });
    const events: AppEvent[] = [];
    app.events$.subscribe((event) => events.push(event));
    const plan = pipeline("copy", stream(source).pipe(sink(copy)));
    const producer = await app.producer(source);

    const first = await app.run(plan);
    await producer.sendAll(sequence(10));
    await expect.poll(() => first.status()[0]?.processed, { timeout: 10_000 }).toBe(10);
    await first.stop();

    await producer.sendAll(sequence(1_000));
    await producer.end();
    const client = new Redis(redis.url);
    await client.xtrim(`${namespace}:{source/0}:log`, "MAXLEN", kept);
    client.disconnect();
    const second = await app.run(plan);
    await second.done;
    const lost = events.flatMap((event) => (event._tag === "Gap" ? [event.lost] : []));
    expect(lost).toEqual([1_000 - kept]);
    await app.close();
  },
  30_000,
);
