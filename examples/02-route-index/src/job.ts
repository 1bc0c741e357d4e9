import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type App, createApp } from "@millrace/core";
import { redisAdapter } from "@millrace/redis-adapter";
import { memoryAdapter } from "@millrace/testing";
import { readAirports } from "./airports.ts";
import { readFlights } from "./flights.ts";
import type { Options } from "./options.ts";
import { indexRoutes } from "./pipeline.ts";
import { produce } from "./produce.ts";
import { toJsonLines, toTable } from "./report.ts";
import { RouteIndex } from "./route-index.ts";

/** Sends all flights, indexes them, and shows what is in the index then. */
export async function runJob(options: Options): Promise<void> {
  const { redis } = options;
  const file = options.file ?? join(await mkdtemp(join(tmpdir(), "millrace-route-index-")), "routes.db");
  say(`${redis === null ? "in memory" : `on Redis, namespace ${redis.namespace}`}; the index is in ${file}`);
  using index = new RouteIndex(file);
  // Its name is known: started again after `kill -9`, it takes its place back at once.
  const member = { id: "route-index" };
  await using app = createApp({
    name: "routes",
    adapter: redis === null ? memoryAdapter() : redisAdapter(redis),
    member,
  });
  app.events$.subscribe((event) => {
    if (event._tag === "Retried" || event._tag === "Stalled" || event._tag === "Restarting") {
      say(`${event._tag} in ${event.task}`);
    }
  });
  const startMs = performance.now();
  await work(app, index, options.rate);
  const seconds = ((performance.now() - startMs) / 1_000).toFixed(1);
  process.stdout.write(options.isJson ? toJsonLines(index) : toTable(index, options.search, seconds));
}

async function work(app: App, index: RouteIndex, rate: number): Promise<void> {
  const flights = await readFlights();
  const running = await app.run(indexRoutes(index, await readAirports()));
  // A worker that fails ends the job, also while flights are still sent.
  await Promise.all([produce(app, flights, rate), running.done]);
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
