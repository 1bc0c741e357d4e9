import { createHash } from "node:crypto";
import type { HistoryLine, InvokeLine, OkLine, RecordText } from "./lines.ts";

/** What of the user's data is shown. */
export interface TextOptions {
  /**
   * `"digest"` (the default): values as the first digits of a digest, enough to see which are equal. `"text"`: as they are, up to
   * 24 characters.
   */
  readonly values?: "digest" | "text";
}

const DIGITS = 4;
const MOST_CHARS = 24;
const MOST_RECORDS = 4;
const NONCE_CHARS = 8;

/** What a line says, for people. */
export function lineText(line: HistoryLine, { values = "digest" }: TextOptions = {}): string {
  const value = values === "text" ? clipped : digest;
  switch (line._tag) {
    case "invoke":
      return `#${line.call} ${invokeText(line, value)}`;
    case "ok":
      return `#${line.call} ok${okText(line, value)}`;
    case "fail":
      return `#${line.call} refused: ${line.error}`;
    case "info":
      return `#${line.call} unknown: ${line.error}`;
    case "read":
      return `reads ${line.topic}/${line.partition}: ${recordsText(line.records, value)}`;
    case "event":
      return eventText(line);
    case "fault":
      return `FAULT ${line.kind}${line.victim === null ? "" : ` ${line.victim}`}${untilText(line)}`;
    case "loss":
      return `LOSS of what was written in the next ${Math.round(line.untilMs - line.fromMs)} ms`;
    case "trim":
      return `trim ${line.topic}/${line.partition}: ${line.trimmed} records dropped`;
    case "partition":
      return `${line.topic}/${line.partition} has ${line.held} of ${line.appended} records`;
    case "log":
      return `${line.topic}/${line.partition} holds ${recordsText(line.records, value)}`;
    case "position":
      return `${line.group} is at ${line.topic}/${line.partition} ${line.offset}: ${line.processed} records, ${line.sequence} commits`;
    case "state":
      return `store ${line.store} of ${line.group}/${line.topic}/${line.partition}: ${entriesText(line.entries, value)}`;
    case "end":
      return "the history ends";
  }
}

type Show = (text: string) => string;

function invokeText(line: InvokeLine, value: Show): string {
  const place = `${line.topic}/${line.partition}`;
  switch (line.op) {
    case "append": {
      const to = line.firstSequence + line.records.length - 1;
      const range = line.records.length === 1 ? `${to}` : `${line.firstSequence} to ${to}`;
      return `append ${place} ${line.producer} ${range}: ${recordsText(line.records, value)}`;
    }
    case "acquire":
      return `acquire ${line.group}/${place}, generation ${line.generation}`;
    case "commit": {
      const outputs = line.outputs.map(
        (of) => `, writes ${of.topic}/${of.partition}: ${recordsText(of.records, value)}`,
      );
      const puts = line.state.map((of) => `, store ${of.store}: ${changeText(of, value)}`);
      return `commit ${line.sequence} of ${line.group}/${place} up to ${line.offset} (${line.processed} records), nonce ${nonceText(line.nonce)}${outputs.join("")}${puts.join("")}`;
    }
    case "state":
      return `reads store ${line.store} of ${line.group}/${place}`;
    case "drop":
      return `drops store ${line.store} of ${line.group}/${place}`;
  }
}

function okText(line: OkLine, value: Show): string {
  switch (line.op) {
    case "append":
      return `, ${line.appended} appended`;
    case "acquire":
      return `, nonce ${nonceText(line.nonce)}: ${line.sequence} commits, up to ${line.offset} (${line.processed} records)`;
    case "commit":
      return `, ${line.result === "applied" ? "applied" : "had been applied"}`;
    case "state":
      return `: ${entriesText(line.entries, value)}`;
    case "drop":
      return "";
  }
}

function eventText({
  event,
  task,
  offset,
  records,
  outputs,
  lost,
}: Extract<HistoryLine, { readonly _tag: "event" }>): string {
  const counters = [
    ...(offset === undefined ? [] : [`up to ${offset}`]),
    ...(records === undefined ? [] : [`${records} records`]),
    ...(outputs === undefined ? [] : [`${outputs} outputs`]),
    ...(lost === undefined ? [] : [`${lost} lost`]),
  ];
  return `says ${event}${task === null ? "" : ` ${task}`}${counters.length === 0 ? "" : `: ${counters.join(", ")}`}`;
}

function untilText({ fromMs, untilMs }: { readonly fromMs: number; readonly untilMs: number }): string {
  return untilMs > fromMs ? ` for ${Math.round(untilMs - fromMs)} ms` : "";
}

function recordsText(records: readonly (RecordText & { readonly offset?: string })[], value: Show): string {
  const shown = records.slice(0, MOST_RECORDS).map(({ key, payload, offset }) => {
    const at = offset === undefined ? "" : `${offset} `;
    return `${at}${clipped(key)}=${value(payload)}`;
  });
  return listText(shown, records.length);
}

function entriesText(entries: readonly (readonly [key: string, value: string | null])[], value: Show): string {
  const shown = entries
    .slice(0, MOST_RECORDS)
    .map(([key, held]) => `${clipped(key)}=${held === null ? "nothing" : value(held)}`);
  return listText(shown, entries.length);
}

function changeText(
  { puts, deletes }: Extract<InvokeLine, { readonly op: "commit" }>["state"][number],
  value: Show,
): string {
  const changes = [
    ...puts.map(([key, held]) => `${clipped(key)}=${value(held)}`),
    ...deletes.map((key) => `${clipped(key)} deleted`),
  ];
  return listText(changes.slice(0, MOST_RECORDS), changes.length);
}

function listText(shown: readonly string[], total: number): string {
  const more = total > shown.length ? `, and ${total - shown.length} more` : "";
  return total === 0 ? "nothing" : `${shown.join(", ")}${more}`;
}

function nonceText(nonce: string): string {
  return nonce.slice(0, NONCE_CHARS);
}

function clipped(text: string): string {
  return text.length > MOST_CHARS ? `${text.slice(0, MOST_CHARS)}…` : text;
}

/** Of a value of a file, the digest that it is. */
function digest(text: string): string {
  return text.startsWith("#")
    ? text.slice(0, DIGITS + 1)
    : `#${createHash("sha256").update(text).digest("hex").slice(0, DIGITS)}`;
}
