import { map, type Pipeline, pipeline, sink, stream } from "@millrace/core";
import type { Airports } from "./airports.ts";
import { type Flight, flights, routeOf } from "./flights.ts";
import type { RouteDocument, RouteIndex } from "./route-index.ts";

/** Keeps the document of each route as of its last flight. */
export function indexRoutes(index: RouteIndex, airports: Airports): Pipeline {
  return pipeline(
    "route-index",
    stream(flights).pipe(
      map((flight) => documentOf(flight, airports)),
      // Another process may hold the file for longer than a connection waits.
      sink(async (documents: readonly RouteDocument[]) => index.upsertAll(documents), {
        name: "sqlite",
        maxBatch: 200,
        retry: { attempts: 10 },
      }),
    ),
  );
}

function documentOf(flight: Flight, airports: Airports): RouteDocument {
  const { number, date, delay, distance, origin, destination } = flight;
  const cityOf = (code: string): string => airports.get(code) ?? code;
  return {
    route: routeOf(flight),
    title: `${cityOf(origin)} to ${cityOf(destination)}`,
    body: `${distance} miles; last flight ${date}, ${punctuality(delay)}`,
    version: number,
  };
}

function punctuality(delay: number): string {
  return delay === 0 ? "on time" : `${Math.abs(delay)} min ${delay > 0 ? "late" : "early"}`;
}
