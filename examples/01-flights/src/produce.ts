import { setTimeout as pause } from "node:timers/promises";
import type { App } from "@millrace/core";
import type { Data } from "./data.ts";
import { type Flight, flights } from "./topics.ts";

/** How flights are sent. */
export interface ProduceOptions {
  /** Most flights per second; `Infinity`: as fast as the store takes them. */
  readonly rate: number;
  /** Ends the work early; the topic then stays open. */
  readonly signal: AbortSignal;
  /** Called for each flight that was handed to the producer. */
  readonly onSent?: () => void;
}

/**
 * Sends every flight once, then ends the topic. The producer's id is known to the log, so that a second run, whatever
 * ended the first one, appends only what is missing.
 */
export async function produce(app: App, data: Data, options: ProduceOptions): Promise<void> {
  const { signal } = options;
  await using producer = await app.producer(flights, { id: "flights-loader", signal });
  try {
    await producer.sendAll(paced(data.flights(), options));
    await producer.end();
  } catch (error) {
    if (!signal.aborted) {
      throw error;
    }
  }
}

async function* paced(source: AsyncIterable<Flight>, { rate, signal, onSent }: ProduceOptions): AsyncGenerator<Flight> {
  const startMs = performance.now();
  let sent = 0;
  for await (const flight of source) {
    signal.throwIfAborted();
    yield flight;
    sent += 1;
    onSent?.();
    const aheadMs = (sent / rate) * 1_000 - (performance.now() - startMs);
    if (aheadMs > 20) {
      await pause(aheadMs, undefined, { signal });
    }
  }
}
