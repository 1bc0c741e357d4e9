/** What the streams show: when each record was appended to the input, when its echo was to the output, and by whom. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Redis } from "ioredis";
import { echoTopic, tickTopic } from "../cluster/ticks.ts";
import { logsOf } from "../millrace.ts";
import { readStream } from "../streams.ts";

/** A record and its echo. Times are those of the server, ms since the epoch: the ids of the entries. */
export interface Passage {
  readonly inMs: number;
  readonly outMs: number;
  readonly worker: string;
}

/** The passages of a partition, in the order of its log. */
export type Trace = readonly Passage[];

const DRAINED_WITHIN_MS = 20_000;

/** Waits until `sent` echoes are there. Rejects when they do not come. */
export async function untilEchoed(redis: Redis, partitions: number, sent: number): Promise<void> {
  const logs = logsOf(echoTopic(partitions));
  const untilMs = performance.now() + DRAINED_WITHIN_MS;
  for (;;) {
    const lengths = await Promise.all(logs.map((log) => redis.xlen(log)));
    const echoes = lengths.reduce((sum, length) => sum + length, 0);
    if (echoes >= sent) {
      return;
    }
    if (performance.now() > untilMs) {
      throw new Error(`group: ${echoes} echoes of ${sent} ticks`);
    }
    await sleep(100);
  }
}

/** The traces of all partitions. Rejects unless each tick was stored and echoed once, in order. */
export async function readTraces(redis: Redis, partitions: number, sent: number): Promise<readonly Trace[]> {
  const traces: Trace[] = [];
  const ticks = logsOf(tickTopic(partitions));
  const echoes = logsOf(echoTopic(partitions));
  for (let partition = 0; partition < partitions; partition += 1) {
    const input = await readNumbered(redis, ticks[partition] ?? "");
    const output = await readNumbered(redis, echoes[partition] ?? "");
    if (input.length !== output.length) {
      throw new Error(`partition ${partition}: ${output.length} echoes of ${input.length} ticks`);
    }
    traces.push(
      output.map(({ atMs, value }, n) => ({
        inMs: input[n]?.atMs ?? Number.NaN,
        outMs: atMs,
        worker: value.worker ?? "",
      })),
    );
  }
  const stored = traces.reduce((sum, trace) => sum + trace.length, 0);
  if (stored !== sent) {
    throw new Error(`group: ${stored} records stored of ${sent} sent`);
  }
  return traces;
}

interface Numbered {
  readonly atMs: number;
  readonly value: { readonly n: number; readonly worker?: string };
}

/** Rejects unless the values of a stream are numbered from 0 without gaps. */
async function readNumbered(redis: Redis, stream: string): Promise<readonly Numbered[]> {
  const entries: Numbered[] = [];
  for await (const { id, text } of readStream(redis, stream)) {
    const value = JSON.parse(text) as Numbered["value"];
    if (value.n !== entries.length) {
      throw new Error(`${stream}: record ${value.n} where ${entries.length} should be`);
    }
    entries.push({ atMs: Number.parseInt(id, 10), value });
  }
  return entries;
}
