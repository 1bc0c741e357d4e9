/** Records that are ahead of time, and entries without one, on a real server. */
import { type AppEvent, createApp, map, pipeline, sink, stream } from "@millrace/core";
import { redisAdapter } from "@millrace/redis-adapter";
import { Redis } from "ioredis";
import { describe, expect, it } from "vitest";
import { startRedis, uniqueNamespace } from "../../packages/redis-adapter/test/support/redis-server.ts";
import { copy, type Policy, source, TEN, YEAR } from "./support/ahead.ts";
import { tagged } from "./support/breakable.ts";

describe("on Redis", { timeout: 60_000 }, () => {
  it.each<Policy>(["clamp", "late", "reject"])(
    "the time of the append is that of the entry's id, also over a restart (%s)",
    async (policy) => {
      await using redis = await startRedis();
      const namespace = uniqueNamespace();
      const app = createApp({ name: "app", adapter: redisAdapter({ url: redis.url, namespace }) });
      const client = new Redis(redis.url);
      const log = `${namespace}:{source/0}:log`;
      const events: AppEvent[] = [];
      app.events$.subscribe((event) => events.push(event));
      const plan = pipeline(
        "copy",
        stream(source(policy), { onError: "skip" }).pipe(
          map((item, record) => ({ ...item, at: record.timestamp })),
          sink(copy),
        ),
      );
      const producer = await app.producer(source(policy));
      const at = Date.now() - 60_000;
      const values = TEN.map((item) => ({ ...item, at: at + (item.n === 4 || item.n === 7 ? YEAR : 0) }));
      await producer.sendAll(values.slice(0, 5));
      const first = await app.run(plan);
      await expect.poll(() => first.status()[0]?.processed, { timeout: 10_000 }).toBe(5);
      await first.stop();
      for (const head of ["1;NaN;;k", "1;1e18;;k", "1;1000000000000000000;;k", "1;9007199254740991;;k", "1;5;NaN;k"]) {
        await client.xadd(log, "*", "m", head, "v", JSON.stringify(TEN[0]));
      }
      await producer.sendAll(values.slice(5));
      await producer.end();
      await (await app.run(plan)).done;

      const appended = (await client.xrange(log, "-", "+")).map(([id]) => Number.parseInt(id, 10));
      const appendedAt = (n: number): number => appended[n < 5 ? n : n + 5] ?? Number.NaN;
      const heads = (await client.xrange(`${namespace}:{copy/0}:log`, "-", "+")).map(([, fields]) =>
        fields[1]?.split(";"),
      );
      // Neither what is no record nor what is late or refused has moved event time, which is in the next record's stamp.
      const maxAt = (n: number): number => (policy === "clamp" && n > 4 ? appendedAt(n > 7 ? 7 : 4) + 10_000 : at);
      const trusted = values.map(({ n }) => ["1", `${at}`, n === 0 ? "-inf" : `${maxAt(n)}`, "k"]);
      const ahead = (n: number): readonly (readonly string[])[] =>
        ({
          clamp: [["1", `${appendedAt(n) + 10_000}`, `${maxAt(n)}`, "k"]],
          late: [["1", `${at + YEAR}`, "inf", "k"]],
          reject: [],
        })[policy];
      const [four, seven] = [ahead(4), ahead(7)];
      expect(heads).toEqual([...trusted.slice(0, 4), ...four, ...trusted.slice(5, 7), ...seven, ...trusted.slice(8)]);
      expect(tagged(events, "AheadOfTime").map(({ aheadMs, policy: what }) => [aheadMs, what])).toEqual(
        [4, 7].map((n) => [at + YEAR - appendedAt(n), policy]),
      );
      expect(tagged(events, "Skipped")).toHaveLength(policy === "reject" ? 7 : 5);
      client.disconnect();
      await app.close();
    },
  );
});
