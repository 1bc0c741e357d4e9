import { distributionOf, median } from "../distribution.ts";
import { figuresOf, type Lap, type Results, runRace } from "../race.ts";
import { startRedisServer } from "../redis-server.ts";
import type { Report, Row, Trial } from "../trial.ts";
import { fillBacklogs, type HeapRequest, type HeapVariant } from "./heap-variants.ts";

const RECORDS = 100_000;
const ROUNDS = 3;
const CONCURRENCY = 64;
const SLEEP_MS = 2;
/** Of `limits.maxRecords`. */
const DEFAULT_LIMIT = 16_384;
const SMALL_LIMIT = 1_024;
const MEGABYTE = 1_048_576;

interface Drain {
  readonly name: string;
  readonly variant: HeapVariant;
  readonly maxRecords: number | null;
  /** The most records that may be read and not finished; `null`: there is no bound. */
  readonly bound: number | null;
}

const DRAINS: readonly Drain[] = [
  { name: "Millrace", variant: "millrace", maxRecords: null, bound: DEFAULT_LIMIT },
  {
    name: `Millrace, limits: { maxRecords: ${SMALL_LIMIT} }`,
    variant: "millrace",
    maxRecords: SMALL_LIMIT,
    bound: SMALL_LIMIT,
  },
  { name: "RxJS, XRANGE → mergeMap", variant: "rxjs", maxRecords: null, bound: null },
];

/** Memory while a backlog in Redis drains through a slow handler. Each drain has a process of its own. */
export const heap: Trial = async (setting) => {
  const count = setting.records ?? RECORDS;
  const rounds = setting.rounds ?? ROUNDS;
  await using server = await startRedisServer(setting.binary);
  await fillBacklogs(server.url, count);
  const results = await runRace({
    role: "heap",
    laps: DRAINS.map((drain) => lapOf(drain, server.url, count)),
    rounds,
    warmUps: 0,
    isFresh: true,
  });
  return {
    title: `heap: ${count} records of 1 KB in Redis, handlers of ${SLEEP_MS} ms, ${CONCURRENCY} at once, ${rounds} rounds; the most MB`,
    head: ["live", "heap", "RSS", "held"],
    rows: DRAINS.flatMap((drain) => rowsOf(drain, results)),
    figures: {
      records: count,
      rounds,
      concurrency: CONCURRENCY,
      sleepMs: SLEEP_MS,
      drains: DRAINS.map(({ name }) => ({ name, rounds: results.get(name) })),
    },
  } satisfies Report;
};

function lapOf({ name, variant, maxRecords }: Drain, url: string, count: number): Lap<HeapRequest> {
  return {
    id: name,
    args: [variant, url],
    request: { count, concurrency: CONCURRENCY, sleepMs: SLEEP_MS, maxRecords },
  };
}

function rowsOf({ name, bound }: Drain, results: Results): Row[] {
  const values = (figure: string): readonly number[] => figuresOf(results, name, figure);
  const most = (figure: string): number => distributionOf(values(figure)).max;
  const megabytes = (figure: string): string => (most(figure) / MEGABYTE).toFixed(0);
  const held = most("mostHeld");
  return [
    {
      what: name,
      cells: [megabytes("liveBytes"), megabytes("heapBytes"), megabytes("rssBytes"), String(held)],
      ...(bound === null ? {} : { verdict: { goal: `<= ${bound} held`, isMet: held <= bound } }),
    },
    {
      what: "  before it began",
      cells: [megabytes("liveBefore"), "", megabytes("rssBefore")],
    },
    { what: "  seconds, median", cells: [(median(values("elapsedMs")) / 1_000).toFixed(1)] },
  ];
}
