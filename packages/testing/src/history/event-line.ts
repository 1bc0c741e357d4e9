import type { AppEvent } from "@millrace/core";
import type { EventLine } from "./lines.ts";

/** What an app reports, as a line: its counters, and no text that a handler could have put something into. */
export function eventLine(process: string, atMs: number, event: AppEvent): EventLine {
  const line = { _tag: "event", process, atMs, event: event._tag, task: "task" in event ? event.task : null } as const;
  if (event._tag === "Committed") {
    const { offset, records, outputs } = event;
    return { ...line, offset, records, outputs };
  }
  return event._tag === "Gap" ? { ...line, lost: event.lost } : line;
}
