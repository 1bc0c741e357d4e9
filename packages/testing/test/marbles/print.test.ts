import { expect, it } from "vitest";
import type { Diagram, MarbleEvent } from "../../src/marbles/diagram.ts";
import { printDiagram } from "../../src/marbles/print.ts";
import { reportOf } from "../../src/marbles/report.ts";

/** Events from words such as `3b`: the column, then the sign. */
function events(...words: readonly string[]): readonly MarbleEvent[] {
  return words.map((word) => ({ column: Number(word.slice(0, -1)), symbol: word.slice(-1) }));
}

const out = { kind: "out", topic: null, partition: null } as const;
const records = { kind: "records", topic: "orders", partition: 0 } as const;

it("rows are as long as the diagram, behind labels of one width", () => {
  const diagram: Diagram = {
    columns: 8,
    rows: [
      { ...records, events: events("1a", "2b") },
      { ...out, events: events("7b") },
    ],
  };
  expect(printDiagram(diagram)).toBe("records orders p0  -ab-----\nout                -------b");
});

it("groups lie over free columns as in RxJS, where there are enough", () => {
  const row = { ...out, events: events("1a", "1b", "5c") };
  expect(printDiagram({ columns: 6, rows: [row] })).toBe("out  -(ab)c");
});

it("where a group has no room, all are drawn in one column, and the other rows are blank beside it", () => {
  const rows = [
    { ...records, events: events("1a", "2b", "3c") },
    { ...out, events: events("1a", "1b", "2c", "2d", "2e") },
  ];
  expect(printDiagram({ columns: 4, rows })).toBe("records orders p0  -a   b    c\nout                -[ab][cde]-");
});

it("a failure shows the rows around it, and expected and actual one above the other, aligned, with a caret", () => {
  const error = reportOf({
    tag: "MarblesDiffer",
    title: "they differ",
    around: [{ ...records, events: events("1a", "2b") }],
    expected: [{ ...out, events: events("1a", "2b") }],
    actual: [{ ...out, events: events("1a", "1b", "2c") }],
    columns: 4,
    column: 2,
    notes: ["a note"],
  });
  expect(error.message).toBe(`they differ

  records orders p0  -a   b-
  expected
  out                -a   b-
  actual
  out                -[ab]c-
                          ^

a note
`);
  expect(error.expected).toBe("out                -a   b-");
  expect(error.actual).toBe("out                -[ab]c-");
  expect(error).toMatchObject({ name: "MarbleError", _tag: "MarblesDiffer", code: "MR_MARBLES_DIFFER" });
});
