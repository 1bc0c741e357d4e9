import { entryIdOf } from "@millrace/core";
import { describePortsConformance, type Site } from "@millrace/testing/conformance";
import { Redis } from "ioredis";
import { type Keys, keysOf } from "../src/keys.ts";
import { redisAdapter } from "../src/redis-adapter.ts";
import { startRedis, uniqueNamespace, whyNoOwnRedis } from "./support/redis-server.ts";

describePortsConformance({
  name: "the Redis adapter",
  make: async () => {
    const redis = await startRedis();
    const namespace = uniqueNamespace();
    const keys = keysOf(namespace);
    const admin = new Redis(redis.url);
    return {
      adapter: redisAdapter({ url: redis.url, namespace }),
      now: async () => {
        const [seconds, micros] = await admin.time();
        return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
      },
      dispose: async () => {
        admin.disconnect();
        await redis.stop();
      },
      corrupt: async (where) => {
        await admin.set(keyAt(keys, where), "foreign");
      },
      deleteTopic: async (topic) => {
        const logs = Array.from({ length: topic.partitions }, (_, n) => Object.values(keys.partition(topic.name, n)));
        await admin.del(keys.topic(topic.name).topic, ...logs.flat());
      },
      trim: async (topic, partition, through) => {
        const { log } = keys.partition(topic.name, partition);
        const [, next] = await admin.xrange(log, entryIdOf(through), "+", "COUNT", 2);
        await (next === undefined ? admin.xtrim(log, "MAXLEN", 0) : admin.xtrim(log, "MINID", next[0]));
      },
      addForeign: async (topic, partition, bytes) => {
        await admin.call("XADD", keys.partition(topic.name, partition).log, "*", "name", Buffer.from(bytes));
      },
      exhaust:
        whyNoOwnRedis === undefined
          ? async () => {
              await admin.config("SET", "maxmemory", "1");
              return async () => {
                await admin.config("SET", "maxmemory", "0");
              };
            }
          : { skip: whyNoOwnRedis },
    };
  },
});

function keyAt(keys: Keys, where: Site): string {
  switch (where.kind) {
    case "topic":
      return keys.topic(where.name).topic;
    case "writers":
      return keys.topic(where.topic.name).writers;
    case "partition":
      return keys.partition(where.topic.name, where.partition).log;
    case "task":
      return keys.task(where.task.topic.name, where.task.partition, where.task.group);
    case "store":
      return keys.store(where.task, where.store).values;
    case "dues":
      return keys.store(where.task, where.store).dues;
    case "group":
      return keys.group(where.group).group;
  }
}
