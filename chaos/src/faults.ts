/** Does to the system what the schedule says, as far as that leaves somebody to work, and writes it down. */
import { setTimeout as pause } from "node:timers/promises";
import type { Ports } from "@millrace/core";
import { Redis } from "ioredis";
import type { Cluster } from "./cluster.ts";
import type { Fault } from "./history.ts";
import { type Holdings, holdings } from "./ownership.ts";
import type { TcpProxy } from "./proxy.ts";
import type { RedisServer } from "./redis-server.ts";
import type { FaultKind, Step } from "./schedule.ts";
import type { WorkerProcess } from "./worker-process.ts";

/** What faults act on. */
export interface Targets {
  readonly cluster: Cluster;
  readonly redis: RedisServer;
  /** A connection that no fault but those of the server touches. */
  readonly ports: Ports;
  readonly producerProxy: TcpProxy;
  readonly maxWorkers: number;
  readonly now: () => number;
  /** Told of each fault when it begins. */
  readonly onFault: (text: string) => void;
}

/** A fault whose end may be open. */
type OpenFault = { -readonly [Field in keyof Fault]: Fault[Field] };

type ServerFault = Extract<FaultKind, "client kill" | "client pause" | "script flush" | "redis restart">;

const POLL_MS = 3;
const SHORTEST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 800;
const REPLIES_LOST_FOR_MS = 150;

/** See the head of this file. */
export class Faults {
  private readonly targets: Targets;
  private readonly found: OpenFault[] = [];
  private readonly underWay = new Set<Promise<void>>();
  private failure: Error | null = null;

  constructor(targets: Targets) {
    this.targets = targets;
  }

  get list(): readonly Fault[] {
    return this.found;
  }

  /** Applies a step and returns when it has begun; returns whether anything was done. */
  async apply(step: Step): Promise<boolean> {
    switch (step.kind) {
      case "kill":
      case "stop":
        return this.withVictim(step, (victim) => this.end(victim, step));
      case "freeze":
      case "cut":
        return this.withVictim(step, (victim) => this.disturb(victim, step));
      case "lose replies":
        return this.withVictim(step, (victim) => this.loseReplies(victim));
      case "start":
        return this.startOne();
      case "lose producer's replies":
        this.loseProducersReplies();
        return true;
      case "client kill":
      case "client pause":
      case "script flush":
      case "redis restart":
        return this.disturbServer(step.kind, step);
    }
  }

  /** Resolves when every fault is over and every worker that is to be replaced was. Rejects when one could not be ended. */
  async settled(): Promise<void> {
    while (this.underWay.size > 0) {
      await Promise.all(this.underWay);
    }
    if (this.failure !== null) {
      throw this.failure;
    }
  }

  /** Of the workers that can work one always stays; where there is no other, nothing happens. */
  private async withVictim(step: Step, act: (victim: WorkerProcess) => Promise<void>): Promise<boolean> {
    const { able } = this.targets.cluster;
    const victim = able[Math.floor(step.victim * able.length)];
    if (able.length < 2 || victim === undefined) {
      return false;
    }
    await act(victim);
    return true;
  }

  private async end(victim: WorkerProcess, { kind, replaceAfterMs, keepsName }: Step): Promise<void> {
    const fault = this.begin(kind, victim.name);
    if (kind === "kill") {
      victim.kill();
    } else {
      victim.terminate();
    }
    await this.findTasks(fault, victim);
    this.goOn(async () => {
      await pause(replaceAfterMs);
      if (keepsName) {
        await victim.ended();
      }
      await this.targets.cluster.start(keepsName ? victim.member : undefined);
    });
  }

  private async disturb(victim: WorkerProcess, { kind, durationMs, untilTakeOver, lingerMs }: Step): Promise<void> {
    const fault = this.begin(untilTakeOver ? `${kind} until taken over` : kind, victim.name);
    victim.isDisturbed = true;
    if (kind === "freeze") {
      victim.freeze();
    } else {
      victim.proxy.hold();
    }
    const held = await this.findTasks(fault, victim);
    this.goOn(async () => {
      if (untilTakeOver && held !== null) {
        await this.takenOver(victim, held, durationMs);
        await pause(lingerMs);
      } else {
        await pause(durationMs);
      }
      fault.untilMs = this.targets.now();
      victim.isDisturbed = false;
      if (kind === "freeze") {
        victim.thaw();
      } else {
        victim.proxy.release();
      }
    });
  }

