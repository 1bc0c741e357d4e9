/** What a history does not tell is not taken for right. */
import { checkHistory, copies, type Expectations, type HistoryLine, type Invariant } from "@millrace/testing/history";
import { describe, expect, it } from "vitest";
import { GROUP, Story } from "./support/story.ts";

function good(): readonly HistoryLine[] {
  const story = new Story();
  story.append(0, ["a1", "b2", "a3"]);
  story.commit(story.acquire("w1", 0), 2);
  return story.end();
}

const flows = [copies({ group: GROUP, from: "in", to: "out" })];

function reasons(lines: readonly HistoryLine[], invariant: Invariant, more: Expectations = {}): readonly string[] {
  const { notJudged, violations } = checkHistory(lines, { flows, ...more, only: [invariant] });
  expect(violations).toEqual([]);
  return notJudged.map(({ reason }) => reason);
}

function without(...tags: readonly HistoryLine["_tag"][]): readonly HistoryLine[] {
  return good().filter(({ _tag }) => !tags.includes(_tag));
}

describe("a history that lacks something", () => {
  it.each<[Invariant, readonly HistoryLine[], string]>([
    ["I1", without("partition", "log"), "no partition's end is in the history"],
    [
      "I1",
      good().filter((line) => !("process" in line && line.process === "producer-0")),
      "nobody who writes in was recorded",
    ],
    ["I2", without("position"), "in → out (app.copy): of in/0, how far the group is in it is not in the history"],
    ["I2", without("partition", "log"), "in → out (app.copy): the end of in is not in the history"],
    ["I3", without("partition", "log"), "no record of a recorded writer is in a partition of which the end is known"],
    ["I4", without("position"), "the position of app.copy/in/0 in the end is not in the history"],
    ["I5", without("invoke", "ok"), "there is no commit and no acquisition"],
    ["I6", without("state"), "the end of the store counts of app.copy/in/0 is not in the history"],
    ["I7", without("partition", "log"), "the end of in/0 is not in the history"],
    [
      "I8",
      without("partition", "log", "read", "invoke", "ok"),
      "there is no read, and no log in the end that a recorded writer writes",
    ],
    ["I9", without("position"), "no position with the end of its partition, and no trim, is in the history"],
    ["I10", good(), "no bound is given"],
    ["I11", without("event"), "w1 has no events in the history"],
  ])("says that %s is not judged", (invariant, lines, reason) => {
    expect(reasons(lines, invariant)).toContain(reason);
  });

  it("says that nothing tells what the input leads to", () => {
    expect(reasons(good(), "I2", { flows: [] })).toEqual(["no flow with `each` says what a record leads to"]);
    expect(reasons(good(), "I6", { flows: [] })).toEqual(["no flow says what the input leads to"]);
  });

  it("says that records were dropped which nobody has read", () => {
    const lines = good()
      .filter(({ _tag }) => _tag !== "read")
      .map((line): HistoryLine => {
        if (line._tag === "partition" && line.topic === "in") {
          return { ...line, held: 2 };
        }
        return line._tag === "log" && line.topic === "in" ? { ...line, records: line.records.slice(1) } : line;
      });
    expect(reasons(lines, "I1")).toEqual(["1 records of in/0 were trimmed, and nobody has read all of them"]);
    expect(checkHistory(lines, { flows, only: ["I7"] }).judged).toEqual(["I7"]);
  });

  it("says that a store is not judged where a commit is unknown", () => {
    const lines = good().filter((line) => !("op" in line && line.op === "commit"));
    expect(reasons(lines, "I6").at(0)).toBe(
      "store counts of app.copy/in/0 is not judged: not every commit of its task is known",
    );
  });
});
