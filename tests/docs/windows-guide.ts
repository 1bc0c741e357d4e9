import {
  type Aggregate,
  aggregate,
  count,
  createApp,
  deduplicate,
  distinct,
  every,
  filter,
  hopping,
  json,
  map,
  max,
  mean,
  percentiles,
  pipeline,
  session,
  sink,
  sliding,
  stream,
  sum,
  topic,
  tumbling,
  unlimited,
  type Windowed,
  window,
} from "@millrace/core";
import { memoryAdapter } from "@millrace/testing";
import * as t from "io-ts";

/** A request that an API has served. `at`: when, in ms since 1970. */
const Call = t.type({ id: t.string, user: t.string, route: t.string, ms: t.number, at: t.number });
type Call = t.TypeOf<typeof Call>;
const calls = topic("calls", {
  codec: json(Call),
  key: (call) => call.user,
  timestamp: (call) => call.at,
  partitions: 4,
});

/** One row of a result, whatever it is of. */
const Row = t.type({ of: t.string, from: t.number, n: t.number });
const rows = (name: string) => topic(name, { codec: json(Row), key: (row) => row.of, partitions: 2 });

const perRoute = rows("per-route");

const routes = pipeline(
  "routes",
  stream(calls).pipe(
    window(tumbling("1 minute"), { calls: count(), ms: mean((c) => c.ms) }, { by: (c) => c.route, grace: "10 s" }),
    map((w) => perRoute.of({ of: w.key, from: w.start, n: w.value.calls })),
    sink(perRoute),
  ),
);

const averages = rows("averages");
const bursts = rows("bursts");
const all = rows("all");

const kinds = pipeline(
  "kinds",
  // Every minute, the mean of the last five.
  stream(calls).pipe(
    window(hopping("5 minutes", "1 minute"), { ms: mean((c) => c.ms) }, { grace: "10 s", name: "means" }),
    map((w) => averages.of({ of: w.key, from: w.start, n: w.value.ms })),
    sink(averages),
  ),
  // Whoever has made three calls or more within ten seconds, wherever these seconds lie.
  stream(calls).pipe(
    window(sliding("10 s"), { calls: count() }, { grace: "10 s", name: "bursts" }),
    filter((w) => w.value.calls >= 3),
    map((w) => bursts.of({ of: w.key, from: w.start, n: w.value.calls })),
    sink(bursts),
  ),
  // One result for each user, when the input ends.
  stream(calls).pipe(
    window(unlimited(), { calls: count() }, { grace: "0 s", name: "all" }),
    map((w) => all.of({ of: w.key, from: 0, n: w.value.calls })),
    sink(all),
  ),
);

const tooLate = topic("too-late", { codec: json(Call), key: (call) => call.user, partitions: 1 });
const kept = rows("kept");

const strict = pipeline(
  "strict",
  stream(calls).pipe(
    window(tumbling("1 minute"), { calls: count() }, { grace: "10 s", lateTo: tooLate }),
    map((w) => kept.of({ of: w.key, from: w.start, n: w.value.calls })),
    sink(kept),
  ),
);

const live = rows("live");

const dashboard = pipeline(
  "dashboard",
  stream(calls).pipe(
    window(tumbling("1 hour"), { calls: count() }, { by: (c) => c.route, grace: "1 minute", emit: every("5 s") }),
    map((w) => live.of({ of: w.key, from: w.start, n: w.value.calls })),
    sink(live),
  ),
);

/** A table with the primary key (user, start). */
export const visitTable = new Map<string, number>();

async function saveVisits(visits: readonly Windowed<{ readonly calls: number } | null>[]): Promise<void> {
  for (const { key, start, value } of visits) {
    if (value === null) {
      visitTable.delete(`${key} ${start}`); // DELETE … WHERE "user" = $1 AND start = $2
    } else {
      visitTable.set(`${key} ${start}`, value.calls); // INSERT … ON CONFLICT ("user", start) DO UPDATE …
    }
  }
}

const visits = pipeline(
  "visits",
  stream(calls).pipe(
    window(session("30 minutes"), { calls: count() }, { grace: "1 h", emit: "updates" }),
    sink(saveVisits, { maxBatch: 200 }),
  ),
);

