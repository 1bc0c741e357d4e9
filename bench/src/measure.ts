import type { Redis } from "ioredis";

/** What one run took. */
export interface Figures {
  readonly elapsedMs: number;
  /** CPU time of this process, its garbage collection included. */
  readonly nodeCpuUs: number;
  /** CPU time of the server. */
  readonly redisCpuUs: number;
}

/** Runs and measures `work`, after what earlier runs left was collected (`--expose-gc`). */
export async function measure(redis: Redis, work: () => Promise<void>): Promise<Figures> {
  globalThis.gc?.();
  const redisBefore = await redisCpuUs(redis);
  const nodeBefore = process.cpuUsage();
  const startMs = performance.now();
  await work();
  const elapsedMs = performance.now() - startMs;
  const { user, system } = process.cpuUsage(nodeBefore);
  return { elapsedMs, nodeCpuUs: user + system, redisCpuUs: (await redisCpuUs(redis)) - redisBefore };
}

/** CPU time of the server since its start. */
export async function redisCpuUs(redis: Redis): Promise<number> {
  const info = await redis.info("cpu");
  const seconds = (name: string): number => Number(new RegExp(`^${name}:([\\d.]+)`, "m").exec(info)?.[1]);
  return (seconds("used_cpu_user") + seconds("used_cpu_sys")) * 1e6;
}
