/** The shortest history of a violation, and how it is printed. */
import {
  checkHistory,
  copies,
  type Expectations,
  type HistoryLine,
  printHistory,
  printVerdict,
  shortest,
} from "@millrace/testing/history";
import { describe, expect, it } from "vitest";
import { edited } from "./support/edits.ts";
import { GROUP, Story } from "./support/story.ts";

const expectations: Expectations = { flows: [copies({ group: GROUP, from: "in", to: "out" })] };

/** Two workers on each of three partitions, 20 commits of each. */
function long(): Story {
  const story = new Story(3);
  for (const partition of [0, 1, 2]) {
    for (const worker of ["w1", "w2"]) {
      const owner = story.acquire(worker, partition);
      for (let commit = 0; commit < 20; commit += 1) {
        const key = "abc"[partition] ?? "";
        story.append(
          partition,
          [0, 1].map((n) => `${key}${worker} ${commit} ${n}`),
        );
        story.commit(owner, 2, commit % 7 === 0 ? "lost" : "ok");
      }
    }
  }
  return story;
}

function shortened(lines: readonly HistoryLine[]): {
  readonly message: string;
  readonly lines: readonly HistoryLine[];
} {
  const [violation] = checkHistory(lines, expectations).violations;
  if (violation === undefined) {
    throw new Error("the history has no violation");
  }
  return { message: violation.message, lines: shortest(lines, violation, expectations) };
}

describe("the shortest history of a violation", () => {
  it("of an output that is lost: its record, the commit, and that it is not there", () => {
    const lines = long().end();
    const at = lines.findIndex((line) => line._tag === "log" && line.topic === "out" && line.partition === 1);
    const log = lines[at];
    const broken = log?._tag === "log" ? lines.with(at, { ...log, records: log.records.toSpliced(37, 1) }) : lines;
    const held = broken.map((line) =>
      line._tag === "partition" && line.topic === "out" && line.partition === 1
        ? { ...line, held: 79, appended: 79 }
        : line,
    );
    const short = shortened(held);
    expect(short.message).toMatch(
      /^in\/1 .* \(key b, in commit 18 by w1\) was processed by app.copy, and what it leads to is in out 0 times/,
    );
    expect(short.lines.map(({ _tag }) => _tag).toSorted()).toEqual(["invoke", "log", "ok", "partition", "position"]);
  });

  it("of a zombie's commit: both acquisitions, and the commit", () => {
    const lines = long().end();
    const zombie = edited(lines, ["invoke commit", 30], { nonce: "n1" });
    const short = shortened(zombie);
    expect(short.message).toMatch(/counted with the nonce n1, though w2 had acquired it before/);
    expect(short.lines.map((line) => `${line._tag} ${"op" in line ? line.op : ""}`)).toEqual([
      "invoke acquire",
      "ok acquire",
      "invoke acquire",
      "ok acquire",
      "invoke commit",
      "ok commit",
    ]);
  });

  it("is there in time, however long the history is", () => {
    const lines = edited(long().end(), ["invoke commit", 30], { nonce: "n1" });
    const [violation] = checkHistory(lines, expectations).violations;
    const beganMs = performance.now();
    const left = violation === undefined ? [] : shortest(lines, violation, { ...expectations, withinMs: 0 });
    expect(performance.now() - beganMs).toBeLessThan(1_000);
    expect(left.length).toBeGreaterThan(0);
  });

  it("is printed with a column for each process, and one for the store", () => {
    const story = new Story();
    story.append(0, ["a1"]);
    const first = story.acquire("w1", 0);
    const second = story.acquire("w2", 0);
    story.commit(second, 1);
    const lines = edited(story.end(), ["invoke commit", 0], { nonce: first.nonce });
    const verdict = checkHistory(lines, { ...expectations, only: ["I5"] });
    expect(printVerdict(lines, verdict, expectations)).toBe(
      `
I5: commit 0 of app.copy/in/0 counted with the nonce n1, though w2 had acquired it before (nonce n2, 0 commits)

  ms  w1                                          w2
 0.0  #1 acquire app.copy/in/0, generation 1
 1.0  #1 ok, nonce n1: 0 commits, up to 0-0/0 (0
        records)
 4.0                                              #1 acquire app.copy/in/0, generation 2
 5.0                                              #1 ok, nonce n2: 0 commits, up to 0-0/0 (0
                                                    records)
 9.0                                              #3 commit 0 of app.copy/in/0 up to 1-0/0 (1
                                                    records), nonce n1
10.0                                              #3 ok, applied

1 violations; judged: I5
`.trim(),
    );
  });

  it("tells commits in a row that write nothing of it as one", () => {
    const lines = edited(long().end(), ["state", 0], { entries: [["a", "79"]] });
    const verdict = checkHistory(lines, { only: ["I6"] });
    const printed = printVerdict(lines, verdict);
    expect(printed).toContain("does not hold under a what its commits say");
    expect(printed.split("\n").length).toBeLessThan(70);
    const bare = lines.map((line) =>
      line._tag === "invoke" && line.op === "commit" ? { ...line, outputs: [], state: [] } : line,
    );
    const commits = bare.filter(
      (line) => "op" in line && line.op === "commit" && line.process === "w1" && line._tag !== "info",
    );
    expect(printHistory(commits.slice(0, 13))).toContain("commits 0 to");
  });

  it("shows values only where that is asked for", () => {
    const story = new Story();
    story.append(0, ["a secret"]);
    const lines = story.end();
    expect(printHistory(lines)).not.toContain("secret");
    expect(printHistory(lines, { values: "text" })).toContain("a=a secret");
  });
});
