/** A worker process: `worker.js <config as JSON>`. SIGTERM stops it; whoever started it ends it by hanging up. */
import { openSync, writeSync } from "node:fs";
import { type AppEvent, createApp, MillraceError, type Running } from "@millrace/core";
import { redisAdapter } from "@millrace/redis-adapter";
import { eventLine, type HistoryLine, recordHistory, writeLine } from "@millrace/testing/history";
import { clockOf } from "./clock.ts";
import type { WorkerLine } from "./history.ts";
import { chaosPipeline } from "./pipeline.ts";
import { APP, topicsWith } from "./topics.ts";
import { EXIT_UNAVAILABLE, type WorkerConfig } from "./worker-config.ts";

const config = JSON.parse(process.argv[2] ?? "") as WorkerConfig;
const now = clockOf(config.offsetMs);
const file = openSync(config.file, "a");
const calls = openSync(config.callsFile, "a");
let stays = 0;

/** Written at once: a process may be killed at any moment, and what it saw before is evidence. */
function write(line: WorkerLine): void {
  writeSync(file, `${JSON.stringify(line)}\n`);
}

/** The values are the test's own, and say what they are copies of. */
function record(line: HistoryLine): void {
  writeSync(calls, `${writeLine(line, { values: "text" })}\n`);
}

function begin(task: string, offset: string): string {
  stays += 1;
  const stay = `${config.name}#${stays}`;
  write({ _tag: "stay", atMs: now(), stay, task, offset });
  return stay;
}

function onEvent(event: AppEvent): void {
  record(eventLine(config.name, now(), event));
  if (event._tag === "Committed") {
    const { offset, records } = event;
    write({ _tag: "commit", atMs: now(), task: withoutGroup(event.task), offset, records });
  } else {
    const { _tag: kind, ...rest } = event;
    write({ _tag: "event", atMs: now(), kind, text: JSON.stringify(rest, withMessages) });
  }
}

/** `<topic>/<partition>` of `<group>/<topic>/<partition>`. */
function withoutGroup(task: string): string {
  return task.slice(task.indexOf("/") + 1);
}

function withMessages(_key: string, value: unknown): unknown {
  return value instanceof Error ? `${value.name}: ${value.message}` : value;
}

function isUnavailable(error: unknown): boolean {
  return error instanceof MillraceError && error._tag === "Unavailable";
}

process.once("disconnect", () => process.exit());
const removed = (globalThis as { readonly chaosWithout?: { readonly guard: string; readonly lines: number } })
  .chaosWithout;
if (removed !== undefined) {
  write({ _tag: "without", atMs: now(), ...removed });
}

const stop = new AbortController();
let running: Running | null = null;
process.once("SIGTERM", () => {
  write({ _tag: "event", atMs: now(), kind: "SIGTERM", text: "" });
  stop.abort();
  void running?.stop({ within: "5 s" });
});

const app = createApp({
  name: APP,
  adapter: recordHistory(redisAdapter({ url: config.url }), { process: config.name, clock: { now }, write: record }),
  member: { id: config.member, session: `${config.sessionMs} ms` },
});
app.events$.subscribe(onEvent);
try {
  running = await app.run(chaosPipeline(topicsWith(config.partitions), { slowMs: config.slowMs, begin }), {
    signal: stop.signal,
  });
  write({ _tag: "running", atMs: now() });
  process.send?.("running");
  await running.done;
  await app.close();
  process.exit(0);
} catch (error) {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  write({ _tag: "event", atMs: now(), kind: "error", text });
  process.exit(isUnavailable(error) && running === null ? EXIT_UNAVAILABLE : 1);
}
