import type { App, AppEvent } from "@millrace/core";
import { flights } from "./topics.ts";

/** What has happened in an app so far. */
export interface Happened {
  /** Flights processed and committed by this process. */
  readonly processed: number;
}

const REPEAT_AFTER_MS = 5_000;

/** Counts what happens, and reports trouble on stderr, the same trouble at most every 5 s. */
export function watchEvents(app: App): Happened {
  const happened = { processed: 0 };
  const reportedMs = new Map<string, number>();
  const report = (text: string): void => {
    if (performance.now() - (reportedMs.get(text) ?? Number.NEGATIVE_INFINITY) > REPEAT_AFTER_MS) {
      reportedMs.set(text, performance.now());
      process.stderr.write(`${text}\n`);
    }
  };
  app.events$.subscribe((event) => {
    if (event._tag === "Committed" && event.task.includes(`/${flights.name}/`)) {
      happened.processed += event.records;
    }
    const trouble = troubleIn(event);
    if (trouble !== null) {
      report(trouble);
    }
  });
  return happened;
}

function troubleIn(event: AppEvent): string | null {
  switch (event._tag) {
    case "Stalled":
      return `waiting: ${event.message}`;
    case "Regressed":
      return `reloading ${event.task}: ${event.message}`;
    case "LateRecord":
      return `late records: ${event.node} had closed their day, so they count in no result`;
    case "Gap":
      return `${event.lost} records of ${event.task} are gone from the log`;
    case "Started":
    case "Committed":
    case "Completed":
    case "Failed":
    case "Stopped":
      return null;
  }
}
