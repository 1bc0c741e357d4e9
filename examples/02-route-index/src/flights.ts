import { readFile } from "node:fs/promises";
import { json, type Topic, topic } from "@millrace/core";
import * as t from "io-ts";
import { dataFile } from "./data-file.ts";

/** One real flight of 2001. */
const Flight = t.type({
  /** Its place in the file, from 1. Flights are ordered by departure. */
  number: t.number,
  origin: t.string,
  destination: t.string,
  /** `2001/01/01 00:47`. */
  date: t.string,
  /** Minutes; below 0 it was early. */
  delay: t.number,
  /** Miles. */
  distance: t.number,
});
export type Flight = t.TypeOf<typeof Flight>;

/** By route, so that all that happens to one route is in one partition, in order. */
export const flights: Topic<Flight> = topic("flights", {
  codec: json(Flight),
  key: routeOf,
  partitions: 4,
});

/** `"SAN-LAX"`. */
export function routeOf({ origin, destination }: Flight): string {
  return `${origin}-${destination}`;
}

/** Reads all flights. */
export async function readFlights(): Promise<readonly Flight[]> {
  const all = JSON.parse(await readFile(dataFile("flights-20k.json"), "utf8")) as readonly Omit<Flight, "number">[];
  return all.map((flight, index) => ({ ...flight, number: index + 1 }));
}