/** The slowest calls of a window, the slowest one first. */
const slowest = (most: number): Aggregate<Call, readonly string[]> => ({
  name: `slowest ${most}`,
  init: () => [],
  add: (state: readonly (readonly [ms: number, id: string])[], call) =>
    [...state, [call.ms, call.id] as const].toSorted(bySpeed).slice(0, most),
  merge: (a: readonly (readonly [number, string])[], b: readonly (readonly [number, string])[]) =>
    [...a, ...b].toSorted(bySpeed).slice(0, most),
  out: (state: readonly (readonly [number, string])[]) => state.map(([, id]) => id),
});

/** Ties are broken by the id, so that the order of arrival means nothing. */
function bySpeed([a, x]: readonly [number, string], [b, y]: readonly [number, string]): number {
  return b - a || (x < y ? -1 : 1);
}

export const reports: unknown[] = [];

const reporting = pipeline(
  "reporting",
  stream(calls).pipe(
    window(
      tumbling("1 day"),
      {
        users: distinct((c) => c.user),
        ms: percentiles((c) => c.ms, [50, 99]),
        longest: max((c) => c.ms),
        slowest: slowest(2),
      },
      { by: (c) => c.route, grace: "1 h" },
    ),
    sink(async (days) => reports.push(...days.map((day) => day.value))),
  ),
);

const busiest = rows("busiest");

const chained = pipeline(
  "chained",
  stream(calls).pipe(
    window(tumbling("1 minute"), { calls: count() }, { grace: "10 s", name: "minutes" }),
    window(tumbling("1 hour"), { most: max((minute) => minute.value.calls) }, { grace: "0 s", name: "hours" }),
    map((hour) => busiest.of({ of: hour.key, from: hour.start, n: hour.value.most })),
    sink(busiest),
  ),
);

const balances = rows("balances");
const totals = aggregate<Call, { calls: number; ms: number }>({ calls: count(), ms: sum((call) => call.ms) });

const running = pipeline(
  "running",
  stream(calls).pipe(
    totals,
    map(({ key, value }) => balances.of({ of: key, from: 0, n: value.ms })),
    sink(balances),
  ),
);

const unique = topic("unique-calls", { codec: json(Call), key: (call) => call.user, partitions: 4 });

const once = pipeline(
  "once",
  stream(calls).pipe(
    deduplicate((call) => call.id, { within: "1 day" }),
    sink(unique),
  ),
);

await using app = createApp({ name: "api", adapter: memoryAdapter(), limits: { maxStateBytes: 16 * 1_048_576 } });
const nine = Date.UTC(2026, 0, 5, 9);
const call = (id: string, user: string, second: number, ms = 100): Call => {
  return { id, user, route: "/pay", ms, at: nine + second * 1_000 };
};
const producer = await app.producer(calls);
await producer.sendAll([
  call("1", "ann", 5),
  call("2", "ann", 10, 300),
  call("2", "ann", 10, 300), // sent twice
  call("3", "bob", 12),
  call("4", "ann", 3_000, 50),
  call("5", "ann", 1_500), // makes one visit of two
  call("6", "bob", 7_200),
  call("7", "bob", 60), // two hours late
]);
await producer.end();
const pipelines = [routes, kinds, strict, dashboard, visits, reporting, chained, running, once];
await (await app.run(pipelines)).done;

const [ann] = await app.queryStore(running, totals, "ann");
export const annsTotals: { readonly calls: number; readonly ms: number } | undefined = ann?.value;

/** What lies in the topics of results. */
export const written: string[] = [];
for (const results of [perRoute, averages, bursts, all, kept, live, busiest, balances]) {
  await app.observe(results, { from: "start", untilEnd: true }).forEach(({ value: { of, from, n } }) => {
    written.push(`${results.name}: ${of} ${from === 0 ? "" : `from ${(from - nine) / 1_000} s `}${n}`);
  });
}
for (const passed of [tooLate, unique]) {
  await app.observe(passed, { from: "start", untilEnd: true }).forEach(({ value }) => {
    written.push(`${passed.name}: ${value.id}`);
  });
}
