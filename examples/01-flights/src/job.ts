import { type App, createApp, type TaskStatus } from "@millrace/core";
import { redisAdapter } from "@millrace/redis-adapter";
import { memoryAdapter } from "@millrace/testing";
import { claimInput } from "./claim.ts";
import { type Data, openData } from "./data.ts";
import { type Happened, watchEvents } from "./events.ts";
import type { Options } from "./options.ts";
import { produce } from "./produce.ts";
import { type Sample, withProgress } from "./progress.ts";
import { readReport, toJsonLines } from "./report.ts";
import { sampleOf } from "./sample.ts";
import { say } from "./say.ts";
import { readStatus, toStatusLines, toStatusTables } from "./status.ts";
import { stopwatch } from "./stopwatch.ts";
import { toTables } from "./table.ts";
import { together } from "./together.ts";
import { resultTopics } from "./topics.ts";
import { type WorkOptions, work } from "./work.ts";

/** Does what the options ask for. Ends early, and in order, when `signal` aborts. */
export async function runJob(options: Options, signal: AbortSignal): Promise<void> {
  const { redis, member } = options;
  const adapter = redis === null ? memoryAdapter() : redisAdapter(redis);
  await using app = createApp({ name: "flights", adapter, member });
  say(redis === null ? "in memory" : `on Redis, namespace ${redis.namespace}`);
  switch (options.mode) {
    case "all":
      return await doAll(app, options, signal);
    case "produce":
      return await doProduce(app, options, signal);
    case "work":
      return await doWork(app, options, signal);
    case "report":
      return await doReport(app, options);
    case "status":
      return await doStatus(app, options);
  }
}

async function doAll(app: App, options: Options, signal: AbortSignal): Promise<void> {
  const data = await openInput(app, options);
  const timing = stopwatch();
  const happened = watchEvents(app);
  await together(signal, [
    (both) => produce(app, data, { rate: options.rate, signal: both }),
    (both) => workWithProgress(app, options, { isUntilIdle: true, signal: both, happened, total: data.count }),
  ]);
  if (signal.aborted) {
    say("stopped before the end");
    return;
  }
  const summary = `processed ${timing(happened.processed)}`;
  await doReport(app, options);
  if (options.isJson) {
    say(summary);
  } else {
    process.stdout.write(`${summary}\n`);
  }
}

async function doProduce(app: App, options: Options, signal: AbortSignal): Promise<void> {
  const data = await openInput(app, options);
  const timing = stopwatch();
  watchEvents(app);
  let sent = 0;
  const onSent = (): void => {
    sent += 1;
  };
  const sample = (): Sample => ({ flights: sent, total: data.count, counted: sent, detail: "" });
  await withProgress("sent", sample, () => produce(app, data, { rate: options.rate, signal, onSent }));
  say(signal.aborted ? "stopped before the end" : `sent ${timing(sent)}; the topic is ended`);
}

async function doWork(app: App, options: Options, signal: AbortSignal): Promise<void> {
  const timing = stopwatch();
  const happened = watchEvents(app);
  await workWithProgress(app, options, { isUntilIdle: options.isUntilIdle, signal, happened });
  say(`processed ${timing(happened.processed)}`);
}

async function doReport(app: App, options: Options): Promise<void> {
  const report = await readReport(app, resultTopics(options.partitions));
  process.stdout.write(options.isJson ? toJsonLines(report) : toTables(report));
}

async function doStatus(app: App, options: Options): Promise<void> {
  const groups = await readStatus(app, resultTopics(options.partitions));
  process.stdout.write(options.isJson ? toStatusLines(groups) : toStatusTables(groups));
}

async function openInput(app: App, options: Options): Promise<Data> {
  const data = await openData(options.data, options.rows);
  await claimInput(app, options);
  return data;
}

interface ProgressOptions extends Omit<WorkOptions, "onStart"> {
  readonly happened: Happened;
  /** Flights there will be; without it, those that are there count. */
  readonly total?: number;
}

async function workWithProgress(app: App, options: Options, how: ProgressOptions): Promise<void> {
  let status: () => readonly TaskStatus[] = () => [];
  const onStart = (look: typeof status): void => {
    status = look;
  };
  await withProgress(
    "processed",
    () => sampleOf(status(), how),
    () => work(app, resultTopics(options.partitions), { ...how, onStart }),
  );
}
