/** One run: workers, load and faults, then the end of the input, and the history of it all. */
import { setTimeout as pause } from "node:timers/promises";
import type { Ports } from "@millrace/core";
import { redisAdapter } from "@millrace/redis-adapter";
import { contentsOf, type HistoryLine, merged, touchedBy } from "@millrace/testing/history";
import * as E from "fp-ts/lib/Either.js";
import { clockOf, epochOffsetMs } from "./clock.ts";
import { Cluster } from "./cluster.ts";
import { collect } from "./collect.ts";
import { watchCpuWait } from "./cpu-wait.ts";
import { Faults } from "./faults.ts";
import type { Guard } from "./guards.ts";
import { watchHiccups } from "./hiccups.ts";
import type { History } from "./history.ts";
import { Load } from "./load.ts";
import { startProxy } from "./proxy.ts";
import { startRedisServer } from "./redis-server.ts";
import { FULL_MIX, type Mix, schedule } from "./schedule.ts";
import { probeServer } from "./server-probe.ts";
import { TOPICS } from "./topics.ts";

/** What a run is like. */
export interface RoundOptions {
  readonly seed: number;
  /** How long there are faults. */
  readonly forMs: number;
  /** Ends them after so many. */
  readonly maxFaults: number;
  /** Mean time between faults. */
  readonly gapMs: number;
  /** Workers at the start. */
  readonly workers: number;
  readonly partitions: number;
  readonly sessionMs: number;
  /** Values a second. */
  readonly rate: number;
  readonly keys: number;
  readonly without: Guard | null;
  /** Whether the server writes everything through, and is killed, too. */
  readonly isDurable: boolean;
  /** Ends the run early; then it rejects. */
  readonly signal: AbortSignal;
  /** An empty directory. */
  readonly dir: string;
  readonly onProgress: (text: string) => void;
}

const MIN_WORKERS = 2;
const MAX_WORKERS = 5;
const JOIN_WITHIN_MS = 30_000;
/** For what is left of the backlog, and for the last windows. */
const DRAIN_WITHIN_MS = 20_000;
const STEPPED_MS = 100;

/** Faults that hurt most where a safeguard is missing. */
const TARGETED: Readonly<Record<Guard, Mix>> = {
  nonce: { freeze: 2, cut: 3, start: 1 },
  sequence: { "lose replies": 4, "client kill": 1, start: 1 },
};
/**
 * Without the nonce a zombie's commit does harm where it comes before the first one of the new owner, and covers other
 * records: so handlers are slow, and records come in bursts.
 */
const HANDLERS = { usual: { slowMs: 60, everyMs: 20 }, nonce: { slowMs: 300, everyMs: 250 } } as const;

/** Runs it. Nothing is left running, whether it resolves or rejects. */
export async function runRound(options: RoundOptions): Promise<History> {
  const offsetMs = epochOffsetMs();
  const now = clockOf(offsetMs);
  const { dir, partitions, sessionMs, without, isDurable } = options;
  await using redis = await startRedisServer(`${dir}/redis`, { isDurable });
  await using producerProxy = await startProxy(redis.port);
  const ports = await portsOf(redis.url);
  const { slowMs, everyMs } = without === "nonce" ? HANDLERS.nonce : HANDLERS.usual;
  const cluster = new Cluster({ dir, redisPort: redis.port, partitions, sessionMs, slowMs, without, offsetMs, now });
  const { rate, keys, onProgress } = options;
  let load: Load | null = null;
  try {
    using hiccups = watchHiccups(now);
    using starved = watchCpuWait(() => [process.pid, redis.pid, ...cluster.able.map(({ pid }) => pid)], now);
    await using probe = probeServer(redis.url, now);
    const begunMs = now();
    await startWorkers(cluster, options);
    onProgress(`${options.workers} workers have joined`);
    load = await Load.start({ url: producerProxy.url, partitions, rate, keys, everyMs, now });
    const onFault = (text: string): void => onProgress(`${seconds(now() - begunMs)} ${text}`);
    const faults = new Faults({ cluster, redis, ports, producerProxy, maxWorkers: MAX_WORKERS, now, onFault });
    await disturb(faults, cluster, options);
    await faults.settled();
    onProgress(`${seconds(now() - begunMs)} no more faults; the input ends`);
    await ensureWorkers(cluster, 1);
    const incomplete = await drain(cluster, load, options.signal);
    const endMs = now();
    refuseSteppedClock(now);
    const topics = await collect(redis.url, partitions);
    // Whoever is still there has nothing more to say.
    await cluster.close();
    const calls = merged(
      load.lines,
      ...cluster.workers.map((worker) => worker.calls()),
      ...faults.list.map(({ kind, victim, atMs, untilMs }): HistoryLine[] => [
        { _tag: "fault", kind, victim, fromMs: atMs, untilMs },
      ]),
      [{ _tag: "end", atMs: endMs }],
    );
    return {
      ...topics,
      lines: [...calls, ...(await contentsOf(redisAdapter({ url: redis.url }), touchedBy(calls)))],
      sessionMs,
      inputTopic: TOPICS.input,
      sent: load.sent,
      processes: cluster.workers.map((worker) => worker.history()),
      faults: faults.list,
      hiccups: hiccups.found,
      starved: starved.found,
      slowServer: probe.found,
      endMs,
      incomplete,
    };
  } finally {
    await cluster.close();
    await load?.close();
    await ports.close();
  }
}

