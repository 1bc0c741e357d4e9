/** Real flights, real Redis, real processes, `kill -9`. `MILLRACE_SEED=<n>` repeats the choices, not the moments. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RedisServer, startRedis } from "../../packages/redis-adapter/test/support/redis-server.ts";
import { generator, seed } from "../examples/support/random.ts";
import { batchOf } from "./support/flights-batch.ts";
import { buildWorkers, FlightsCluster } from "./support/flights-cluster.ts";
import { realFlights } from "./support/flights-data.ts";
import { differences, readResults, workOf } from "./support/flights-results.ts";

/** `MILLRACE_FLIGHTS=all` takes a minute or two. They come over `overMs`, so that kills hit all of the work. */
const INPUT =
  process.env["MILLRACE_FLIGHTS"] === "all"
    ? { rows: 300_000, overMs: 60_000, enough: 4_000, leastKills: 15 }
    : { rows: 20_000, overMs: 8_000, enough: 1_000, leastKills: 2 };
const WORKERS = 3;
/** Minutes where the machine is busy with something else. */
const TIMEOUT_MS = 1_800_000;

let redis: RedisServer;

beforeAll(async () => {
  process.stderr.write(`kill -9 at random: MILLRACE_SEED=${seed}\n`);
  await buildWorkers();
  redis = await startRedis();
}, TIMEOUT_MS);

afterAll(() => redis.stop());

describe("two chained pipelines on Redis, with a worker killed every 2 to 3 s", { timeout: TIMEOUT_MS }, () => {
  it(`G3, G4, G8: make of ${INPUT.rows} real flights what a batch computation makes of them, row for row`, async () => {
    const all = await realFlights(INPUT.rows);
    const expected = batchOf(all);
    const startMs = performance.now();
    await using cluster = await FlightsCluster.start(redis, { workers: WORKERS, enough: INPUT.enough });
    await Promise.all([cluster.send(all, INPUT.overMs), cluster.killUntilDone(generator(seed))]);
    const seconds = (performance.now() - startMs) / 1_000;

    const found = await readResults(cluster.app);
    process.stderr.write(
      `${all.length} flights: ${found.hours.length} windows of 2 h, ${found.rushes.length} sessions, ` +
        `${found.quarters.length} + ${found.sizes.length} windows of 6 h; ${cluster.kills} kills in ${seconds.toFixed(1)} s, ` +
        `${Math.round(workOf(all.length, expected) / seconds)} records/s\n`,
    );
    expect(cluster.troubles).toEqual([]);
    expect(cluster.exitCodes).toEqual(Array.from({ length: WORKERS }, () => 0));
    expect(differences(found, expected)).toEqual([]);
    expect(cluster.kills).toBeGreaterThanOrEqual(INPUT.leastKills);
  });
});
