import { setTimeout as sleep } from "node:timers/promises";
import type { App, GroupDescription } from "@millrace/core";
import { appOf, createTopic } from "../millrace.ts";
import { type RedisBinary, type RedisServer, startRedisServer } from "../redis-server.ts";
import { startWorker, type WorkerProcess } from "../worker-process.ts";
import type { LoadRequest } from "./load.ts";
import type { CpuReading, MemberEvent, MemberRequest } from "./member.ts";
import { Ownership } from "./ownership.ts";
import { APP, echoPipeline, echoTopic, tickTopic } from "./ticks.ts";

/** A worker of the group, in a process of its own. */
export interface Member {
  readonly name: string;
  /** Resolves when it is a member. */
  join(): Promise<void>;
  /** Resolves when it has given everything back and has left. */
  leave(): Promise<void>;
  /** As `kill -9`. Resolves when the process is gone. */
  kill(): Promise<void>;
  readCpu(): Promise<CpuReading>;
}

/** Ticks at a constant rate, from a process of their own. */
export interface Load {
  start(): Promise<void>;
  /** Resolves, when all is stored, with how many ticks it has sent. */
  stop(): Promise<number>;
}

export interface ClusterOptions {
  readonly binary: RedisBinary;
  readonly partitions: number;
  readonly sessionMs: number;
}

const START_AT_ONCE = 2;
const SETTLED_WITHIN_MS = 20_000;
const DESCRIBED_WITHIN_MS = 5_000;

/** A server, and workers that share the tasks of one group on it. Disposing of it ends all of them. */
export class Cluster implements AsyncDisposable {
  readonly url: string;
  readonly ownership: Ownership;
  private readonly options: ClusterOptions;
  private readonly server: RedisServer;
  private readonly app: App;
  private readonly processes: WorkerProcess[] = [];
  private members = 0;

  private constructor(options: ClusterOptions, server: RedisServer) {
    this.options = options;
    this.server = server;
    this.url = server.url;
    this.ownership = new Ownership(options.partitions);
    this.app = appOf(server.url, APP);
  }

  /** Starts the server and creates the topics. There is no worker yet. */
  static async open(options: ClusterOptions): Promise<Cluster> {
    const cluster = new Cluster(options, await startRedisServer(options.binary));
    await createTopic(cluster.app, tickTopic(options.partitions));
    await createTopic(cluster.app, echoTopic(options.partitions));
    return cluster;
  }

  /** Starts a worker that is connected and has not joined. */
  async startMember(): Promise<Member> {
    this.members += 1;
    const name = `worker-${this.members}`;
    const { partitions, sessionMs } = this.options;
    const worker = await startWorker({
      role: "member",
      args: [this.url, name, String(partitions), String(sessionMs)],
      who: name,
      onEvent: (event) => this.ownership.hear(name, event as MemberEvent),
    });
    this.processes.push(worker);
    const ask = (request: MemberRequest): Promise<unknown> => worker.ask(request);
    return {
      name,
      join: async () => {
        await ask("join");
      },
      leave: async () => {
        await ask("leave");
        worker[Symbol.dispose]();
      },
      kill: async () => {
        await worker.kill("SIGKILL");
        this.ownership.forget(name);
      },
      readCpu: async () => (await ask("cpu")) as CpuReading,
    };
  }

  /** Starts several workers, a few at a time: all at once they would only keep each other from starting. */
  async startMembers(count: number): Promise<readonly Member[]> {
    const members: Member[] = [];
    while (members.length < count) {
      const length = Math.min(START_AT_ONCE, count - members.length);
      members.push(...(await Promise.all(Array.from({ length }, () => this.startMember()))));
    }
    return members;
  }

  /** Prepares a load of `rate` ticks per second. */
  async openLoad(rate: number): Promise<Load> {
    const args = [this.url, String(this.options.partitions), String(rate)];
    const worker = await startWorker({ role: "load", args, who: "load" });
    this.processes.push(worker);
    const ask = (request: LoadRequest): Promise<unknown> => worker.ask(request);
    return {
      start: async () => {
        await ask("start");
      },
      stop: async () => (await ask("stop")) as number,
    };
  }

  /** Resolves when all tasks run on these members, balanced. */
  settled(members: readonly Member[]): Promise<void> {
    return this.ownership.settled(
      members.map(({ name }) => name),
      SETTLED_WITHIN_MS,
    );
  }

  /** The group as the store has it, once that agrees with the members' events: balanced on `members`, and on nobody else. */
  async describe(members: readonly Member[]): Promise<GroupDescription> {
    const untilMs = performance.now() + DESCRIBED_WITHIN_MS;
    for (;;) {
      const description = await this.app.describeGroup(echoPipeline(this.options.partitions, ""));
      if (isBalancedOn(description, members)) {
        return description;
      }
      if (performance.now() > untilMs) {
        const found = description.members.map(({ member, tasks }) => `${member}: ${tasks.length}`);
        throw new Error(`the group is not balanced on ${members.length} workers: ${found.join(", ")}`);
      }
      await sleep(50);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const worker of this.processes) {
      worker[Symbol.dispose]();
    }
    await this.app.close();
    await this.server[Symbol.asyncDispose]();
  }
}

function isBalancedOn({ members, tasks }: GroupDescription, expected: readonly Member[]): boolean {
  const names = new Set(expected.map(({ name }) => name));
  const counts = members.map((member) => member.tasks.length);
  return (
    members.length === names.size &&
    members.every(({ member }) => names.has(member)) &&
    counts.reduce((sum, count) => sum + count, 0) === tasks.length &&
    Math.max(...counts) - Math.min(...counts) <= 1
  );
}
