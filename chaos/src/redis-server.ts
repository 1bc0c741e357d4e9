import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { createServer } from "node:net";
import { Redis } from "ioredis";
import { endWithThisProcess, isAlive } from "./watchdog.ts";

/** A Redis server of this run's own. Disposing of it ends it. */
export interface RedisServer extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  /** Another one after each restart. */
  readonly pid: number | undefined;
  /** Kills it with SIGKILL, starts it again on its port and its data, and waits until it answers. */
  killAndRestart(): Promise<void>;
}

type Search = { readonly server: { readonly path: string } } | { readonly problem: string };

const CONNECT_ATTEMPTS = 400;
const PAUSE_MS = 25;

/**
 * Starts a server on a free port of 127.0.0.1. A durable one has an append-only file in `dir`, written through before every
 * reply, so that a kill loses nothing. Rejects where no server is installed.
 */
export async function startRedisServer(dir: string, options: { readonly isDurable: boolean }): Promise<RedisServer> {
  const path = await findBinary();
  const port = await freePort();
  await mkdir(dir, { recursive: true });
  const persistence = options.isDurable ? ["yes", "--appendfsync", "always"] : ["no"];
  const args = ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", dir, "--save", "", "--appendonly", ...persistence];
  const launch = async (): Promise<ChildProcess> => {
    const child = spawn(path, args, { stdio: "ignore" });
    endWithThisProcess(child);
    await answers(child, port);
    return child;
  };
  let child = await launch();
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    get pid() {
      return child.pid;
    },
    killAndRestart: async () => {
      await kill(child);
      child = await launch();
    },
    [Symbol.asyncDispose]: () => kill(child),
  };
}

async function findBinary(): Promise<string> {
  const tool = new URL("../../tools/redis.mjs", import.meta.url).href;
  const { findRedisServer } = (await import(tool)) as { readonly findRedisServer: () => Search };
  const found = findRedisServer();
  if ("problem" in found) {
    throw new Error(found.problem);
  }
  return found.server.path;
}

async function kill(child: ChildProcess): Promise<void> {
  if (isAlive(child)) {
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }
}

async function answers(child: ChildProcess, port: number): Promise<void> {
  const retryStrategy = (attempt: number): number | null =>
    attempt < CONNECT_ATTEMPTS && isAlive(child) ? PAUSE_MS : null;
  const redis = new Redis({ port, host: "127.0.0.1", retryStrategy, maxRetriesPerRequest: null });
  redis.on("error", () => {}); // nobody listens yet; the last one is what PING rejects with
  try {
    await redis.ping();
  } catch (cause) {
    throw new Error(`the Redis server does not answer on port ${port}`, { cause });
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
