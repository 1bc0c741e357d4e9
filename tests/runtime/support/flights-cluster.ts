/** Workers of the flights' pipelines in processes of their own on a real Redis, which are killed and started again. */
import { type ChildProcess, execFile, fork } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type App, createApp } from "@millrace/core";
import { redisAdapter } from "@millrace/redis-adapter";
import { endWithThisProcess, isAlive } from "../../../chaos/src/watchdog.ts";
import { type RedisServer, uniqueNamespace } from "../../../packages/redis-adapter/test/support/redis-server.ts";
import { APP, type Flight, flights } from "./flights-plan.ts";
import type { FlightsWorkerConfig } from "./flights-worker.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
/** Where the compiled workers lie: from here Node finds the packages as a program does. */
const OUT = join(ROOT, "node_modules/.cache/flights-workers");
const WORKER_FILES = ["flights-plan.ts", "flights-worker.ts"].map((name) => join(ROOT, "tests/runtime/support", name));

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

/** A place at which there is always a worker. */
interface Place {
  readonly member: string;
  readonly child: ChildProcess;
  /** Whether the worker may be killed. */
  hasDoneEnough: boolean;
}

/** How many workers there are. */
export interface Crew {
  readonly workers: number;
  /**
   * So many records a worker commits before it may be killed. On a machine that takes longer to start a process than to kill
   * one, the work would else never end.
   */
  readonly enough: number;
}

/** The workers of one test. Disposing of it kills what is left. */
export class FlightsCluster implements AsyncDisposable {
  readonly app: App;
  kills = 0;
  private readonly redis: RedisServer;
  private readonly namespace = uniqueNamespace();
  private readonly dir: string;
  private readonly places: Place[];
  private readonly enough: number;

  private constructor(redis: RedisServer, dir: string, { workers, enough }: Crew) {
    this.redis = redis;
    this.dir = dir;
    this.enough = enough;
    this.app = createApp({ name: APP, adapter: redisAdapter({ url: redis.url, namespace: this.namespace }) });
    this.places = Array.from({ length: workers }, (_, place) => this.startAt(`w${place}`));
  }

  static async start(redis: RedisServer, crew: Crew): Promise<FlightsCluster> {
    return new FlightsCluster(redis, await mkdtemp(join(tmpdir(), "millrace-flights-")), crew);
  }

  /** Sends flights over at least so long, in portions, and ends the topic. */
  async send(all: readonly Flight[], overMs: number): Promise<void> {
    const portions = Math.ceil(overMs / 100);
    const size = Math.ceil(all.length / portions);
    await using producer = await this.app.producer(flights);
    for (let from = 0; from < all.length; from += size) {
      await Promise.all([producer.sendAll(all.slice(from, from + size)), pause(overMs / portions)]);
    }
    await producer.end();
  }

  /** Kills a worker every two to three seconds and starts it again, until one has seen the end. */
  async killUntilDone(random: () => number): Promise<void> {
    let nextMs = 0;
    while (this.places.every(({ child }) => isAlive(child))) {
      const able = this.places.filter(({ hasDoneEnough }) => hasDoneEnough);
      const victim = able[Math.floor(random() * able.length)];
      if (victim !== undefined && performance.now() > nextMs) {
        await this.killAndStart(victim);
        nextMs = performance.now() + 2_000 + 1_000 * random();
      }
      await pause(50);
    }
    await Promise.all(this.places.map(({ child }) => endOf(child)));
  }

  /** How the last process of each place has ended. */
  get exitCodes(): readonly (number | null)[] {
    return this.places.map(({ child }) => child.exitCode);
  }

  /** What should not have happened, as the workers wrote it down. */
  get troubles(): readonly string[] {
    const file = join(this.dir, "troubles");
    return existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n") : [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.places.map(({ child }) => end(child)));
    await this.app.close();
    await rm(this.dir, { recursive: true, force: true });
  }

  private async killAndStart(place: Place): Promise<void> {
    await end(place.child);
    if (place.child.signalCode !== "SIGKILL") {
      return; // It was faster, and is done.
    }
    this.kills += 1;
    // Every other one comes under a new name: then the others wait for the end of the old one's session.
    const member = this.kills % 2 === 0 ? place.member : `w${this.places.length + this.kills}`;
    this.places.splice(this.places.indexOf(place), 1, this.startAt(member));
  }

  private startAt(member: string): Place {
    const place: Place = { member, child: this.fork(member), hasDoneEnough: false };
    place.child.once("message", () => {
      place.hasDoneEnough = true;
    });
    return place;
  }

  private fork(member: string): ChildProcess {
    const { url } = this.redis;
    const { namespace, enough } = this;
    const config: FlightsWorkerConfig = { url, namespace, member, file: join(this.dir, "troubles"), enough };
    const child = fork(join(OUT, "flights-worker.js"), [JSON.stringify(config)], {
      execArgv: [],
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    endWithThisProcess(child);
    return child;
  }
}

async function end(child: ChildProcess): Promise<void> {
  const ended = endOf(child);
  child.kill("SIGKILL");
  await ended;
}

async function endOf(child: ChildProcess): Promise<void> {
  if (isAlive(child)) {
    await once(child, "exit");
  }
}
