import { once } from "node:events";
import type { App, TaskStatus } from "@millrace/core";
import { airportDays, worstAirports } from "./pipelines.ts";
import type { ResultTopics } from "./topics.ts";

/** How flights are processed. */
export interface WorkOptions {
  /** Whether to end when all there will ever be is processed, instead of waiting for the signal. */
  readonly isUntilIdle: boolean;
  /** Stops after what was read is committed. */
  readonly signal: AbortSignal;
  /** Called once, with a look at the tasks that costs nothing. */
  readonly onStart?: (status: () => readonly TaskStatus[]) => void;
}

/** How long tasks may finish what they have read, and go to other workers: the process is to end within 5 s. */
const STOP_WITHIN = "3 s";

/** Runs both pipelines. Rejects with the `MillraceError` that stopped one. */
export async function work(app: App, topics: ResultTopics, options: WorkOptions): Promise<void> {
  const { signal, isUntilIdle, onStart } = options;
  await using running = await app.run([airportDays(topics), worstAirports(topics)]);
  onStart?.(() => running.status());
  const stop = (): void => void running.stop({ within: STOP_WITHIN });
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) {
    stop();
  }
  await running.done;
  if (!isUntilIdle && !signal.aborted) {
    await once(signal, "abort");
  }
}
