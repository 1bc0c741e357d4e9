/** A backlog in Redis that drains through a slow handler, in both ways in which `heap` does that. */
import { randomUUID } from "node:crypto";
import { filter, json, mapOrdered, pipeline, sink, stream, type Topic, topic } from "@millrace/core";
import { Redis } from "ioredis";
import { from, map, mergeMap, tap } from "rxjs";
import { appOf, createTopic, runUntilCommitted } from "../millrace.ts";
import type { Figures } from "../race.ts";
import { readStream } from "../streams.ts";
import { Held, makeParcels, Parcel, parseParcel, SlowHandler } from "./backlog.ts";
import { samplePeaks } from "./sampler.ts";

/** One drain. */
export interface HeapRequest {
  readonly count: number;
  /** Handlers at once. */
  readonly concurrency: number;
  readonly sleepMs: number;
  /** Millrace: the most records that are read and not committed; `null`: its default. */
  readonly maxRecords: number | null;
}

const APPEND = 500;
const STREAM = "backlog";

/** One partition, so that as many handlers run at once as on the other side. */
function parcelTopic(name: string): Topic<Parcel> {
  return topic(name, { codec: json(Parcel), key: ({ key }) => key, partitions: 1 });
}

const backlog = parcelTopic("backlog");
const kept = parcelTopic("kept");

/** Writes the backlog of both sides. */
export async function fillBacklogs(url: string, count: number): Promise<void> {
  const parcels = makeParcels(count);
  await using app = appOf(url, "fill");
  await createTopic(app, kept);
  const producer = await app.producer(backlog);
  await producer.sendAll(parcels);
  const redis = new Redis(url);
  try {
    for (let first = 0; first < count; first += APPEND) {
      const appends = redis.pipeline();
      for (const parcel of parcels.slice(first, first + APPEND)) {
        appends.xadd(STREAM, "*", "v", JSON.stringify(parcel));
      }
      await appends.exec();
    }
  } finally {
    redis.disconnect();
  }
}

/** Drains the backlog; tells what it holds, and calls the handler once for each parcel. */
type Drain = (
  url: string,
  request: HeapRequest,
  by: { readonly slow: SlowHandler; readonly held: Held },
) => Promise<void>;

const millrace: Drain = async (url, { count, concurrency, maxRecords }, { slow, held }) => {
  let next = 0;
  const isDropped = ({ n }: Parcel): boolean => {
    if (n !== next) {
      throw new Error(`parcel ${n} came in the place of parcel ${next}`);
    }
    next += 1;
    return false;
  };
  const lane = ({ key }: Parcel): string => {
    held.read();
    return key;
  };
  const drain = pipeline(
    "drain",
    stream(backlog).pipe(mapOrdered(slow.handle, { concurrency, lane }), filter(isDropped), sink(kept)),
  );
  // A consumer group of its own: every drain begins at the beginning.
  await using app = appOf(url, `drain-${randomUUID()}`, {}, maxRecords === null ? {} : { maxRecords });
  app.events$.subscribe((event) => {
    if (event._tag === "Committed") {
      held.finished(event.records);
    }
  });
  await runUntilCommitted(app, drain, count);
};

const rxjs: Drain = async (url, { concurrency }, { slow, held }) => {
  const redis = new Redis(url);
  try {
    const parcels = from(readStream(redis, STREAM)).pipe(
      map(({ text }) => parseParcel(text)),
      tap(() => held.read()),
    );
    await parcels.pipe(mergeMap(slow.handle, concurrency)).forEach(() => {
      held.finished(1);
    });
  } finally {
    redis.disconnect();
  }
};

/** What `heap` sets beside each other. */
const heapVariants = { millrace, rxjs } as const;

export type HeapVariant = keyof typeof heapVariants;

/** One variant, `<name> <url>`. A run rejects unless every parcel was handled once, by Millrace in order. */
export function openHeap(args: readonly string[]): Promise<(request: unknown) => Promise<Figures>> {
  const [name = "", url = ""] = args;
  return Promise.resolve(async (asked) => {
    const request = asked as HeapRequest;
    const slow = new SlowHandler(request.count, request.sleepMs);
    const held = new Held();
    globalThis.gc?.();
    const { heapUsed: liveBefore, rss: rssBefore } = process.memoryUsage();
    const startMs = performance.now();
    const peaks = await samplePeaks(() => heapVariants[name as HeapVariant](url, request, { slow, held }));
    const elapsedMs = performance.now() - startMs;
    slow.check();
    return { ...peaks, liveBefore, rssBefore, elapsedMs, mostHeld: held.most };
  });
}
