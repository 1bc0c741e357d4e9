import { setTimeout as pause } from "node:timers/promises";
import type { App } from "@millrace/core";
import { type Flight, flights } from "./flights.ts";

/**
 * Sends every flight once, then ends the topic. The log knows the producer's id, so a second run appends only what is missing.
 *
 * @param rate the most flights per second
 */
export async function produce(app: App, all: readonly Flight[], rate: number): Promise<void> {
  await using producer = await app.producer(flights, { id: "flights-loader" });
  await producer.sendAll(paced(all, rate));
  await producer.end();
}

async function* paced(all: readonly Flight[], rate: number): AsyncGenerator<Flight> {
  const startMs = performance.now();
  for (const [index, flight] of all.entries()) {
    yield flight;
    const aheadMs = (index / rate) * 1_000 - (performance.now() - startMs);
    if (aheadMs > 20) {
      await pause(aheadMs);
    }
  }
}
