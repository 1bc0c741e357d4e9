/** Workers in processes of their own, which are killed, and the topics that they read and write, on a real Redis. */
import { type ChildProcess, execFile, fork } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type App, type AppEvent, createApp, type DeadLetters, type Pipeline, type StreamRecord } from "@millrace/core";
import { redisAdapter } from "@millrace/redis-adapter";
import { Redis } from "ioredis";
import { expect } from "vitest";
import { startProxy, type TcpProxy } from "../../../chaos/src/proxy.ts";
import { endWithThisProcess, isAlive } from "../../../chaos/src/watchdog.ts";
import { type RedisServer, uniqueNamespace } from "../../../packages/redis-adapter/test/support/redis-server.ts";
import { APP, copy, type Numbered, type PlanConfig, poisonPlan, source } from "./poison-plan.ts";
import type { PoisonWorkerConfig } from "./poison-worker.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const WAIT_MS = 60_000;

/** What a worker wrote down: its events, with the message of their error, and the calls of its handler. */
export type Line =
  | { readonly _tag: "Called"; readonly n: number }
  | { readonly _tag: "Ended"; readonly error: string }
  | (AppEvent & { readonly error?: unknown });

/** Where the compiled workers lie: from here Node finds the packages as a program does. */
const OUT = join(ROOT, "node_modules/.cache/poison-workers");
const WORKER_FILES = ["poison-plan.ts", "poison-worker.ts"].map((name) => join(ROOT, "tests/runtime/support", name));

/** Compiles what the workers run. */
export async function buildWorkers(): Promise<void> {
  const tsc = (...args: readonly string[]) =>
    promisify(execFile)(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc"), ...args], { cwd: ROOT });
  await tsc("-b", "packages/redis-adapter");
  // Types are checked with those of all tests.
  const plain = ["--ignoreConfig", "--noCheck", "--noResolve", "--rewriteRelativeImportExtensions"];
  await tsc(...plain, "--module", "nodenext", "--target", "es2022", "--outDir", OUT, ...WORKER_FILES);
  await writeFile(join(OUT, "package.json"), JSON.stringify({ type: "module" }));
}

export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + WAIT_MS;
  while (!(await condition())) {
    if (performance.now() > deadlineMs) {
      throw new Error(`waited in vain until ${what}`);
    }
    await pause(10);
  }
}

/** One worker process, behind a proxy of its own. */
export class Worker {
  readonly proxy: TcpProxy;
  private readonly child: ChildProcess;
  private readonly ended: Promise<unknown>;

  constructor(child: ChildProcess, proxy: TcpProxy) {
    this.child = child;
    this.proxy = proxy;
    this.ended = once(child, "exit");
  }

  get isAlive(): boolean {
    return isAlive(this.child);
  }

  async kill(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.ended;
  }

  /** Has it stop as a worker does that is deployed anew. */
  async stop(): Promise<void> {
    this.child.kill("SIGTERM");
    await this.ended;
  }
}

export type ClusterConfig = Partial<PlanConfig> & {
  /** The numbers that cannot be processed until {@link Cluster.repair}. */
  readonly bad?: readonly number[];
  readonly attempts?: number;
  readonly takesMs?: number;
};

/** The workers and topics of one test. Disposing of it kills what is left. */
export class Cluster implements AsyncDisposable {
  readonly app: App;
  readonly namespace = uniqueNamespace();
  private readonly redis: RedisServer;
  private readonly config: ClusterConfig;
  private readonly dir: string;
  private readonly workers: Worker[] = [];
  private started = 0;

  private constructor(redis: RedisServer, config: ClusterConfig, dir: string) {
    this.redis = redis;
    this.config = config;
    this.dir = dir;
    this.app = createApp({ name: APP, adapter: redisAdapter({ url: redis.url, namespace: this.namespace }) });
  }

  static async make(redis: RedisServer, config: ClusterConfig): Promise<Cluster> {
    return new Cluster(redis, config, await mkdtemp(join(tmpdir(), "millrace-poison-")));
  }

  private planConfig(isMended: boolean): PlanConfig {
    return { kind: "mapOrdered", policy: "fail", undecodable: "fail", ...this.config, isMended };
  }

  plan(isMended = false): Pipeline {
    return poisonPlan(this.planConfig(isMended), (item) => item);
  }

  letters(isMended = false): DeadLetters {
    return this.app.deadLetters(this.plan(isMended));
  }

