/** Two chained pipelines over real flights: run in one process by tests in memory, and by worker processes on Redis. */
import {
  type AppEvent,
  count,
  distinct,
  hopping,
  json,
  map,
  max,
  type Pipeline,
  partitionBy,
  percentile,
  pipeline,
  session,
  sink,
  stream,
  sum,
  topic,
  tumbling,
  window,
} from "@millrace/core";
import * as t from "io-ts";

export const APP = "flights";

const Flight = t.type({
  origin: t.string,
  destination: t.string,
  /** Scheduled departure, ms since the Unix epoch. */
  at: t.number,
  /** Minutes. */
  delay: t.number,
  /** Miles. */
  distance: t.number,
});
export type Flight = t.TypeOf<typeof Flight>;

/** The flights to one airport in two hours. */
const Hours = t.type({
  airport: t.string,
  start: t.number,
  flights: t.number,
  delay: t.number,
  worst: t.number,
  /** The delay that nine of ten flights did not exceed, cut to {@link counted}. */
  p90: t.number,
});
export type Hours = t.TypeOf<typeof Hours>;

/** Flights to one airport that follow each other closely. */
const Rush = t.type({ airport: t.string, start: t.number, end: t.number, flights: t.number, farthest: t.number });
export type Rush = t.TypeOf<typeof Rush>;

/** What came to some airports in a quarter of a day, of {@link Hours} that were alike. */
const Quarter = t.type({
  group: t.string,
  start: t.number,
  flights: t.number,
  delay: t.number,
  worst: t.number,
  median: t.number,
  airports: t.readonlyArray(t.string),
});
export type Quarter = t.TypeOf<typeof Quarter>;

/** The rushes of one size that ended in a quarter of a day, at all airports. */
const Sizes = t.type({ size: t.string, start: t.number, rushes: t.number, flights: t.number, longest: t.number });
export type Sizes = t.TypeOf<typeof Sizes>;

export const FLIGHT_PARTITIONS = 8;

export const flights = topic("flights", {
  codec: json(Flight),
  key: ({ origin }) => origin,
  timestamp: ({ at }) => at,
  partitions: FLIGHT_PARTITIONS,
});
export const hours = topic("hours", { codec: json(Hours), key: ({ airport }) => airport, partitions: 4 });
export const rushes = topic("rushes", { codec: json(Rush), key: ({ airport }) => airport, partitions: 3 });
export const quarters = topic("quarters", { codec: json(Quarter), key: ({ group }) => group, partitions: 2 });
export const sizes = topic("sizes", { codec: json(Sizes), key: ({ size }) => size, partitions: 2 });

/** A delay in whole minutes, from one hour early to five hours late: in these bounds sketches within 0.1 % round to what is exact. */
export function counted(delay: number): number {
  return Math.min(Math.max(delay, -60), 300);
}

const EXACT = { accuracy: 0.001 } as const;

/** By destination, so through a repartition topic, which both windows read. */
function arrivals(): Pipeline {
  const inbound = stream(flights).pipe(partitionBy(({ destination }) => destination, { partitions: 6 }));
  return pipeline(
    "arrivals",
    inbound.pipe(
      window(
        hopping("2 h", "1 h"),
        {
          flights: count(),
          delay: sum(({ delay }) => delay),
          worst: max(({ delay }) => delay),
          p90: percentile(({ delay }) => counted(delay), 90, EXACT),
        },
        { grace: "5 minutes", name: "hours" },
      ),
      map(({ key, start, value }) => hours.of({ airport: key, start, ...value, p90: Math.round(value.p90) })),
      sink(hours),
    ),
    inbound.pipe(
      window(
        session("20 minutes"),
        { flights: count(), farthest: max(({ distance }) => distance) },
        { grace: "0 s", name: "rushes" },
      ),
      map(({ key, start, end, value }) => rushes.of({ airport: key, start, end, ...value })),
      sink(rushes),
    ),
  );
}

/** Reads what {@link arrivals} writes: no grace, so that whatever one of its tasks brings too late is late. */
function overviews(): Pipeline {
  return pipeline(
    "overviews",
    stream(hours).pipe(
      window(
        tumbling("6 h"),
        {
          flights: sum((row) => row.flights),
          delay: sum((row) => row.delay),
          worst: max((row) => row.worst),
          median: percentile((row) => counted(row.worst), 50, EXACT),
          airports: distinct((row) => row.airport),
        },
        { by: groupOf, grace: "0 s", partitions: 3 },
      ),
      map(({ key, start, value }) => quarters.of({ group: key, start, ...value, median: Math.round(value.median) })),
      sink(quarters),
    ),
    stream(rushes).pipe(
      window(
        tumbling("6 h"),
        { rushes: count(), flights: sum((rush) => rush.flights), longest: max((rush) => rush.end - rush.start) },
        { by: (rush) => sizeOf(rush.flights), grace: "0 s", partitions: 3 },
      ),
      map(({ key, start, value }) => sizes.of({ size: key, start, ...value })),
      sink(sizes),
    ),
  );
}

/** Both, made anew: each worker has its own. */
export function flightPipelines(): readonly Pipeline[] {
  return [arrivals(), overviews()];
}

/** Airports with one initial, and whether a tenth of the flights was more than a quarter of an hour late. */
export function groupOf({ airport, p90 }: Hours): string {
  return `${airport.charAt(0)} ${p90 > 15 ? "late" : "on time"}`;
}

export function sizeOf(flown: number): string {
  return flown < 10 ? (flown === 1 ? "one" : "few") : flown < 100 ? "many" : "crowd";
}

const TROUBLES: ReadonlySet<AppEvent["_tag"]> = new Set([
  "LateRecord",
  "AheadOfTime",
  "Skipped",
  "DeadLettered",
  "Quarantined",
  "Restarting",
  "Gap",
  "Regressed",
  "Failed",
]);

/** Whether an event must not come, not even where workers die: all the less a late record, in flights that are in order. */
export function isTrouble({ _tag }: AppEvent): boolean {
  return TROUBLES.has(_tag);
}
