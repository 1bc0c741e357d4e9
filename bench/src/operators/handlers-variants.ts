/** Asynchronous functions called for many values, in every way in which `handlers` runs them. */
import { Readable } from "node:stream";
import { filter, mapOrdered, pipeline, sink, stream, topic } from "@millrace/core";
import { concatMap, from, mergeMap } from "rxjs";
import type { Figures } from "../race.ts";
import { type Took, watch } from "../stopwatch.ts";
import { counting } from "./counting.ts";
import { runInstantly, storedRecords } from "./instant-task.ts";

/** One run of a variant. */
export interface HandlersRequest {
  readonly count: number;
  /** Handlers at once. */
  readonly concurrency: number;
  /** How long a handler sleeps, on a timer of Node; 0: its promise is resolved when it returns. */
  readonly sleepMs: number;
}

type Handle = (n: number) => Promise<number>;

/** Handles the numbers from 0 and passes the results on. */
type Run = (handle: Handle, request: HandlersRequest, see: (result: number) => void) => Promise<Took>;

const millrace: Run = (handle, { count, concurrency }, see) => {
  const source = topic("source", { codec: counting(), key: null, partitions: 1 });
  const dropped = topic("dropped", { codec: counting(), key: null, partitions: 1 });
  const isDropped = (n: number): boolean => {
    see(n);
    return false;
  };
  const handlers = pipeline(
    "handlers",
    stream(source).pipe(mapOrdered(handle, { concurrency }), filter(isDropped), sink(dropped)),
  );
  return runInstantly({ pipeline: handlers, source: source.name, records: storedRecords(count) });
};

/** RxJS queues what has to wait in an array, of which it takes the first: that is slow where the array is long. */
const PORTION = 10_000;

const rxjs: Run = (handle, { count, concurrency }, see) => {
  const numbers = numbersTo(count);
  return watch(async () => {
    for (let first = 0; first < count; first += PORTION) {
      const portion = from(numbers.slice(first, first + PORTION));
      await portion.pipe(concurrency === 1 ? concatMap(handle) : mergeMap(handle, concurrency)).forEach(see);
    }
  });
};

const node: Run = (handle, { count, concurrency }, see) => {
  const results: AsyncIterable<number> = Readable.from(numbersTo(count)).map(handle, { concurrency });
  return watch(async () => {
    for await (const result of results) {
      see(result);
    }
  });
};

const loop: Run = (handle, { count }, see) =>
  watch(async () => {
    for (let n = 0; n < count; n += 1) {
      see(await handle(n));
    }
  });

function numbersTo(count: number): readonly number[] {
  return Array.from({ length: count }, (_, n) => n);
}

/** What `handlers` sets beside each other. */
const handlersVariants = { millrace, rxjs, node, loop } as const;

export type HandlersVariant = keyof typeof handlersVariants;

/** One variant, `<name>`, ready to be run. A run rejects when a result is missing, doubled or in the wrong place. */
export function openHandlers(args: readonly string[]): Promise<(request: unknown) => Promise<Figures>> {
  const [name = ""] = args;
  const variant = name as HandlersVariant;
  return Promise.resolve(async (asked) => {
    const request = asked as HandlersRequest;
    const results: number[] = [];
    const handle = handleOf(request);
    const took = await handlersVariants[variant](handle, request, (result) => void results.push(result));
    // mergeMap is the one that has no order.
    const inOrder = variant === "rxjs" && request.concurrency > 1 ? results.toSorted((a, b) => a - b) : results;
    if (inOrder.length !== request.count || inOrder.some((result, n) => result !== n + 1)) {
      throw new Error(`${results.length} results of ${request.count}, or not the right ones`);
    }
    return { ...took };
  });
}

function handleOf({ sleepMs }: HandlersRequest): Handle {
  return sleepMs === 0
    ? (n) => Promise.resolve(n + 1)
    : (n) =>
        new Promise((resolve) => {
          setTimeout(() => resolve(n + 1), sleepMs);
        });
}
