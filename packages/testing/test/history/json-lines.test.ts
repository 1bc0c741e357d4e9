/** Histories in files. */
import {
  checkHistory,
  copies,
  type HistoryLine,
  HistoryLineError,
  merged,
  parseHistory,
  writeLine,
} from "@millrace/testing/history";
import { describe, expect, it } from "vitest";
import { GROUP, Story } from "./support/story.ts";

function good(): readonly HistoryLine[] {
  const story = new Story(2);
  story.append(0, ["a-secret", "b-secret"], "lost");
  const first = story.acquire("w1", 0);
  story.commit(first, 1);
  story.acquire("w2", 0);
  story.commit(first, 1);
  const fault: HistoryLine = { _tag: "fault", kind: "freeze", victim: null, fromMs: 1, untilMs: 2 };
  const trim: HistoryLine = { _tag: "trim", topic: "in", partition: 1, incarnation: "i1", atMs: 3, trimmed: 0 };
  return [fault, { _tag: "loss", fromMs: -2, untilMs: -1 }, trim, ...story.end()];
}

const text = (lines: readonly HistoryLine[]): string => lines.map((line) => `${writeLine(line)}\n`).join("");

function failure(of: string): unknown {
  try {
    return parseHistory(of);
  } catch (error) {
    return error;
  }
}

describe("a history in a file", () => {
  it("comes back as it was, where values are written", () => {
    const lines = good();
    const written = lines.map((line) => `${writeLine(line, { values: "text" })}\n`).join("");
    expect(parseHistory(written)).toEqual(lines);
  });

  it("holds no value and is judged as before, where nothing else is said", () => {
    const lines = good();
    const written = text(lines);
    expect(written).not.toContain("secret");
    const back = parseHistory(written);
    const flows = [copies({ group: GROUP, from: "in", to: "out" })];
    expect(checkHistory(back, { flows })).toEqual(checkHistory(lines, { flows }));
    // Written again, digests stay what they are.
    expect(text(back)).toBe(written);
  });

  it("holds no key either, where that is asked for", () => {
    const line: HistoryLine = {
      _tag: "invoke",
      op: "commit",
      process: "w",
      call: 1,
      atMs: 0,
      topic: "in",
      partition: 0,
      incarnation: "i",
      group: "g",
      nonce: "n",
      sequence: 0,
      offset: "1-0/0",
      processed: 1,
      outputs: [{ topic: "out", partition: 0, incarnation: "i", records: [{ key: "secret", payload: "secret" }] }],
      state: [{ store: "s", puts: [["secret", "secret"]], deletes: ["secret"] }],
    };
    expect(writeLine(line, { keys: "digest" })).not.toContain("secret");
  });

  it("leaves out what a process that was killed has written half", () => {
    const lines = good();
    expect(parseHistory(text(lines).slice(0, -5))).toHaveLength(lines.length - 1);
  });

  it("names the line that is no JSON", () => {
    const error = failure(`${text(good().slice(0, 2))}oops\n`);
    expect(error).toBeInstanceOf(HistoryLineError);
    expect(error).toMatchObject({
      _tag: "HistoryLineError",
      code: "MR_HISTORY_LINE",
      line: 3,
      message: "line 3 of the history is no JSON",
    });
  });

  it("names the line that lacks a field, of whatever kind", () => {
    for (const [at, line] of good().entries()) {
      for (const name of Object.keys(line)) {
        const broken = { ...line, [name]: { not: "right" } };
        const error = failure(`${text(good().slice(0, at))}${JSON.stringify(broken)}\n`);
        expect(error, `${line._tag} without ${name}`).toMatchObject({ line: at + 1 });
      }
    }
  });

  it.each(["null", "1", '"end"', "[]", "{}", '{"_tag":"toString"}', '{"_tag":"invoke","op":"constructor"}'])(
    "refuses %s",
    (line) => {
      expect(failure(`${line}\n`)).toMatchObject({ line: 1 });
    },
  );
});

describe("histories of several processes", () => {
  it("become one in the order of time, each in its own order, and the end behind all", () => {
    const event = (process: string, atMs: number, name: string): HistoryLine => ({
      _tag: "event",
      process,
      atMs,
      event: name,
      task: null,
    });
    const end = good().filter(({ _tag }) => _tag === "partition");
    const all = merged(
      [event("w1", 1, "a"), event("w1", 4, "b"), ...end],
      [event("w2", 1, "c"), event("w2", 3, "d")],
      [{ _tag: "fault", kind: "kill", victim: "w1", fromMs: 2, untilMs: 2 }],
    );
    expect(all.map((line) => (line._tag === "event" ? line.event : line._tag))).toEqual([
      "a",
      "c",
      "fault",
      "d",
      "b",
      ...end.map(() => "partition"),
    ]);
  });
});
