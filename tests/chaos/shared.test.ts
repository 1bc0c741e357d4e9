/** The shared invariants, with what chaos knows of its pipeline: copies, and totals of windows behind a change of key. */
import { describe, expect, it } from "vitest";
import { checkShared } from "../../chaos/src/check/shared.ts";
import { BETWEEN, type Contents, good, linesOf, numbers, output, RECORDS, total } from "./support/shared-history.ts";

function violated(change: Partial<Contents>, isComplete = true): readonly string[] {
  const { violations } = checkShared(linesOf({ ...good, ...change }), isComplete);
  return [...new Set(violations.map(({ invariant }) => invariant))];
}

describe("the shared invariants", () => {
  it("find nothing in a run that is right, and judge all of it", () => {
    expect(checkShared(linesOf(good), true)).toEqual({ violations: [], notJudged: [] });
  });

  it.each<[string, Partial<Contents>]>([
    ["a lost copy", { output: good.output.filter((_, n) => n !== 3) }],
    ["a doubled copy", { output: [...good.output, { ...output(3), offset: "999-0/0" }] }],
  ])("find %s", (_name, change) => {
    expect(violated(change)).toContain("I2");
  });

  it.each<[string, Partial<Contents>]>([
    ["a copy of nothing", { output: [...good.output, output(RECORDS)] }],
    ["a copy that says something else than its original", { output: numbers.map((n) => output(n, { key: "b" })) }],
    ["a window that counts wrongly", { totals: [total(0, [0, 1, 2], { count: 2 }), ...good.totals.slice(1)] }],
    ["a window with the right count of the wrong records", { totals: [total(0, [0, 1, 3]), ...good.totals.slice(1)] }],
    ["a window with two results", { totals: [...good.totals, { ...total(2_000, [5]), offset: "9999-0/0" }] }],
    ["a window without a result", { totals: good.totals.slice(1) }],
  ])("find %s", (_name, change) => {
    expect(violated(change)).toContain("I6");
  });

  it("find copies of a key in the wrong order", () => {
    const [first, second, ...rest] = good.output;
    const exchanged =
      first === undefined || second === undefined
        ? []
        : [{ ...second, offset: first.offset }, { ...first, offset: second.offset }, ...rest];
    expect(violated({ output: exchanged })).toContain("I3");
  });

  it("expect no window of a run that did not come to its end", () => {
    const lines = linesOf({ ...good, totals: [] }).filter(
      (line) => !("atMs" in line && line.atMs === 20) && !(line._tag === "position" && line.topic === BETWEEN),
    );
    expect(checkShared(lines, false).violations.map(({ message }) => message)).toEqual([]);
  });
});
