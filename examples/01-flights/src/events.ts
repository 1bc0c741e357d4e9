import type { App, AppEvent } from "@millrace/core";
import { seconds, shortId, tasks, unprefixed } from "./format.ts";
import { say } from "./say.ts";
import { flights } from "./topics.ts";

/** What has happened in an app so far. */
export interface Happened {
  /** Flights processed and committed by this process. */
  readonly processed: number;
}

const REPEAT_AFTER_MS = 5_000;

/**
 * Counts what happens, and tells of changes and trouble on stderr, in the same words at most every 5 s. Only of
 * a rebalance, numbers count as words.
 */
export function watchEvents(app: App): Happened {
  const happened = { processed: 0 };
  const toldMs = new Map<string, number>();
  const tell = (text: string, words: string): void => {
    if (performance.now() - (toldMs.get(words) ?? Number.NEGATIVE_INFINITY) > REPEAT_AFTER_MS) {
      toldMs.set(words, performance.now());
      say(text);
    }
  };
  let sessionLost = "";
  app.events$.subscribe((event) => {
    if (event._tag === "Committed" && event.task.includes(`/${flights.name}/`)) {
      happened.processed += event.records;
    }
    if (event._tag === "SessionLost") {
      sessionLost = event.reason;
    }
    const text = textOf(event);
    // All tasks are lost with a session: that is said once, not of each.
    if (text !== null && !(event._tag === "Lost" && event.reason === sessionLost)) {
      tell(text, event._tag === "RebalanceFinished" ? text : text.replace(/\b\d[\d.,]*\b/g, "#"));
    }
  });
  return happened;
}

/** `null`: nothing that people need to know, or `main.ts` will say it. */
function textOf(event: AppEvent): string | null {
  switch (event._tag) {
    case "Joined":
      return `${unprefixed(event.group)}: joined as ${shortId(event.member)}`;
    case "Waiting":
      return `${unprefixed(event.group)}: waiting for ${tasks(event.tasks)} of ${shortId(event.member)}, at most ${seconds(event.forMs)}`;
    case "Idle":
      return `${unprefixed(event.group)}: more workers than tasks: waiting`;
    case "RebalanceFinished":
      return rebalanceText(event);
    case "Lost":
      return `${unprefixed(event.task)}: dropped; what was not committed will be processed again: ${event.reason}`;
    case "SessionLost":
      return `${unprefixed(event.group)}: session lost; what was not committed will be processed again: ${event.reason}`;
    case "Fenced":
      return `${unprefixed(event.task)}: another worker has it now; the last commit was refused`;
    case "Finished":
      return `${unprefixed(event.group)}: finished`;
    case "Stalled":
      return `waiting: ${event.message}`;
    case "Regressed":
      return `reloading ${event.task}: ${event.message}`;
    case "LateRecord":
      return `late records: ${event.node} had closed their day, so they count in no result`;
    case "AheadOfTime":
      return `a record is ${seconds(event.aheadMs)} ahead of time (${event.policy})`;
    case "Gap":
      return `${event.lost} records of ${event.task} are gone from the log`;
    case "Restarting":
      return `${unprefixed(event.task)}: failed and starts again in ${seconds(event.pauseMs)}: ${event.error.message}`;
    case "Quarantined":
      return `${unprefixed(event.task)}: stopped until it is resumed: ${event.message}`;
    case "Skipped":
      return `${event.node} has failed: a record was skipped`;
    case "DeadLettered":
      return `${event.node} has failed: a record became a dead letter`;
    case "RedriveFailed":
      return `dead letter ${event.letter} has failed again`;
    case "Redriven":
      return `${unprefixed(event.task)}: ${event.done} dead letters done, ${event.remaining + event.waiting} stay`;
    case "LettersOrphaned":
      return `${unprefixed(event.task)}: ${event.open} dead letters of ${event.node}, which is gone`;
    case "Resumed":
      return `${unprefixed(event.task)}: goes on`;
    case "RebalanceStarted":
    case "Assigned":
    case "Revoked":
    case "Committed":
    case "Completed":
    case "Retried":
    case "Failed":
    case "Stopped":
      return null;
  }
}

/** As `airport-days: +3 tasks, −1, 4 kept, in 45 ms, longest pause 12 ms`; `null` where no task has moved. */
function rebalanceText(event: Extract<AppEvent, { readonly _tag: "RebalanceFinished" }>): string | null {
  const { group, gained, given, kept, tookMs } = event;
  if (gained.length + given === 0) {
    return null;
  }
  const moves = [
    ...(gained.length > 0 ? [`+${tasks(gained.length)}`] : []),
    ...(given > 0 ? [`−${gained.length > 0 ? given : tasks(given)}`] : []),
    ...(kept > 0 ? [`${kept} kept`] : []),
  ];
  const pauses = gained.flatMap(({ pausedMs }) => pausedMs ?? []);
  const longest = pauses.length > 0 ? `, longest pause ${Math.round(Math.max(...pauses))} ms` : "";
  return `${unprefixed(group)}: ${moves.join(", ")}, in ${Math.round(tookMs)} ms${longest}`;
}
