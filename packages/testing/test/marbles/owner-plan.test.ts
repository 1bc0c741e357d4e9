import { describe, expect, it } from "vitest";
import { type OwnerPlan, type OwnerRow, planOwners } from "../../src/marbles/owner-plan.ts";
import { parseDiagram } from "../../src/marbles/parse.ts";
import { thrownBy } from "./thrown.ts";

/** The plan of owner rows of one topic. */
function planOf(text: string, partitions: number): { readonly plan: OwnerPlan; readonly rows: readonly OwnerRow[] } {
  const { diagram, source } = parseDiagram(text, { topics: [] });
  const rows = diagram.rows.map((row, index) => ({ ...row, index, topicName: "orders", partitions }));
  return { plan: planOwners(rows, source), rows };
}

/** What happens to workers, as `5: !A +B -C`. */
function stepsOf(text: string, partitions = 1): readonly string[] {
  return planOf(text, partitions).plan.steps.map(({ column, crash, start, remove }) => {
    const what = [crash.map((name) => `!${name}`), start.map((name) => `+${name}`), remove.map((name) => `-${name}`)];
    return `${column}: ${what.flat().join(" ")}`;
  });
}

function refusal(text: string, partitions = 1): string {
  return thrownBy(() => planOf(text, partitions)).message;
}

describe("owner rows", () => {
  it("another letter: a worker comes, the one before leaves", () => {
    expect(stepsOf("owner  A----B")).toEqual(["0: +A", "5: +B -A"]);
  });

  it("a crash: the worker is killed, and the next one starts where it is drawn", () => {
    expect(stepsOf("owner  A----!-B")).toEqual(["0: +A", "5: !A", "7: +B"]);
    expect(stepsOf("owner  A----!-A")).toEqual(["0: +A", "5: !A", "7: +A"]);
    expect(stepsOf("owner  A----(!A)---")).toEqual(["0: +A", "5: !A +A"]);
  });

  it("a leave without a successor", () => {
    expect(stepsOf("owner  --A--|--A")).toEqual(["2: +A", "5: -A", "8: +A"]);
  });

  it("a worker stays as long as some row draws it", () => {
    expect(
      stepsOf(
        `
          owner p0  A-----B-
          owner p1  A--B----
          owner p2  B----A--
        `,
        3,
      ),
    ).toEqual(["0: +A +B"]);
    expect(
      stepsOf(
        `
          owner p0  A--C-
          owner p1  B----
        `,
        2,
      ),
    ).toEqual(["0: +A +B", "3: +C -A"]);
  });

  it("several workers can crash at once, each in all of its rows", () => {
    expect(
      stepsOf(
        `
          owner p0  A--!---C
          owner p1  B--!---C
        `,
        2,
      ),
    ).toEqual(["0: +A +B", "3: !A !B", "7: +C"]);
  });

  it("say by when who is to have a partition", () => {
    const { plan, rows } = planOf("owner  A--!--B|-", 1);
    const [row] = rows;
    expect(row).toBeDefined();
    const owners = Array.from({ length: 9 }, (_, column) => plan.ownerIn(row as OwnerRow, column) ?? "-");
    expect(owners.join("")).toBe("AAA---B--");
  });
});

describe("owner rows that no group can follow", () => {
  it.each([
    ["a crash of nobody", "owner  --!", "nobody is drawn as the owner here, so nobody can crash", 9],
    ["two crashes, one behind the other", "owner  A--!!", "nobody is drawn as the owner here, so nobody can crash", 11],
    ["two crashes at once", "owner  A--(!!)", "(!!) is more than can happen to an owner in one column", 10],
    ["two owners at once", "owner  (AB)", "(AB) is more than can happen to an owner in one column", 7],
    ["an owner that crashes as it comes", "owner  A--(B!)", "(B!) is more than can happen", 10],
    ["a crash and a leave", "owner  A--(!|)", "(!|) is more than can happen", 10],
    ["a leave of nobody", "owner  -|", "nobody is drawn as the owner here, so nobody can leave", 8],
  ])("%s", (_, text, message, place) => {
    const refused = refusal(text);
    expect(refused).toContain(message);
    const caret = refused.split("\n").find((line) => line.trim() === "^");
    expect(caret?.indexOf("^")).toBe(place + 2);
  });

  it("a worker that crashes in one row and goes on in another", () => {
    expect(
      refusal(
        `
          owner p0  A--!--
          owner p1  A-----
        `,
        2,
      ),
    ).toBe(`A crashes in this column, and owns "owner p1" as well: draw ! here, too

  owner p0  A--!--
  owner p1  A-----
               ^
`);
  });

  it("shares that are not even", () => {
    expect(
      refusal(
        `
          owner p0  A--
          owner p1  A--
          owner p2  A-B
          owner p3  A--
        `,
        4,
      ),
    ).toContain(
      "A cannot own 3 of 4 partitions while there are 2 workers (A, B): a group shares evenly, at most 2 for each",
    );
  });

  it("one row for all partitions beside rows for some", () => {
    const text = "owner     A\nowner p1  A";
    expect(refusal(text, 2)).toContain('"owner" is about all partitions: draw it, or one row for each of them');
  });
});
