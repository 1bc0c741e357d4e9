import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { Cluster, type Member } from "./cluster/cluster.ts";
import { median } from "./distribution.ts";
import { redisCpuUs } from "./measure.ts";
import type { RedisBinary } from "./redis-server.ts";
import type { Report, Row, Trial } from "./trial.ts";

const PARTITIONS = [64, 1_024];
const WORKERS = 4;
const SECONDS = 10;
/** The default of members. */
const SESSION_MS = 10_000;
/** What joining leaves behind: compilation, garbage, timers. */
const CALM_MS = 3_000;
const GOAL_PERCENT = 1;
/** What the goal is for. */
const GOAL_PARTITIONS = 64;

/** What an idle group costs. Per second, or in percent of one core. */
interface Idle {
  readonly partitions: number;
  readonly serverCpuPercent: number;
  readonly workerCpuPercent: readonly number[];
  /** Commands that the server ran, those inside of scripts included. */
  readonly allCommands: number;
  /** Commands that clients sent, by name. */
  readonly sentCommands: Readonly<Record<string, number>>;
}

/** What a group costs while nothing is to do. */
export const idle: Trial = async (setting) => {
  const workers = setting.workers ?? WORKERS;
  const seconds = setting.seconds ?? SECONDS;
  const results: Idle[] = [];
  for (const partitions of setting.partitions === null ? PARTITIONS : [setting.partitions]) {
    results.push(await measureIdle({ binary: setting.binary, partitions, workers, seconds }));
  }
  return {
    title: `idle: ${workers} workers, ${seconds} s, session ${SESSION_MS} ms`,
    head: ["", "% of a core"],
    rows: results.flatMap(rowsOf),
    figures: { workers, seconds, sessionMs: SESSION_MS, results },
  } satisfies Report;
};

interface IdleOptions {
  readonly binary: RedisBinary;
  readonly partitions: number;
  readonly workers: number;
  readonly seconds: number;
}

async function measureIdle({ binary, partitions, workers, seconds }: IdleOptions): Promise<Idle> {
  await using cluster = await Cluster.open({ binary, partitions, sessionMs: SESSION_MS });
  const members = await cluster.startMembers(workers);
  await Promise.all(members.map((member) => member.join()));
  await cluster.settled(members);
  await cluster.describe(members);
  await sleep(CALM_MS);
  const redis = new Redis(cluster.url);
  try {
    const cpu = await measureCpu(redis, members, seconds);
    return { partitions, ...cpu, sentCommands: await sentCommands(redis, seconds / 2) };
  } finally {
    redis.disconnect();
  }
}

async function measureCpu(
  redis: Redis,
  members: readonly Member[],
  seconds: number,
): Promise<Pick<Idle, "serverCpuPercent" | "workerCpuPercent" | "allCommands">> {
  const read = () => Promise.all(members.map((member) => member.readCpu()));
  const workersBefore = await read();
  const [startMs, serverBefore, commandsBefore] = [performance.now(), await redisCpuUs(redis), await commands(redis)];
  await sleep(seconds * 1_000);
  const elapsedMs = performance.now() - startMs;
  const server = (await redisCpuUs(redis)) - serverBefore;
  const allCommands = ((await commands(redis)) - commandsBefore) / (elapsedMs / 1_000);
  const workers = await read();
  return {
    allCommands,
    serverCpuPercent: percent(server, elapsedMs),
    workerCpuPercent: workers.map(({ cpuUs, atMs }, index) => {
      const before = workersBefore[index] ?? { cpuUs: 0, atMs: 0 };
      return percent(cpuUs - before.cpuUs, atMs - before.atMs);
    }),
  };
}

function percent(cpuUs: number, elapsedMs: number): number {
  return cpuUs / (elapsedMs * 10);
}

/** How many commands the server has run. */
async function commands(redis: Redis): Promise<number> {
  const info = await redis.info("commandstats");
  return [...info.matchAll(/^cmdstat_[^:]+:calls=(\d+)/gm)].reduce((sum, [, calls]) => sum + Number(calls), 0);
}

/**
 * What clients send, per second. MONITOR tells commands of scripts apart, but costs the server time: so it is not used while
 * that is measured.
 */
async function sentCommands(redis: Redis, seconds: number): Promise<Readonly<Record<string, number>>> {
  const counts = new Map<string, number>();
  const monitor = await redis.monitor();
  monitor.on("monitor", (_time: string, [name = ""]: readonly string[], source: string) => {
    if (source !== "lua") {
      const lower = name.toLowerCase();
      counts.set(lower, (counts.get(lower) ?? 0) + 1);
    }
  });
  await sleep(seconds * 1_000);
  monitor.disconnect();
  return Object.fromEntries(
    [...counts].toSorted(([, a], [, b]) => b - a).map(([name, count]) => [name, count / seconds]),
  );
}

function rowsOf({ partitions, serverCpuPercent, workerCpuPercent, allCommands, sentCommands: sent }: Idle): Row[] {
  const busiest = Math.max(...workerCpuPercent);
  const total = Object.values(sent).reduce((sum, count) => sum + count, 0);
  const names = Object.entries(sent).map(([name, count]) => `${name} ${count.toFixed(1)}`);
  const verdict = (value: number): Pick<Row, "verdict"> =>
    partitions === GOAL_PARTITIONS ? { verdict: { goal: `< ${GOAL_PERCENT} %`, isMet: value < GOAL_PERCENT } } : {};
  return [
    {
      what: `${partitions} partitions: CPU of the server`,
      cells: ["", serverCpuPercent.toFixed(2)],
      ...verdict(serverCpuPercent),
    },
    { what: "  CPU of the busiest worker", cells: ["", busiest.toFixed(2)], ...verdict(busiest) },
    { what: "  CPU of a worker, median", cells: ["", median(workerCpuPercent).toFixed(2)] },
    { what: "  commands sent by clients (per second)", cells: [total.toFixed(1)] },
    { what: `    ${names.join(", ")}`, cells: [] },
    { what: "  commands run, those in scripts included", cells: [allCommands.toFixed(1)] },
  ];
}
