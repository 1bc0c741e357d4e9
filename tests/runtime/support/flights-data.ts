import { openData } from "../../../examples/01-flights/src/data.ts";
import type { Flight } from "./flights-plan.ts";

/** The first `count` real flights of 2001, of the 3,000,000 of the package `vega-datasets`, in the order of departure. Throws where there are fewer. */
export async function realFlights(count: number): Promise<readonly Flight[]> {
  const data = await openData("3m", count);
  const flights: Flight[] = [];
  for await (const flight of data.flights()) {
    flights.push(flight);
  }
  if (flights.length !== count) {
    throw new RangeError(`the data has ${flights.length} flights, not ${count}`);
  }
  return flights;
}