  /** Starts a worker; it joins soon. */
  async start(isMended = false): Promise<Worker> {
    const proxy = await startProxy(this.redis.port);
    const { namespace } = this;
    const { bad = [], attempts = null, takesMs = 0 } = this.config;
    this.started += 1;
    const config: PoisonWorkerConfig = {
      ...this.planConfig(isMended),
      url: proxy.url,
      namespace,
      // Another name each: nobody takes a place back, what is left behind is waited for.
      member: `w${this.started}`,
      bad,
      attempts,
      takesMs,
      repairedFile: join(this.dir, "repaired"),
      file: join(this.dir, "lines"),
    };
    const child = fork(join(OUT, "poison-worker.js"), [JSON.stringify(config)], {
      execArgv: [],
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    endWithThisProcess(child);
    const worker = new Worker(child, proxy);
    this.workers.push(worker);
    return worker;
  }

  /** What cannot be processed can be from now on. */
  async repair(): Promise<void> {
    await writeFile(join(this.dir, "repaired"), "");
  }

  /** What all workers have written down, in order. A line that a kill cut short is none. */
  lines(): readonly Line[] {
    const file = join(this.dir, "lines");
    const text = existsSync(file) ? readFileSync(file, "utf8") : "";
    return text.split("\n").flatMap((line) => (line.endsWith("}") ? [JSON.parse(line) as Line] : []));
  }

  pick<Tag extends Line["_tag"]>(tag: Tag): readonly Extract<Line, { readonly _tag: Tag }>[] {
    return this.lines().filter((line): line is Extract<Line, { readonly _tag: Tag }> => line._tag === tag);
  }

  async send(items: readonly Numbered[]): Promise<void> {
    // Sent again, only what is new is appended.
    await using producer = await this.app.producer(source, { id: "loader" });
    await producer.sendAll(items);
  }

  /** Sends items over some time, so that there is work all along. */
  async feed(items: readonly Numbered[], overMs: number): Promise<void> {
    const parts = 20;
    await using producer = await this.app.producer(source, { id: "loader" });
    for (let part = 0; part < parts; part += 1) {
      const size = items.length / parts;
      await producer.sendAll(items.slice(Math.floor(part * size), Math.floor((part + 1) * size)));
      await pause(overMs / parts);
    }
  }

  /** Adds an entry to a partition as somebody else does, with any client. */
  async add(partition: number, ...fields: readonly (string | Buffer)[]): Promise<void> {
    const client = new Redis(this.redis.url);
    try {
      await client.call("XADD", `${this.namespace}:{source/${partition}}:log`, "NOMKSTREAM", "*", ...fields);
    } finally {
      client.disconnect();
    }
  }

  /** Everything that was written, partition after partition. */
  async written(): Promise<readonly StreamRecord<Numbered>[]> {
    const records: StreamRecord<Numbered>[] = [];
    await this.app.observe(copy, { from: "start", untilEnd: true }).forEach((record) => void records.push(record));
    return records.toSorted((a, b) => a.partition - b.partition);
  }

  /** How many records of the source are committed. */
  async committed(): Promise<number> {
    const { tasks } = await this.app.describeGroup(this.plan());
    return tasks.reduce((sum, { processed }) => sum + processed, 0);
  }

  async untilCommitted(count: number): Promise<void> {
    await until(`${count} records are committed`, async () => (await this.committed()) >= count);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.workers.filter((worker) => worker.isAlive).map((worker) => worker.kill()));
    await Promise.all(this.workers.map(({ proxy }) => proxy[Symbol.asyncDispose]()));
    await this.app.close();
    await rm(this.dir, { recursive: true, force: true });
  }
}

/** `count` items of as many keys as said. */
export function numbered(count: number, keys = 11): readonly Numbered[] {
  return Array.from({ length: count }, (_, n) => ({ key: `key-${n % keys}`, n }));
}

/** The numbers that were written, lowest first. */
export function numbersIn(written: readonly StreamRecord<Numbered>[]): readonly number[] {
  return written.map(({ value }) => value.n).toSorted((a, b) => a - b);
}

/** Every item once, and those of each key in their order. */
export function expectAllInOrder(written: readonly StreamRecord<Numbered>[], count: number): void {
  expect(numbersIn(written)).toEqual(numbered(count).map(({ n }) => n));
  for (const key of new Set(written.map((record) => record.key))) {
    const numbers = written.filter((record) => record.key === key).map(({ value }) => value.n);
    expect({ key, numbers }).toEqual({ key, numbers: numbers.toSorted((a, b) => a - b) });
  }
}
