import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { Redis } from "ioredis";

/** A server without persistence, for one benchmark. */
export interface RedisServer extends AsyncDisposable {
  readonly url: string;
}

/** A server program on this machine. */
export interface RedisBinary {
  readonly path: string;
  readonly version: string;
}

type Search = { readonly server: RedisBinary } | { readonly problem: string };

const CONNECT_ATTEMPTS = 200;
const PAUSE_MS = 25;

/** The server that the tests would use, too. Rejects, saying what to install, where there is none. */
export async function findRedisBinary(): Promise<RedisBinary> {
  const tool = new URL("../../tools/redis.mjs", import.meta.url).href;
  const { findRedisServer } = (await import(tool)) as { readonly findRedisServer: () => Search };
  const found = findRedisServer();
  if ("problem" in found) {
    throw new Error(found.problem);
  }
  return found.server;
}

/** Starts a server on a free port of 127.0.0.1 and waits until it answers. */
export async function startRedisServer({ path }: RedisBinary): Promise<RedisServer> {
  const port = await freePort();
  const args = ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
  const child = spawn(path, args, { stdio: "ignore" });
  const kill = (): boolean => child.kill("SIGKILL");
  process.once("exit", kill);
  const url = `redis://127.0.0.1:${port}`;
  try {
    await answers(child, url);
  } catch (cause) {
    kill();
    throw new Error(`${path} does not answer on port ${port}`, { cause });
  }
  return {
    url,
    [Symbol.asyncDispose]: async () => {
      const ended = once(child, "exit");
      kill();
      await ended;
      process.off("exit", kill);
    },
  };
}

async function answers(child: ChildProcess, url: string): Promise<void> {
  const retryStrategy = (attempt: number): number | null =>
    attempt < CONNECT_ATTEMPTS && child.exitCode === null ? PAUSE_MS : null;
  const redis = new Redis(url, { retryStrategy, maxRetriesPerRequest: null });
  redis.on("error", () => {}); // nobody listens yet; the last one is what PING rejects with
  try {
    await redis.ping();
  } finally {
    redis.disconnect();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  if (address === null || typeof address === "string") {
    throw new Error("no free port on 127.0.0.1");
  }
  return address.port;
}
