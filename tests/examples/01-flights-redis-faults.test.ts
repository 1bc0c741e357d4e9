import { rm } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { Redis } from "ioredis";
import { beforeAll, expect, it } from "vitest";
import { startRedis, whyNoOwnRedis } from "../../packages/redis-adapter/test/support/redis-server.ts";
import { buildExample, expectedSmall, RUN_TIMEOUT_MS, type Run, start, until } from "./support/flights.ts";

/** So slow that the job lives through all faults. */
const PACE = ["--rate", "3000"];
const DURABLE = ["--appendonly", "yes", "--appendfsync", "always"];

beforeAll(buildExample, RUN_TIMEOUT_MS);

it("a server that drops its connections, stands still, dies and comes back changes nothing in the result (G3, G4, G6)", {
  timeout: 2 * RUN_TIMEOUT_MS,
}, async ({ skip }) => {
  skip(whyNoOwnRedis !== undefined, whyNoOwnRedis);
  let redis = await startRedis({ own: true, args: DURABLE });
  const { url, port, dir } = redis;
  try {
    await using job = start("--json", ...PACE, "--redis", url);
    await progressed(job, url);

    await command(url, "client", "kill", "type", "normal");
    await progressed(job, url);

    await redis.kill("SIGSTOP");
    await pause(3_000); // longer than any call may take
    await redis.kill("SIGCONT");
    await progressed(job, url);

    await redis.kill("SIGKILL");
    redis = await startRedis({ own: true, args: DURABLE, port, dir });
    await command(url, "script", "flush");
    expect(job.isRunning()).toBe(true);

    await job.ended;
    expect(job.stderr()).toContain("waiting: ");
    expect(job.stdout()).toBe(expectedSmall());
  } finally {
    await redis.stop();
    await rm(dir, { recursive: true, force: true });
  }
});

it("a signal ends a worker within 5 s although the server stands still, and a second one at once", {
  timeout: RUN_TIMEOUT_MS,
}, async ({ skip }) => {
  skip(whyNoOwnRedis !== undefined, whyNoOwnRedis);
  await using redis = await startRedis({ own: true });
  const args = ["--redis", redis.url, "--session", "30 s"];
  await using producer = start("--produce", "--rate", "3000", "--redis", redis.url);
  await using patient = start("--work", ...args);
  await using hurried = start("--work", ...args);
  await until("both have work in hand", () =>
    [patient, hurried].every((worker) => /^processed /m.test(worker.stderr())),
  );

  await redis.kill("SIGSTOP");
  const endsWithin = async (worker: Run, withinMs: number): Promise<number | null> => {
    const startMs = performance.now();
    const { code } = await worker.ended;
    expect(performance.now() - startMs).toBeLessThan(withinMs);
    return code;
  };
  patient.kill("SIGTERM");
  const patientEnd = endsWithin(patient, 5_000);
  hurried.kill("SIGINT");
  await pause(500);
  hurried.kill("SIGTERM");
  expect(await endsWithin(hurried, 1_000)).toBe(143);
  expect(patient.isRunning()).toBe(true);
  expect([0, 143]).toContain(await patientEnd);
  expect(producer.isRunning()).toBe(true);
  await redis.kill("SIGCONT");
});

/** Waits until the job has committed something more. */
async function progressed(job: Run, url: string): Promise<void> {
  const before = await commits(url);
  await until("the job commits", async () => (await commits(url)) > before);
  expect(job.isRunning()).toBe(true);
}

async function commits(url: string): Promise<number> {
  const client = new Redis(url);
  try {
    const sequence = await client.hget("flights-20k:{flights/0}:task:flights.airport-days", "sequence");
    return Number(sequence ?? 0);
  } finally {
    client.disconnect();
  }
}

async function command(url: string, name: string, ...args: readonly string[]): Promise<void> {
  const client = new Redis(url);
  try {
    await client.call(name, [...args]);
  } finally {
    client.disconnect();
  }
}
