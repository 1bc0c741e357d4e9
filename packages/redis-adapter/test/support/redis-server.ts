import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { findRedisServer } from "../../../../tools/redis.mjs";

/** A server for tests: a process of their own, or the server that `REDIS_URL` names. */
export interface RedisServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  /** The server's working directory; empty for a foreign server. */
  readonly dir: string;
  /** `undefined` for a foreign server. */
  readonly pid: number | undefined;
  /** Sends the signal (default SIGKILL) and waits for the end, except for SIGSTOP and SIGCONT. Throws for a foreign server. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Ends the process and deletes the directory made for it. Does nothing to a foreign server. */
  stop(): Promise<void>;
}

export interface StartOptions {
  /** More command line arguments; they win over the defaults. */
  readonly args?: readonly string[];
  /** Default: a free port. Give the old port (and `dir`) to bring a killed server back. */
  readonly port?: number;
  /** Default: a new temporary directory, which `stop` deletes. A given one is kept. */
  readonly dir?: string;
  /** The test kills or configures the server, so `REDIS_URL` will not do. Ask {@link whyNoOwnRedis} first. */
  readonly own?: boolean;
}

const START_TIMEOUT_MS = 10_000;
const search = findRedisServer();
const foreignUrl = process.env["REDIS_URL"] || undefined;

/**
 * Why this machine cannot run tests that control a server; `undefined` when it can.
 *
 * @example
 * it("survives a restart", async ({ skip }) => {
 *   skip(whyNoOwnRedis !== undefined, whyNoOwnRedis);
 *   await using redis = await startRedis({ own: true });
 * });
 */
export const whyNoOwnRedis: string | undefined = "problem" in search ? search.problem : undefined;

let namespaces = 0;

/** A key prefix that no other test uses: a server may be shared, and a foreign one is never flushed. */
export function uniqueNamespace(): string {
  namespaces += 1;
  return `test-${process.pid}-${Date.now().toString(36)}-${namespaces}`;
}

/**
 * Starts a server on 127.0.0.1 without persistence and waits until it answers.
 *
 * Without a server binary `REDIS_URL` is used instead, unless `own` is set. Rejects when neither is there, or when
 * the server does not answer within 10 s; the message then holds the server's own output.
 */
export async function startRedis(options: StartOptions = {}): Promise<RedisServer> {
  if ("server" in search) {
    return startOwn(search.server.path, options);
  }
  if (foreignUrl !== undefined && options.own !== true) {
    return foreign(foreignUrl);
  }
  throw new Error(search.problem);
}

function foreign(url: string): RedisServer {
  const stop = () => Promise.resolve();
  return {
    url,
    port: Number(new URL(url).port || 6379),
    dir: "",
    pid: undefined,
    kill: () => Promise.reject(new Error("REDIS_URL's server is not ours to signal; use { own: true }")),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function startOwn(binary: string, options: StartOptions): Promise<RedisServer> {
  const temporary = options.dir === undefined;
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), "millrace-redis-")));
  // A free port can be taken before the server binds it; a second one hardly ever is.
  const attempts = options.port === undefined ? 3 : 1;
  const failures: string[] = [];
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const port = options.port ?? (await freePort());
    const child = launch(binary, port, dir, options.args ?? []);
    endWithThisProcess(child, temporary ? dir : undefined);
    const output = collect(child);
    if (await answers(child, port)) {
      return handle(child, port, dir, temporary);
    }
    await end(child, "SIGKILL");
    failures.push(output());
  }
  if (temporary) {
    await rm(dir, { recursive: true, force: true });
  }
  throw new Error(`${binary} did not start in ${dir}:\n${failures.join("\n")}`);
}

function launch(binary: string, port: number, dir: string, args: readonly string[]): ChildProcess {
  const defaults = ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", dir];
  const unsaved = ["--save", "", "--appendonly", "no"];
  const child = spawn(binary, [...defaults, ...unsaved, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  child.on("error", () => {}); // `answers` sees that there is no pid
  return child;
}

/**
 * Ends the server, and deletes its temporary directory, when this process dies in whatever way: no exit hook sees a
 * SIGKILL, but the pipe to a shell closes always.
 */
function endWithThisProcess(child: ChildProcess, temporaryDir: string | undefined): void {
  if (child.pid === undefined) {
    return;
  }
  const script = 'read -r _; kill -9 "$1"; [ -z "$2" ] || rm -rf "$2"';
  const watchdog = spawn("sh", ["-c", script, "sh", `${child.pid}`, temporaryDir ?? ""], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true, // Ctrl-C goes to the whole foreground group and must not end the watchdog first
  });
  child.once("exit", () => watchdog.kill("SIGKILL"));
}

function collect(child: ChildProcess): () => string {
  let text = "";
  const append = (chunk: Buffer) => {
    text = `${text}${chunk.toString()}`.slice(-4096);
  };
  child.stdout?.on("data", append); // also keeps the pipe from filling up, which would block the server
  child.stderr?.on("data", append);
  return () => text;
}

async function answers(child: ChildProcess, port: number): Promise<boolean> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (child.pid !== undefined && hasNotEnded(child) && performance.now() < deadline) {
    if (/^(\+PONG|-NOAUTH|-NOPERM)/.test(await ping(port))) {
      // Somebody else's server may answer on this port while ours fails to bind it.
      return hasNotEnded(child);
    }
    await pause(10);
  }
  return false;
}

/** The reply to one PING; empty when nobody listens. */
function ping(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const finish = (reply: string) => {
      socket.destroy();
      resolve(reply);
    };
    socket.setTimeout(1000, () => finish(""));
    socket.once("connect", () => socket.write("PING\r\n"));
    socket.once("data", (data) => finish(data.toString()));
    socket.once("error", () => finish(""));
    socket.once("end", () => finish(""));
  });
}

function handle(child: ChildProcess, port: number, dir: string, temporary: boolean): RedisServer {
  const stop = async () => {
    await end(child, "SIGKILL"); // at once, and also while it is stopped by SIGSTOP
    if (temporary) {
      await rm(dir, { recursive: true, force: true });
    }
  };
  const kill = async (signal: NodeJS.Signals = "SIGKILL") => {
    if (signal === "SIGSTOP" || signal === "SIGCONT") {
      child.kill(signal);
    } else {
      await end(child, signal);
    }
  };
  const url = `redis://127.0.0.1:${port}`;
  return { url, port, dir, pid: child.pid, kill, stop, [Symbol.asyncDispose]: stop };
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.pid !== undefined && hasNotEnded(child)) {
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
  }
}

function hasNotEnded(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
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
