import { readFileSync } from "node:fs";
import { checkHistory, copies, printVerdict } from "@millrace/testing/history";
import { expect, it } from "vitest";
import { Story } from "../../packages/testing/test/history/support/story.ts";
import { report, verdict } from "./history-guide.ts";

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");
const guide = read("../../docs/guides/history.md");

it("the samples in docs/guides/history.md, one behind the other, are the program that is compiled and run here", () => {
  const samples = [...guide.matchAll(/^```ts\n(.*?)^```/gms)].map(([, code]) => code);
  expect(samples.join("\n")).toBe(read("./history-guide.ts"));
});

it("the program finds nothing, and says what it could not judge", () => {
  expect(verdict.violations).toEqual([]);
  expect(report).toBe(
    "0 violations; judged: form I1 I2 I3 I4 I5 I6 I7 I8 I9 I11\n  not judged: I10  no bound is given",
  );
});

it("the violation that the guide shows is one that is printed so", () => {
  const story = new Story();
  story.append(0, ["a1"]);
  const first = story.acquire("w1", 0);
  const second = story.acquire("w2", 0);
  story.commit(second, 1);
  const lines = story
    .end()
    .map((line) => (line._tag === "invoke" && line.op === "commit" ? { ...line, nonce: first.nonce } : line));
  const expectations = { flows: [copies({ group: "app.copy", from: "in", to: "out" })] };
  const printed = printVerdict(lines, checkHistory(lines, { ...expectations, only: ["I5"] }), expectations);
  expect(guide).toContain(printed.slice(0, printed.lastIndexOf("\n\n")));
});
