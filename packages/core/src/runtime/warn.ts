import type { AppEvent } from "../ports/telemetry.ts";

/**
 * Prints, as a process warning, what stands still until somebody does something about it: for programs that listen to no
 * events. Node shows it on stderr; `process.on("warning")` sees it.
 */
export function warnOf(event: AppEvent): void {
  const text = textOf(event);
  if (text !== null) {
    process.emitWarning(`${text}. To hear of this, subscribe to app.events$`, { type: "MillraceWarning" });
  }
}

function textOf(event: AppEvent): string | null {
  if (event._tag === "Restarting") {
    return `task ${event.task} has failed and starts again in ${event.pauseMs} ms: ${event.error.message}`;
  }
  return event._tag === "Quarantined"
    ? `task ${event.task} is quarantined and stops until app.resume: ${event.message}`
    : null;
}