async function portsOf(url: string): Promise<Ports> {
  const opened = await redisAdapter({ url }).open()();
  if (E.isLeft(opened)) {
    throw new Error(opened.left.message);
  }
  return opened.right;
}

async function startWorkers(cluster: Cluster, { workers, signal }: RoundOptions): Promise<void> {
  await Promise.all(Array.from({ length: workers }, () => cluster.start()));
  const deadlineMs = performance.now() + JOIN_WITHIN_MS;
  while (cluster.able.length < workers) {
    signal.throwIfAborted();
    const gone = cluster.workers.find(({ isStaying }) => !isStaying);
    if (gone !== undefined || performance.now() > deadlineMs) {
      throw new Error(gone?.history().problem ?? "the workers did not join in time");
    }
    await pause(20);
  }
}

async function disturb(faults: Faults, cluster: Cluster, options: RoundOptions): Promise<void> {
  const { seed, sessionMs, gapMs, without, isDurable, signal } = options;
  const { "redis restart": _restart, ...withoutRestart } = FULL_MIX;
  const mix = without === null ? (isDurable ? FULL_MIX : withoutRestart) : TARGETED[without];
  const takeOvers = without === "nonce" ? 1 : 0.3;
  const deadlineMs = performance.now() + options.forMs;
  for (const step of schedule({ seed, sessionMs, mix, gapMs, takeOvers })) {
    const leftMs = deadlineMs - performance.now();
    if (leftMs <= 0 || faults.list.length >= options.maxFaults) {
      return;
    }
    await pause(Math.min(step.gapMs, leftMs), undefined, { signal });
    await ensureWorkers(cluster, MIN_WORKERS);
    if (performance.now() < deadlineMs) {
      await faults.apply(step);
    }
  }
}

async function ensureWorkers(cluster: Cluster, atLeast: number): Promise<void> {
  while (cluster.staying.length < atLeast) {
    await cluster.start();
  }
}

/** Ends the input and waits for the workers to come to its end; says why they did not. */
async function drain(cluster: Cluster, load: Load, interrupt: AbortSignal): Promise<string | null> {
  for (const worker of cluster.staying) {
    worker.expectEnd();
  }
  const late = new AbortController();
  const tooLate = async (): Promise<string> => {
    await pause(DRAIN_WITHIN_MS, undefined, { signal: AbortSignal.any([late.signal, interrupt]) });
    const names = cluster.staying.map(({ name }) => name).join(", ");
    return `${DRAIN_WITHIN_MS / 1_000} s after the end of the faults, these were still at work: ${names || "none"}`;
  };
  const complete = async (): Promise<string | null> => {
    await load.end();
    await Promise.all(cluster.staying.map((worker) => worker.ended()));
    return null;
  };
  try {
    return await Promise.race([complete(), tooLate()]);
  } finally {
    late.abort();
  }
}

/** Entries carry the time of day, everything else a clock that never steps: they must mean the same. */
function refuseSteppedClock(now: () => number): void {
  const steppedMs = Math.abs(Date.now() - now());
  if (steppedMs > STEPPED_MS) {
    throw new Error(`the machine's clock was set by ${Math.round(steppedMs)} ms meanwhile: stalls cannot be measured`);
  }
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1).padStart(6)} s`;
}
