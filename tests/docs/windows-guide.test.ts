import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { annsTotals, reports, visitTable, written } from "./windows-guide.ts";

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");
const NINE = Date.UTC(2026, 0, 5, 9);

/** What lies in a topic of results, without the topic's name. */
function rowsOf(topic: string): readonly string[] {
  return written.filter((line) => line.startsWith(`${topic}: `)).map((line) => line.slice(topic.length + 2));
}

it("the samples in docs/guides/windows.md, one behind the other, are the program that is compiled and run here", () => {
  const samples = [...read("../../docs/guides/windows.md").matchAll(/^```ts\n(.*?)^```/gms)].map(([, code]) => code);
  expect(samples.join("\n")).toBe(read("./windows-guide.ts"));
});

it("windows of each kind hold what the guide says", () => {
  expect(rowsOf("per-route")).toEqual(["/pay from 0 s 4", "/pay from 3000 s 1", "/pay from 7200 s 1"]);
  expect(rowsOf("averages")).toContain("ann from -240 s 233.33333333333334");
  expect(rowsOf("bursts")).toEqual(["ann from 0 s 3"]);
  expect(rowsOf("all").toSorted()).toEqual(["ann 5", "bob 3"]);
  expect(rowsOf("busiest").toSorted()).toEqual(["ann from 0 s 3", "bob from 0 s 1", "bob from 7200 s 1"]);
});

it("late records are in the topic for them, and in no window", () => {
  expect(rowsOf("too-late")).toEqual(["5", "7"]);
  expect(rowsOf("kept").toSorted()).toEqual([
    "ann from 0 s 3",
    "ann from 3000 s 1",
    "bob from 0 s 1",
    "bob from 7200 s 1",
  ]);
});

it("a table that is kept with updates ends with the visits as they are, without those that were taken back", () => {
  const at = (second: number): number => NINE + second * 1_000;
  expect(Object.fromEntries(visitTable)).toEqual({
    [`ann ${at(5)}`]: 5,
    [`bob ${at(12)}`]: 1,
    [`bob ${at(7_200)}`]: 1,
  });
  expect(rowsOf("live").at(-1)).toBe("/pay from 7200 s 1");
});

it("an aggregate of one's own works beside the others", () => {
  expect(reports).toEqual([
    {
      users: ["ann", "bob"],
      ms: { p50: expect.closeTo(100, 0) as number, p99: 300 },
      longest: 300,
      slowest: ["2", "2"],
    },
  ]);
});

it("running aggregates tell each change, and are asked for by key; duplicates pass once", () => {
  expect(rowsOf("balances").filter((row) => row.startsWith("ann"))).toEqual(
    [100, 400, 700, 750, 850].map((ms) => `ann ${ms}`),
  );
  expect(annsTotals).toEqual({ calls: 5, ms: 850 });
  expect(rowsOf("unique-calls").toSorted()).toEqual(["1", "2", "3", "4", "5", "6", "7"]);
});