  /** Waits until all tasks of the victim have changed hands, but not longer than `withinMs`. */
  private async takenOver(victim: WorkerProcess, held: Holdings, withinMs: number): Promise<void> {
    const { now, ports } = this.targets;
    const deadlineMs = now() + withinMs;
    const tasks = [...held.of(victim.member)].filter((task) => held.ownerOf(task) === victim.member);
    let isOver = false;
    while (!isOver && now() < deadlineMs) {
      await pause(POLL_MS);
      const current = await holdings(ports);
      isOver = current !== null && tasks.every((task) => ![undefined, victim.member].includes(current.ownerOf(task)));
    }
  }

  private async loseReplies(victim: WorkerProcess): Promise<void> {
    const fault = this.begin("lose replies", victim.name);
    victim.isDisturbed = true;
    victim.proxy.swallowReplies();
    await this.findTasks(fault, victim);
    this.goOn(async () => {
      await pause(REPLIES_LOST_FOR_MS);
      fault.untilMs = this.targets.now();
      victim.proxy.breakAll();
      victim.isDisturbed = false;
    });
  }

  private loseProducersReplies(): void {
    const { producerProxy, now } = this.targets;
    const fault = this.begin("lose producer's replies", null);
    fault.tasks = [];
    producerProxy.swallowReplies();
    this.goOn(async () => {
      await pause(REPLIES_LOST_FOR_MS);
      fault.untilMs = now();
      producerProxy.breakAll();
    });
  }

  private async startOne(): Promise<boolean> {
    const { cluster, maxWorkers } = this.targets;
    if (cluster.staying.length >= maxWorkers) {
      return false;
    }
    const fault = this.begin("start", null);
    fault.tasks = [];
    await cluster.start();
    return true;
  }

  /** Nobody is asked what the group looks like: it may concern every task. */
  private async disturbServer(kind: ServerFault, { victim: share }: Step): Promise<boolean> {
    const { redis, now } = this.targets;
    const fault = this.begin(kind, null);
    switch (kind) {
      case "client kill":
        await this.command("client", "kill", "type", "normal");
        await this.command("client", "kill", "type", "pubsub");
        break;
      case "script flush":
        fault.tasks = [];
        await this.command("script", "flush");
        break;
      case "client pause": {
        const forMs = Math.round(SHORTEST_PAUSE_MS + share * (LONGEST_PAUSE_MS - SHORTEST_PAUSE_MS));
        fault.isOutage = true;
        await this.command("client", "pause", `${forMs}`, "all");
        await pause(forMs);
        break;
      }
      case "redis restart":
        fault.isOutage = true;
        await redis.killAndRestart();
    }
    fault.untilMs = now();
    return true;
  }

  private async command(name: string, ...args: readonly string[]): Promise<void> {
    const client = new Redis(this.targets.redis.url);
    client.on("error", () => {}); // CLIENT KILL may hit it, too
    try {
      await client.call(name, [...args]);
    } finally {
      client.disconnect();
    }
  }

  private begin(kind: string, victim: string | null): OpenFault {
    const atMs = this.targets.now();
    const fault: OpenFault = { kind, atMs, untilMs: atMs, victim, tasks: null, isOutage: false };
    this.found.push(fault);
    this.targets.onFault(`${kind}${victim === null ? "" : ` ${victim}`}`);
    return fault;
  }

  /** What the fault may delay, as it is right after it began; see {@link Fault.tasks}. */
  private async findTasks(fault: OpenFault, victim: WorkerProcess): Promise<Holdings | null> {
    const { cluster, ports } = this.targets;
    const held = await holdings(ports);
    if (held !== null) {
      const able = new Set(cluster.able.filter((worker) => worker !== victim).map(({ member }) => member));
      // What the victim is to have may be with somebody else who can work: then it is not among the rest.
      fault.tasks = [...new Set([...held.of(victim.member), ...held.notOf(able)])];
    }
    return held;
  }

  private goOn(work: () => Promise<void>): void {
    const promise = work()
      .catch((cause: unknown) => {
        this.failure ??= new Error("a fault could not be ended", { cause });
      })
      .finally(() => this.underWay.delete(promise));
    this.underWay.add(promise);
  }
}
