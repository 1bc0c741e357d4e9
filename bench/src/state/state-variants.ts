/** A keyed count over a backlog in Redis, in all ways in which `state` does that. */
import {
  aggregate,
  count,
  type Limits,
  map,
  type Pipeline,
  pipeline,
  sink,
  stream,
  type Topic,
  tumbling,
  window,
} from "@millrace/core";
import { Redis } from "ioredis";
import { first, firstValueFrom, scan } from "rxjs";
import { measure } from "../measure.ts";
import { appOf, createTopic, logsOf } from "../millrace.ts";
import type { Figures } from "../race.ts";
import { readStream } from "../streams.ts";
import { countWithPipelines, countWithScript, outsOf } from "./hand-written-count.ts";
import { countRoundTrips, HAND_WRITTEN, UNCOUNTED } from "./round-trips.ts";
import {
  countsOf,
  countTopic,
  PARTITIONS,
  type Tally,
  visits,
  visitTopic,
  WINDOW_MS,
  windowCountsOf,
  windowTopic,
} from "./visits.ts";

/** One run. */
export interface StateRequest {
  readonly records: number;
  readonly keys: number;
  /** Of Millrace; `{}`: its defaults. */
  readonly limits: Limits;
}

const KIB = 1_024;
const WINDOW_SECONDS = WINDOW_MS / 1_000;

const input = visitTopic("visits", PARTITIONS);

/** Writes the input of all variants, and ends it, so that all windows close. */
export async function fillVisits(url: string, records: number, keys: number): Promise<void> {
  await using app = appOf(url, "fill");
  const producer = await app.producer(input);
  await producer.sendAll(visits(records, keys));
  await producer.end();
}

/** Prepared work, and where its results are. */
interface Attempt {
  /** Resolves with how many commits there were. */
  work(): Promise<number>;
  readonly outs: readonly string[];
  readonly expected: Tally;
  close(): Promise<void>;
}

type Prepare = (url: string, id: string, request: StateRequest) => Promise<Attempt>;

/** What Millrace does, and where to. */
interface Job<A> {
  readonly pipeline: Pipeline;
  readonly out: Topic<A>;
  readonly expected: Tally;
}

function millrace<A>(jobOf: (id: string, request: StateRequest) => Job<A>): Prepare {
  return async (url, id, request) => {
    const job = jobOf(id, request);
    const app = appOf(url, id, {}, request.limits);
    await createTopic(app, job.out);
    return {
      work: async () => {
        const { expected } = job;
        const committed = app.events$.pipe(
          scan(
            (sum, event) =>
              event._tag === "Committed"
                ? {
                    records: sum.records + event.records,
                    outputs: sum.outputs + event.outputs,
                    commits: sum.commits + 1,
                  }
                : sum,
            { records: 0, outputs: 0, commits: 0 },
          ),
          first(({ records, outputs }) => records >= request.records && outputs >= expected.results),
        );
        const done = firstValueFrom(committed);
        const running = await app.run(job.pipeline);
        const failed = running.done.then(() => done);
        return (await Promise.race([done, failed])).commits;
      },
      outs: logsOf(job.out),
      expected: job.expected,
      close: () => app.close(),
    };
  };
}

const stateless = millrace((id, { records }) => {
  const out = countTopic(`counts-${id}`, PARTITIONS);
  const ones = map(({ key }: { readonly key: string }) => ({ key, value: { n: 1 } }));
  return {
    pipeline: pipeline("stateless", stream(input).pipe(ones, sink(out))),
    out,
    expected: { results: records, total: records },
  };
});

const counted = millrace((id, { records, keys }) => {
  const out = countTopic(`counts-${id}`, PARTITIONS);
  return {
    pipeline: pipeline("count", stream(input).pipe(aggregate({ n: count() }), sink(out))),
    out,
    expected: countsOf(records, keys),
  };
});

const windowed = millrace((id, { records, keys }) => {
  const out = windowTopic(`windows-${id}`, PARTITIONS);
  const counts = window(tumbling(`${WINDOW_SECONDS} s`), { n: count() }, { grace: "0 s" });
  return {
    pipeline: pipeline("window", stream(input).pipe(counts, sink(out))),
    out,
    expected: windowCountsOf(records, keys),
  };
});

function handWritten(loop: typeof countWithPipelines): Prepare {
  return async (url, id, { records, keys }) => {
    const redis = new Redis(url, { connectionName: HAND_WRITTEN, lazyConnect: true });
    // What is sent before that would wait in the driver, and count twice.
    await redis.connect();
    const request = { logs: logsOf(input), id };
    return {
      work: async () => {
        await loop(redis, request);
        return 0;
      },
      outs: outsOf(request),
      expected: countsOf(records, keys),
      close: () => Promise.resolve(redis.disconnect()),
    };
  };
}

/** What `state` sets beside each other. */
const stateVariants = {
  stateless,
  count: counted,
  window: windowed,
  pipelines: handWritten(countWithPipelines),
  script: handWritten(countWithScript),
} as const satisfies Readonly<Record<string, Prepare>>;

export type StateVariant = keyof typeof stateVariants;

/** One variant, `<name> <url>`, in a process that does nothing else. A run rejects unless all results are there, and right. */
export function openState(args: readonly string[]): Promise<(request: unknown) => Promise<Figures>> {
  const [name = "", url = ""] = args;
  const tripsSoFar = countRoundTrips();
  const redis = new Redis(url, { connectionName: UNCOUNTED });
  return Promise.resolve(async (asked) => {
    const request = asked as StateRequest;
    const id = `${name}-${process.pid}`;
    const attempt = await stateVariants[name as StateVariant](url, id, request);
    const before = tripsSoFar();
    let commits = 0;
    const took = await measure(redis, async () => {
      commits = await attempt.work();
    });
    const { reads, commands, others } = tripsSoFar();
    // Before the check, which takes memory itself.
    const rssBytes = process.resourceUsage().maxRSS * KIB;
    await attempt.close();
    await check(redis, attempt);
    await redis.unlink(await redis.keys(`*${id}*`));
    return {
      ...took,
      rssBytes,
      readTrips: reads - before.reads,
      commitTrips: commits,
      stateTrips: commands - before.commands - commits,
      otherTrips: others - before.others,
    };
  });
}

/** Throws unless all results are there. */
async function check(redis: Redis, { outs, expected }: Attempt): Promise<void> {
  let [results, total] = [0, 0];
  for (const out of outs) {
    for await (const { text } of readStream(redis, out)) {
      const { value } = JSON.parse(text) as { readonly value: { readonly n: number } };
      results += 1;
      total += value.n;
    }
  }
  if (results !== expected.results || total !== expected.total) {
    throw new Error(`${results} results (sum ${total}) where ${expected.results} (${expected.total}) were to be`);
  }
}
