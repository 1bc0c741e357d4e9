import { Redis } from "ioredis";
import { expect, it } from "vitest";
import { startRedis, uniqueNamespace, whyNoOwnRedis } from "./redis-server.ts";

it("gives a test a server that answers", async () => {
  await using redis = await startRedis();
  const client = new Redis(redis.url);
  const key = `${uniqueNamespace()}:key`;
  expect(await client.set(key, "value", "EX", 60)).toBe("OK");
  expect(await client.get(key)).toBe("value");
  client.disconnect();
});

it("brings a killed server back on its port, with the data its arguments keep", async ({ skip }) => {
  skip(whyNoOwnRedis !== undefined, whyNoOwnRedis);
  const args = ["--appendonly", "yes", "--appendfsync", "always"];
  await using first = await startRedis({ own: true, args });
  const client = new Redis(first.url, { retryStrategy: () => 20 });
  client.on("error", () => {}); // refused connections while the server is away
  await client.set("key", "value");
  await first.kill("SIGKILL");
  await using second = await startRedis({ own: true, args, port: first.port, dir: first.dir });
  expect(second.pid).not.toBe(first.pid);
  expect(await client.get("key")).toBe("value");
  client.disconnect();
});

it("says what the server said when it does not start", async ({ skip }) => {
  skip(whyNoOwnRedis !== undefined, whyNoOwnRedis);
  await expect(startRedis({ own: true, args: ["--nonsense"] })).rejects.toThrow(/nonsense/);
});
