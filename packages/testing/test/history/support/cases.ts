/** A history without a fault, and what breaks it. */
import {
  checkHistory,
  copies,
  type Expectations,
  type HistoryLine,
  type Invariant,
  type LogRecord,
} from "@millrace/testing/history";
import { expect, it } from "vitest";
import { edited, found } from "./edits.ts";
import { GROUP, STORE, Story } from "./story.ts";

/** Two workers, one after the other; the first reply to a commit of the second is lost. */
export function good(): readonly HistoryLine[] {
  const story = new Story();
  story.append(0, ["a1", "b2", "a3"]);
  const first = story.acquire("w1", 0);
  story.commit(first, 2);
  const second = story.acquire("w2", 0);
  story.append(0, ["a4"], "lost");
  story.commit(second, 1);
  story.commit(second, 1, "lost");
  return story.end();
}

export const expectations: Expectations = {
  flows: [copies({ group: GROUP, from: "in", to: "out" })],
  states: [{ group: GROUP, topic: "in", store: STORE, expect: countsOf }],
  isDrained: true,
  bounds: { stallMs: 50 },
};

function countsOf(records: readonly LogRecord[]): ReadonlyMap<string, string> {
  const counts = new Map<string, number>();
  for (const { key } of records) {
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return new Map([...counts].map(([key, count]) => [key, `${count}`]));
}

/** The records of a log line, changed; what the partition is said to hold fits. */
export function withLog(
  lines: readonly HistoryLine[],
  nth: number,
  change: (records: readonly LogRecord[]) => readonly LogRecord[],
): readonly HistoryLine[] {
  const records = change(found(lines, "log", nth).records);
  const counts = { appended: records.length, held: records.length };
  return edited(edited(lines, ["log", nth], { records }), ["partition", nth], counts);
}

export const [IN, OUT] = [0, 1];

function violated(lines: readonly HistoryLine[], invariant: Invariant): readonly string[] {
  return checkHistory(lines, { ...expectations, only: [invariant] }).violations.map(({ message }) => message);
}

/** A loss of everything that was written in the first 1,000 ms. */
export const LOSS: HistoryLine = { _tag: "loss", fromMs: 0, untilMs: 1_000 };

export interface Case {
  readonly broken: readonly HistoryLine[];
  /** The whole message. */
  readonly says: string;
  /** Next to it, and right. */
  readonly right: readonly HistoryLine[];
}

/** Tests that each of these breaks the invariant, and what lies next to it does not. */
export function testCases(invariant: Invariant, cases: Readonly<Record<string, Case>>): void {
  it.each(Object.entries(cases))(`violates ${invariant}: %s`, (_name, { broken, says, right }) => {
    expect(violated(broken, invariant)).toContain(says);
    expect(violated(right, invariant)).not.toContain(says);
  });
}

export function lastOf(records: readonly LogRecord[]): LogRecord {
  const last = records.at(-1);
  if (last === undefined) {
    throw new RangeError("no record");
  }
  return last;
}

/** The first two records change places, and the offsets stay where they are. */
export function exchanged([first, second, ...rest]: readonly LogRecord[]): readonly LogRecord[] {
  return first === undefined || second === undefined
    ? []
    : [{ ...second, offset: first.offset }, { ...first, offset: second.offset }, ...rest];
}

/** Of the input, so many records were dropped in the end. */
export function trimmed(count: number): readonly HistoryLine[] {
  const log = found(good(), "log", IN);
  return edited(edited(good(), ["log", IN], { records: log.records.slice(count) }), ["partition", IN], {
    held: log.records.length - count,
  });
}

/** Everything from the first acquisition on happens later. */
export function later(lines: readonly HistoryLine[], byMs: number): readonly HistoryLine[] {
  const from = lines.findIndex((line) => line._tag === "invoke" && line.op === "acquire");
  return lines.map((line, at) => (at >= from && "atMs" in line ? { ...line, atMs: line.atMs + byMs } : line));
}
